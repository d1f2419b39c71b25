"""The table of permissions and the one function that reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.permissions import CLIENT_ROLES, PERMISSIONS, STAFF_ROLES, allow

ROLES = sorted(STAFF_ROLES | CLIENT_ROLES)


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from(ROLES), st.sampled_from(sorted(PERMISSIONS)))
def test_losing_a_role_never_adds_access(roles: set[str], lost: str, permission: str):
    assert allow(roles, permission).allowed >= allow(roles - {lost}, permission).allowed


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from(sorted(PERMISSIONS)))
def test_a_refusal_names_roles_that_would_do(roles: set[str], permission: str):
    decision = allow(roles, permission)
    assert decision.allowed == bool(roles & set(decision.sufficient_roles))
    assert allow({decision.sufficient_roles[0]}, permission).allowed


def test_nobody_is_allowed_without_a_role():
    assert not any(allow((), permission).allowed for permission in PERMISSIONS)


def test_an_unknown_permission_is_a_defect_and_not_a_refusal():
    with pytest.raises(KeyError):
        allow(ROLES, "billing.everything:write")


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("medical_assistant", "billing.ledger:read"),
        ("lead_medical_assistant", "billing.charge:code"),
        ("receptionist", "scheduling.task:write"),
        ("provider", "gateway.user:write"),
        ("partner_client", "scheduling.patient:read"),
        ("ehr_client", "billing.claim:read"),
    ],
)
def test_what_a_role_must_not_reach(role: str, permission: str):
    assert not allow((role,), permission).allowed


def test_every_permission_names_known_roles_and_is_granted_to_somebody():
    assert all(roles and roles <= STAFF_ROLES | CLIENT_ROLES for roles in PERMISSIONS.values())
