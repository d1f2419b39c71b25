"""Credentials: recorded, verified by somebody else, renewed, revoked; numbers sealed."""

from typing import Any

import pytest

from praxis.contracts.staff import CredentialChangedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness, PracticeUnderTest

PERSON = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}
CERTIFICATE = {
    "kind": "cma",
    "issuer": "Board",
    "number": "CMA-77123",
    "valid_from": "2025-01-01",
    "valid_until": "2027-12-31",
}
LEAD = "lead_medical_assistant"


async def holder(practice: PracticeUnderTest) -> str:
    return (await practice.post("/v1/staff-members", PERSON)).json()["id"]


async def recorded(practice: PracticeUnderTest, **changes: Any) -> dict[str, Any]:
    body = {**CERTIFICATE, "staff_member_id": await holder(practice), **changes}
    reply = await practice.post("/v1/credentials", body, role=LEAD)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def test_a_credential_is_recorded_verified_and_revoked_and_each_step_announced(staff: Harness):
    practice = await staff.practice()
    found = await recorded(practice)
    path = f"/v1/credentials/{found['id']}"
    verified = (await practice.post(f"{path}/verify", role=LEAD)).json()
    assert (verified["status"], verified["verified_by"]) == ("verified", str(practice.actor(LEAD).id))
    assert (await practice.post(f"{path}/revoke", role=LEAD)).json()["status"] == "revoked"
    again = await practice.post(f"{path}/verify", role=LEAD)
    assert (again.status_code, again.json()["code"]) == (409, "transition-refused")
    events = await practice.announced(CredentialChangedV1)
    assert [(event.revision, event.status) for event in events] == [(1, "unverified"), (2, "verified"), (3, "revoked")]


async def test_the_number_is_sealed_and_never_announced(staff: Harness):
    practice = await staff.practice()
    found = await recorded(practice)
    assert (await practice.get(f"/v1/credentials/{found['id']}", role=LEAD)).json()["number"] == "CMA-77123"
    [row] = await practice.sql("select number_sealed, number_index from credentials")
    assert b"77123" not in bytes(row["number_sealed"]) + bytes(row["number_index"])
    [event] = await practice.sql("select envelope from outbox where subject = $1", CredentialChangedV1.TYPE)
    assert "77123" not in event["envelope"]


async def test_a_renewal_keeps_its_number_and_the_same_period_twice_is_refused(staff: Harness):
    practice = await staff.practice()
    person = await holder(practice)
    await recorded(practice, staff_member_id=person)
    renewal = {"staff_member_id": person, "valid_from": "2028-01-01", "valid_until": "2030-12-31"}
    await recorded(practice, **renewal)
    twice = await practice.post("/v1/credentials", {**CERTIFICATE, **renewal, "number": "cma-77123 "}, role=LEAD)
    assert (twice.status_code, twice.json()["code"]) == (409, "credential-known")


async def test_nobody_verifies_their_own_credential(staff: Harness):
    practice = await staff.practice()
    person = practice.actor(LEAD).id
    await practice.sql(
        "insert into staff_members (id, revision, role, status, family_name, given_name, hired_on, changed_at) "
        "values ($1, 1, 'lead_medical_assistant', 'active', 'A', 'B', '2026-01-01', '2026-01-01')",
        person,
    )
    own = await recorded(practice, staff_member_id=str(person))
    reply = await practice.post(f"/v1/credentials/{own['id']}/verify", role=LEAD)
    assert (reply.status_code, reply.json()["code"]) == (403, "own-credential")
    refusals = await practice.sql("select action from audit where outcome = 'refused'")
    assert [row["action"] for row in refusals] == ["staff.credentials.verify"]
    other = await practice.post(f"/v1/credentials/{own['id']}/verify")
    assert other.json()["status"] == "verified"


async def test_what_has_expired_is_not_verified_and_its_last_day_still_counts(staff: Harness):
    practice = await staff.practice()
    person = await holder(practice)
    expired = await recorded(practice, staff_member_id=person, number="1", valid_until="2027-01-31")
    today = await recorded(practice, staff_member_id=person, number="2", valid_until="2027-02-01")
    reply = await practice.post(f"/v1/credentials/{expired['id']}/verify", role=LEAD)
    assert (reply.status_code, reply.json()["code"]) == (409, "credential-expired")
    assert (await practice.post(f"/v1/credentials/{today['id']}/verify", role=LEAD)).status_code == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"staff_member_id": str(new_id())}, "/staff_member_id"),
        ({"valid_until": "2024-12-31"}, ""),
        ({"kind": "Not A Code"}, "/kind"),
        ({"number": " "}, "/number"),
    ],
)
async def test_a_field_that_can_never_be_right_is_named(staff: Harness, change: dict[str, str], pointer: str):
    practice = await staff.practice()
    body = {**CERTIFICATE, "staff_member_id": await holder(practice), **change}
    reply = await practice.post("/v1/credentials", body, role=LEAD)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await practice.sql("select * from credentials") == []


async def test_a_list_that_shows_numbers_is_audited_credential_by_credential(staff: Harness):
    practice = await staff.practice()
    found = await recorded(practice)
    await practice.get("/v1/credentials", role=LEAD)
    rows = await practice.sql("select entity_id from audit where action = 'staff.credentials.list'")
    assert [str(row["entity_id"]) for row in rows] == [found["id"]]
