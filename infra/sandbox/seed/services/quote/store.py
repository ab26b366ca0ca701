"""Products and quotes in the quote database."""

from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from services.quote.catalogue import initial_products
from shop.database import Database

metadata = MetaData()

products = Table(
    "products",
    metadata,
    Column("sku", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("list_price_cents", Integer, nullable=False),
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sku", String, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("total_cents", Integer, nullable=False),
)


@dataclass(frozen=True)
class Product:
    """A product of the catalogue."""

    sku: str
    name: str
    list_price_cents: int


class QuoteStore:
    """Reads products and writes quotes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self) -> None:
        """Creates the tables and fills an empty catalogue."""
        with self._database.engine.begin() as connection:
            metadata.create_all(connection)
            if not connection.scalar(select(func.count()).select_from(products)):
                connection.execute(insert(products), initial_products())

    def find_product(self, sku: str) -> Product | None:
        """Returns the product, or None when the catalogue does not have it."""
        statement = select(products).where(products.c.sku == sku)
        with self._database.transaction() as connection:
            row = self._database.execute(connection, statement, "SELECT", "products").one_or_none()
        return None if row is None else Product(row.sku, row.name, row.list_price_cents)

    def save_quote(self, sku: str, quantity: int, total_cents: int) -> int:
        """Stores a quote and returns its number."""
        statement = insert(quotes).values(sku=sku, quantity=quantity, total_cents=total_cents)
        with self._database.transaction() as connection:
            result = self._database.execute(connection, statement, "INSERT", "quotes")
        return result.inserted_primary_key[0]
