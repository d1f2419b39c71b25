"""The states of charge sheets and claims are tables; every step outside them is refused with what is allowed."""

from itertools import product

import pytest

from praxis.kit.problems import TransitionRefused
from services.billing.charges import domain as sheets
from services.billing.claims import domain as claims

SHEET_STATES = ("open", "coded", "signed", "reopened")
CLAIM_STATES = ("draft", "edit-hold", "ready", "voided")


@pytest.mark.parametrize(
    ("state", "step", "following"),
    [
        ("open", "code", "coded"),
        ("coded", "sign", "signed"),
        ("signed", "amend", "reopened"),
        ("reopened", "code", "coded"),
        ("coded", "amend", "reopened"),
        ("open", "amend", "open"),
    ],
)
def test_a_sheet_moves_as_the_table_says(state, step, following):
    assert sheets.next_state(state, step, 1) == following


@pytest.mark.parametrize(
    ("state", "step"), [p for p in product(SHEET_STATES, ("code", "sign", "amend")) if p not in sheets.TRANSITIONS]
)
def test_a_sheet_refuses_every_other_step_and_names_what_is_allowed(state, step):
    with pytest.raises(TransitionRefused) as refusal:
        sheets.next_state(state, step, 4)
    allowed = sorted(other for at, other in sheets.TRANSITIONS if at == state)
    assert refusal.value.facts == {"state": state, "allowed": allowed, "current_revision": 4}


def test_only_a_coded_sheet_can_be_signed_and_a_signed_one_never_coded():
    assert [state for state, step in sheets.TRANSITIONS if step == "sign"] == ["coded"]
    assert ("signed", "code") not in sheets.TRANSITIONS


def test_every_sheet_can_be_amended():
    assert {state for state, step in sheets.TRANSITIONS if step == "amend"} == set(SHEET_STATES)


@pytest.mark.parametrize(
    ("state", "step"), [p for p in product(CLAIM_STATES, ("hold", "ready", "void")) if p not in claims.TRANSITIONS]
)
def test_a_claim_refuses_every_other_step(state, step):
    with pytest.raises(TransitionRefused) as refusal:
        claims.next_state(state, step, 4)
    assert refusal.value.facts["state"] == state


def test_a_voided_claim_stays_voided_and_every_kept_claim_can_be_voided():
    assert all(state != "voided" for state, _ in claims.TRANSITIONS)
    assert {state for state, step in claims.TRANSITIONS if step == "void"} == {"edit-hold", "ready"}
