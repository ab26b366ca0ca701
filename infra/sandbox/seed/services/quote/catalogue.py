"""The catalogue that a new quote database starts with."""

_LINES = {
    "MUG": ("Mug", 890),
    "TEE": ("T-shirt", 1990),
    "CAP": ("Cap", 1490),
    "BAG": ("Tote bag", 1250),
}
_DESIGNS = 15
_DESIGN_SURCHARGE_CENTS = 25


def initial_products() -> list[dict[str, str | int]]:
    """Returns the rows of the table `products`: sku, name and list price in cents."""
    return [
        {
            "sku": f"{prefix}-{design:03d}",
            "name": f"{name}, design {design}",
            "list_price_cents": price_cents + design * _DESIGN_SURCHARGE_CENTS,
        }
        for prefix, (name, price_cents) in _LINES.items()
        for design in range(1, _DESIGNS + 1)
    ]
