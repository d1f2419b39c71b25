"""Entries balance, reverse exactly, and are chained so that no change stays unseen."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.ledger.domain import GENESIS, Cause, Side, balanced_total, charged, entry_hash

CAUSE = Cause("charge-sheet", UUID(int=7), "signed-1")
DAY = date(2027, 2, 1)
SIDES = charged("1100", 18360)


def hashed(previous=GENESIS, number=1, day=DAY, cause=CAUSE, currency="USD", sides=SIDES) -> bytes:
    return entry_hash(previous, number, day, cause, currency, sides)


def test_a_charge_debits_the_receivable_and_credits_gross_charges():
    assert (Side("1100", debit_cents=18360), Side("4000", credit_cents=18360)) == SIDES
    assert balanced_total(SIDES) == 18360


@pytest.mark.parametrize(
    "sides",
    [
        [],
        [Side("1100", 5)],
        [Side("1100", 5), Side("4000", credit_cents=4)],
        [Side("1100", 5, 5), Side("4000", 5, 5)],
        [Side("1100", 5), Side("4000", credit_cents=5), Side("4930")],
        [Side("1100", -5), Side("4000", credit_cents=-5)],
    ],
)
def test_what_does_not_balance_is_a_defect(sides):
    with pytest.raises(ValueError, match="debits equal its credits"):
        balanced_total(sides)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_an_entry_and_its_reversal_cancel_on_every_account(parts):
    sides = [Side("1100", debit_cents=sum(parts)), *(Side("4000", credit_cents=part) for part in parts)]
    undone = [side.reversed() for side in sides]
    assert balanced_total(undone) == balanced_total(sides)
    net = [side.debit_cents - side.credit_cents for side in (*sides, *undone)]
    assert sum(net) == 0
    assert sum(side.debit_cents - side.credit_cents for side in (*sides, *undone) if side.account == "1100") == 0
    assert [side.reversed() for side in undone] == sides


@pytest.mark.parametrize(
    "change",
    [
        {"previous": bytes(31) + b"\1"},
        {"number": 2},
        {"day": date(2027, 2, 2)},
        {"cause": replace(CAUSE, purpose="signed-2")},
        {"cause": replace(CAUSE, source_id=UUID(int=8))},
        {"cause": replace(CAUSE, source_type="payment")},
        {"currency": "CAD"},
        {"sides": charged("1100", 18361)},
        {"sides": charged("1110", 18360)},
        {"sides": tuple(reversed(SIDES))},
    ],
)
def test_every_fact_of_an_entry_is_in_its_hash(change):
    assert hashed(**change) != hashed()


def test_the_hash_is_the_same_in_every_process():
    assert hashed() == hashed()
    assert hashed().hex() == "c9fc06061032ff977c935729995d268753b9587100613a27064b04cbdcf7189a"
