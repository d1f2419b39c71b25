"""Small rules of coverages and payers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.npi import is_npi
from praxis.kit.problems import Invalid
from services.billing.claims.domain import RELATIONSHIP_CODES
from services.billing.claims.engine.scrub.codes import RELATIONSHIPS
from services.billing.claims.engine.scrub.codes import STATES as CLAIM_STATES
from services.billing.coverage.domain import require_births, require_end
from services.billing.payers.domain import STATES, full_postal_code, require_npi, require_single_fees, spelled_state


def test_a_coverage_may_end_on_its_first_day_and_not_before():
    require_end(date(2027, 1, 2), date(2027, 1, 2))
    with pytest.raises(Invalid) as refusal:
        require_end(date(2027, 1, 2), date(2027, 1, 1))
    assert refusal.value.errors[0].pointer == "/ended_on"


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("1234567893", True),
        ("1245319599", True),
        ("1234567890", False),
        ("123456789", False),
        ("\u0661234567893", False),
    ],
)
def test_an_npi_is_ten_digits_with_a_check_digit(text, sound):
    assert is_npi(text) is sound


@given(st.integers(100_000_000, 299_999_999), st.integers(0, 8), st.integers(1, 9))
def test_exactly_one_check_digit_fits_and_a_changed_digit_is_noticed(body, place, step):
    [npi] = [text for text in (f"{body}{digit}" for digit in range(10)) if is_npi(text)]
    changed = npi[:place] + str((int(npi[place]) + step) % 10) + npi[place + 1 :]
    assert not is_npi(changed)


def test_a_wrong_npi_is_refused_at_its_field():
    with pytest.raises(Invalid) as refusal:
        require_npi("1234567890", "/npi")
    assert (refusal.value.errors[0].pointer, refusal.value.errors[0].rule) == ("/npi", "npi-check-digit")


def test_a_code_is_priced_once_for_each_modifier():
    require_single_fees([("G0402", None), ("G0402", "25"), ("G0439", None)])
    with pytest.raises(Invalid) as refusal:
        require_single_fees([("G0402", None), ("G0402", "25"), ("G0402", None), ("G0402", "25")])
    assert [error.pointer for error in refusal.value.errors] == ["/items/2", "/items/3"]


def test_every_relationship_but_self_has_a_code_that_the_claim_rules_know():
    assert {code for name, code in RELATIONSHIP_CODES.items() if name != "self"} <= RELATIONSHIPS


def test_a_birth_lies_between_1890_and_today_and_each_wrong_one_is_named():
    today = date(2027, 2, 1)
    require_births({"/subscriber/birth_on": date(1890, 1, 1), "/patient/birth_on": today}, today)
    with pytest.raises(Invalid) as refusal:
        require_births({"/subscriber/birth_on": date(1889, 12, 31), "/patient/birth_on": date(2027, 2, 2)}, today)
    assert [error.pointer for error in refusal.value.errors] == ["/subscriber/birth_on", "/patient/birth_on"]


def test_the_states_that_may_be_entered_are_those_that_the_claim_rules_know():
    assert set(STATES.split("|")) == CLAIM_STATES
    assert spelled_state("NY") == "NY"
    for text in ("XX", "ny", "NYC", "NY|OH"):
        with pytest.raises(ValueError, match="such as NY"):
            spelled_state(text)


def test_a_billing_provider_writes_all_nine_digits_with_or_without_hyphen():
    assert {full_postal_code("10001-9998"), full_postal_code("100019998")} == {"100019998"}
    with pytest.raises(ValueError, match="nine digits"):
        full_postal_code("10001")
