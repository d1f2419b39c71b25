from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.money import (
    CURRENCY,
    MICROS_PER_CENT,
    NotAnAmount,
    cents_from,
    decimal_text,
    extended_cents,
    round_half_up,
    scale,
    share,
)

cents = st.integers(min_value=-(2**63), max_value=2**63 - 1)
some_weights = st.lists(st.integers(min_value=0, max_value=10**12), max_size=20)
weights = st.tuples(some_weights, st.integers(min_value=1, max_value=10**12), some_weights).map(
    lambda given: [*given[0], given[1], *given[2]]
)
factors = st.decimals(min_value=-(10**8), max_value=10**8, places=4)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("92.5", 93),
        ("-92.5", -93),
        ("92.4999", 92),
        ("0.5", 1),
        ("-0.5", -1),
        ("2.5", 3),
        ("0", 0),
        ("-0.4", 0),
        ("1E+3", 1000),
    ],
)
def test_ties_go_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_up(Decimal(value)) == rounded


def test_a_price_is_rounded_half_up_not_half_even() -> None:
    assert scale(7434, Decimal("1.25")) == 9293


@given(cents, factors)
def test_scaling_is_off_by_at_most_half_a_cent_and_mirrors_reversals(amount: int, factor: Decimal) -> None:
    scaled = scale(amount, factor)
    with localcontext(prec=200):
        assert abs(scaled - amount * factor) <= Decimal("0.5")
    assert scale(-amount, factor) == -scaled


def test_the_decimal_context_of_the_caller_changes_nothing() -> None:
    exact = scale(9_223_372_036_854_775_807, Decimal("0.9999999999999"))
    with localcontext(prec=3):
        assert scale(9_223_372_036_854_775_807, Decimal("0.9999999999999")) == exact == 9_223_372_036_853_853_470
    assert getcontext().prec == 28


@pytest.mark.parametrize("call", [lambda: scale(7434, 1.25), lambda: round_half_up(0.5)])
def test_a_float_near_money_is_a_type_error(call: object) -> None:
    with pytest.raises(TypeError):
        call()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("123.45", 12345),
        ("123.4", 12340),
        ("123", 12300),
        ("-0.05", -5),
        ("0", 0),
        ("-0.00", 0),
        ("9999999999999999.99", 10**18 - 1),
    ],
)
def test_a_plain_amount_is_read_exactly(text: str, amount: int) -> None:
    assert cents_from(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "-", ".5", "5.", "1.234", "1.230", "1e2", "1E2", "+1", "--1", " 1", "1\n", "1,000", "$1", "0x1", "1_0", "NaN",
     "Infinity", "\u0661", "1.\u0662", "1" * 17, 1.25, 125, None, Decimal("1.25")],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(NotAnAmount) as refusal:
        cents_from(text, pointer="/price")
    assert (refusal.value.status, refusal.value.code) == (422, "not-an-amount")
    assert [error.pointer for error in refusal.value.errors] == ["/price"]


def test_a_refused_text_is_not_repeated() -> None:
    with pytest.raises(NotAnAmount) as refusal:
        cents_from("Jane Roe")
    assert "Jane" not in str(refusal.value.document("trace"))


@given(st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1))
def test_an_amount_survives_being_written_and_read(amount: int) -> None:
    assert cents_from(decimal_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"), [(12345, "123.45"), (-5, "-0.05"), (0, "0.00"), (100, "1.00"), (-12300, "-123.00")]
)
def test_an_amount_is_written_with_two_decimals(amount: int, text: str) -> None:
    assert decimal_text(amount) == text


@given(cents, weights)
def test_parts_add_up_and_each_is_less_than_a_cent_from_its_share(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@given(cents, weights)
def test_a_reversal_splits_into_the_reversed_parts(total: int, weights: list[int]) -> None:
    assert share(-total, weights) == [-part for part in share(total, weights)]


@given(cents, weights)
def test_a_zero_weight_gets_nothing(total: int, weights: list[int]) -> None:
    assert all(part == 0 for part, weight in zip(share(total, weights), weights, strict=True) if weight == 0)


def test_cents_that_do_not_divide_go_to_the_first_of_equals() -> None:
    assert share(5, [1] * 7) == [1, 1, 1, 1, 1, 0, 0]
    assert share(-5, [1] * 7) == [-1, -1, -1, -1, -1, 0, 0]


def test_the_part_cut_most_gets_the_cent() -> None:
    assert share(100, [1, 2, 4]) == [14, 29, 57]
    assert share(10, [6, 3, 2]) == [5, 3, 2]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1], [-1]])
def test_weights_that_share_nothing_out_are_a_mistake(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        share(100, weights)


@pytest.mark.parametrize(
    ("micros", "quantity", "amount"),
    [(15_000, 1, 2), (14_999, 1, 1), (333_333, 3, 100), (15_000, -1, -2), (5_000, 1, 1), (0, 9, 0)],
)
def test_unit_cost_times_quantity_is_rounded_once(micros: int, quantity: int, amount: int) -> None:
    assert extended_cents(micros, quantity) == amount


@given(cents, st.integers(min_value=-(10**6), max_value=10**6))
def test_whole_cents_extend_exactly(amount: int, quantity: int) -> None:
    assert extended_cents(amount * MICROS_PER_CENT, quantity) == amount * quantity


def test_the_default_currency_is_the_us_dollar() -> None:
    assert CURRENCY == "USD"
