"""Money, quantities, dates and times keep their value through X12 text."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.claims.engine.values import (
    cents_from,
    date_from,
    date_text,
    minute_from,
    money_text,
    thousandths_from,
    thousandths_text,
    whole_from,
)


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0"), (5, "0.05"), (10, "0.1"), (1_250, "12.5"), (7_904, "79.04"), (10_000, "100"), (-900, "-9")],
)
def test_cents_are_written_as_dollars_without_needless_zeros(cents: int, text: str) -> None:
    assert money_text(cents) == text


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_every_amount_and_quantity_reads_back_the_same(number: int) -> None:
    assert cents_from(money_text(number)) == number
    assert thousandths_from(thousandths_text(number)) == number


@pytest.mark.parametrize(
    ("text", "cents"), [("100.00", 10_000), (".5", 50), ("7.", 700), ("-21.890", -2_189), ("007", 700)]
)
def test_other_spellings_of_an_amount_are_read(text: str, cents: int) -> None:
    assert cents_from(text) == cents


@pytest.mark.parametrize("text", ["", ".", "-", "1e3", "1,000", "40.125", "+5", " 5", "\u0665", "NaN", "1.2.3"])
def test_what_is_not_an_amount_in_cents_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        cents_from(text)


def test_units_are_whole_also_with_zero_decimals() -> None:
    assert whole_from("1.00") == 1
    with pytest.raises(ValueError, match="at most 0 decimals"):
        whole_from("1.5")


@settings(deadline=None)
@given(st.dates())
def test_every_date_reads_back_the_same(day: date) -> None:
    assert date_from(date_text(day)) == day


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (date_from, "20260230"),
        (date_from, "2026021"),
        (date_from, "2026-2-1"),
        (date_from, "\u0662\u0660\u0662\u06660101"),
    ],
)
def test_a_day_that_is_not_in_the_calendar_is_refused(read: Callable[[str], date], text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_a_time_is_read_to_the_minute_in_utc() -> None:
    assert minute_from("20260302", "093059") == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    with pytest.raises(ValueError):
        minute_from("20260302", "2460")
    with pytest.raises(ValueError, match="HHMM"):
        minute_from("20260302", "9:30")
