"""Discounts for large quantities and coupons."""

from dataclasses import dataclass

COUPONS_PERCENT = {"WELCOME10": 10, "SPRING15": 15, "STAFF30": 30}


@dataclass(frozen=True)
class BulkTier:
    """A discount for lines of at least `from_quantity` pieces."""

    from_quantity: int
    percent: int


# The largest tier first: the first that fits is taken.
BULK_TIERS = (BulkTier(from_quantity=50, percent=12), BulkTier(from_quantity=10, percent=5))


def bulk_discount_cents(unit_price_cents: int, quantity: int) -> int:
    """Returns the bulk discount of a whole line, in cents."""
    for tier in BULK_TIERS:
        if quantity >= tier.from_quantity:
            return unit_price_cents * quantity * tier.percent // 100
    return 0


def coupon_discount_cents(amount_cents: int, coupon: str) -> int:
    """Returns what a coupon takes off, in cents; unknown coupons take off nothing."""
    return amount_cents * COUPONS_PERCENT.get(coupon.upper(), 0) // 100


def total_cents(unit_price_cents: int, quantity: int, coupon: str) -> int:
    """Returns the price of a line after the bulk discount and then the coupon, in cents."""
    amount = unit_price_cents * quantity - bulk_discount_cents(unit_price_cents, quantity)
    return amount - coupon_discount_cents(amount, coupon)
