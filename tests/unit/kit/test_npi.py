"""The check digit of an NPI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.npi import check_digit, is_npi

NINE = st.from_regex(r"[0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "right"),
    [("1234567893", True), ("1234567890", False), ("123456789", False), ("\N{ARABIC-INDIC DIGIT ONE}234567893", False)],
)
def test_known_numbers(text: str, right: bool):
    assert is_npi(text) is right


@given(NINE, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_found(nine: str, place: int, step: int):
    wrong = nine[:place] + str((int(nine[place]) + step) % 10) + nine[place + 1 :]
    assert is_npi(nine + str(check_digit(nine)))
    assert not is_npi(wrong + str(check_digit(nine)))
