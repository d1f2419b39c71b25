"""GTIN check digits and traceability."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.problems import Invalid
from services.inventory.catalog.domain import gtin_14, is_gtin, require_traceable


@pytest.mark.parametrize("text", ["09506000134352", "614141000036", "4006381333931", "96385074", "00312345678906"])
def test_a_gtin_of_each_length_is_known_by_its_check_digit(text):
    assert is_gtin(text)
    assert gtin_14(text) == text.zfill(14)


@pytest.mark.parametrize("text", ["09506000134353", "", "9506000", "950600013435", "0950600013435a", "०९५०६०००१३४३५२"])
def test_anything_else_is_no_gtin(text):
    assert not is_gtin(text)


@given(st.integers(0, 10**13 - 1), st.integers(0, 9))
def test_exactly_one_check_digit_fits(digits, digit):
    fitting = [last for last in range(10) if is_gtin(f"{digits:013}{last}")]
    assert len(fitting) == 1
    assert is_gtin(f"{digits:013}{digit}") == (digit == fitting[0])


@given(st.integers(0, 10**13 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_misread_digit_is_always_noticed(digits, place, change):
    body = f"{digits:013}"
    good = next(f"{body}{last}" for last in range(10) if is_gtin(f"{body}{last}"))
    misread = good[:place] + str((int(good[place]) + change) % 10) + good[place + 1 :]
    assert not is_gtin(misread)


def test_a_wrong_gtin_is_refused_by_field_and_none_is_none():
    with pytest.raises(Invalid) as refused:
        gtin_14("09506000134353")
    assert [error.pointer for error in refused.value.errors] == ["/gtin"]
    assert gtin_14(None) is None


@pytest.mark.parametrize("kind", ["drug", "vaccine"])
def test_what_can_be_recalled_is_tracked_by_lot(kind):
    require_traceable(kind, "lot")
    require_traceable("supply", "none")
    with pytest.raises(Invalid):
        require_traceable(kind, "none")
