"""Convert between X12 text and the values of a claim: money (R), quantities (R), dates (D8, RD8) and times (TM).

Each `*_from` raises ValueError for text that does not hold such a value; decimals exist as text only.
"""

import re
from datetime import UTC, date, datetime

DECIMAL = re.compile(r"(-?)(\d*)(?:\.(\d*))?")


def money_text(cents: int) -> str:
    """Write cents as dollars without needless zeros: 10000 is "100", 1250 is "12.5"."""
    return _decimal_text(cents, 2)


def cents_from(text: str) -> int:
    """Read dollars as cents; a fraction of a cent is refused."""
    return _scaled(text, 2)


def thousandths_text(thousandths: int) -> str:
    """Write a quantity counted in thousandths: 500 is "0.5"."""
    return _decimal_text(thousandths, 3)


def thousandths_from(text: str) -> int:
    """Read a quantity of at most three decimals as thousandths."""
    return _scaled(text, 3)


def whole_from(text: str) -> int:
    """Read a whole number, also when it is written with zero decimals."""
    return _scaled(text, 0)


def date_text(day: date) -> str:
    """Write a date as CCYYMMDD."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def date_from(text: str) -> date:
    """Read CCYYMMDD."""
    if not re.fullmatch(r"[0-9]{8}", text):
        raise ValueError("a date is eight digits, CCYYMMDD")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def minute_from(day: str, time: str) -> datetime:
    """Read CCYYMMDD and HHMM, or longer, as a UTC time to the minute."""
    if not re.fullmatch(r"[0-9]{4,8}", time):
        raise ValueError("a time is HHMM")
    on = date_from(day)
    return datetime(on.year, on.month, on.day, int(time[:2]), int(time[2:4]), tzinfo=UTC)


def _decimal_text(value: int, places: int) -> str:
    whole, fraction = divmod(abs(value), 10**places)
    digits = f"{fraction:0{places}}".rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def _scaled(text: str, places: int) -> int:
    found = DECIMAL.fullmatch(text)
    if not found or not (found[2] or found[3]) or not text.isascii():
        raise ValueError("a number is digits with at most one decimal point")
    fraction = (found[3] or "").rstrip("0")
    if len(fraction) > places:
        raise ValueError(f"at most {places} decimals can be kept")
    value = int((found[2] or "0") + fraction.ljust(places, "0"))
    return -value if found[1] else value
