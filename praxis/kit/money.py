"""Money as integer cents, exact until the one rounding: half up, away from zero.

A reversal is therefore always the negative of what it reverses: `scale(-c, f) == -scale(c, f)`, and so for `share`.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from praxis.kit.problems import FieldError, Invalid

CURRENCY = "USD"
MICROS_PER_CENT = 10_000

# 16 digits before the point keep every amount inside a signed 64 bit column of cents.
_AMOUNT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,2}))?")


class NotAnAmount(Invalid):
    """The text is not a plain amount of at most two decimals."""

    code = "not-an-amount"
    title = "This is not an amount of money"


def round_half_up(value: Decimal) -> int:
    """Round to a whole number, ties away from zero: 92.5 gives 93 and -92.5 gives -93."""
    return _divided(*_ratio(value))


def cents_from(text: str, *, pointer: str = "") -> int:
    """Read `123.45`, `123.4`, `123` or `-0.05` as cents; `pointer` names the field in a refusal.

    Raises `NotAnAmount` for anything else: numbers that are not text, more than two decimals (even zeros), exponents,
    signs other than one leading minus, thousands separators, spaces, currency signs.
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        message = 'send the amount as text with at most two decimals, for example "123.45"'
        raise NotAnAmount(errors=[FieldError(pointer, "decimal-text", message)])
    sign, whole, fraction = match.groups(default="")
    return int(f"{sign}{whole}{fraction:0<2}")


def decimal_text(cents: int) -> str:
    """Write cents with exactly two decimals: 12345 as `123.45`, -5 as `-0.05`."""
    whole, fraction = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{fraction:02}"


def scale(cents: int, factor: Decimal) -> int:
    """Multiply exactly, then round once, half up: 7434 by 1.25 is 9293."""
    numerator, denominator = _ratio(factor)
    return _divided(cents * numerator, denominator)


def share(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Split into one part per weight, in proportion; the parts always add up to the whole.

    Largest remainder: cents that do not divide go one each to the parts cut most, the earlier first among equals. A
    zero weight gets nothing. ValueError for a negative weight or when no weight is positive.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative and at least one is positive")
    cut = [divmod(abs(total_cents) * weight, whole) for weight in weights]
    parts = [part for part, _ in cut]
    most_cut_first = sorted(range(len(cut)), key=lambda index: -cut[index][1])
    for index in most_cut_first[: abs(total_cents) - sum(parts)]:
        parts[index] += 1
    return parts if total_cents >= 0 else [-part for part in parts]


def extended_cents(micros: int, quantity: int) -> int:
    """Return unit cost times quantity in cents, rounded once, half up; `micros` are millionths of the currency unit."""
    return _divided(micros * quantity, MICROS_PER_CENT)


def _ratio(value: Decimal) -> tuple[int, int]:
    # Called on the class so that a float, which has this method too, is a TypeError. Integers because decimal contexts
    # round to 28 digits before the rounding meant here: 19 digits of cents times a rate can be longer.
    return Decimal.as_integer_ratio(value)


def _divided(numerator: int, denominator: int) -> int:
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded
