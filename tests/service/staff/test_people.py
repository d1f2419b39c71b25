"""Staff members: registered, changed, deactivated, and what is refused."""

from datetime import date

import pytest

from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1, StaffMemberRegisteredV1
from praxis.kit.testing import Harness

NURSE = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}
DOCTOR = {
    "role": "provider",
    "family_name": "Sample",
    "given_name": "Ada",
    "npi": "1234567893",
    "taxonomy_code": "207Q00000X",
    "hired_on": "2025-03-01",
}


async def test_a_provider_is_registered_and_announced_with_npi_and_public_name(staff: Harness):
    practice = await staff.practice()
    reply = await practice.post("/v1/staff-members", DOCTOR)
    assert reply.status_code == 201, reply.text
    assert reply.headers["etag"] == '"1"'
    [event] = await practice.announced(StaffMemberRegisteredV1)
    assert (event.public_name, event.npi, event.hired_on) == ("Ada Sample", "1234567893", date(2025, 3, 1))
    assert str(event.staff_member_id) == reply.json()["id"]


async def test_the_event_of_an_assistant_carries_no_name(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", NURSE)
    [row] = await practice.sql("select envelope from outbox where subject = $1", StaffMemberRegisteredV1.TYPE)
    assert "Maya" not in row["envelope"]
    assert "Example" not in row["envelope"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"npi": "1234567890"}, "/npi"),
        ({"npi": None}, "/npi"),
        ({"taxonomy_code": None}, "/taxonomy_code"),
        ({"role": "astronaut"}, "/role"),
        ({"hired_on": "yesterday"}, "/hired_on"),
        ({"salary": 1}, "/salary"),
    ],
)
async def test_a_field_that_can_never_be_right_is_named_and_nothing_is_stored(staff: Harness, change, pointer):
    practice = await staff.practice()
    reply = await practice.post("/v1/staff-members", {**DOCTOR, **change})
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await practice.sql("select * from staff_members") == []
    assert await practice.announced(StaffMemberRegisteredV1) == []


async def test_a_second_person_with_the_same_npi_is_refused(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", DOCTOR)
    reply = await practice.post("/v1/staff-members", {**DOCTOR, "given_name": "Bea"})
    assert (reply.status_code, reply.json()["code"]) == (409, "npi-taken")


async def test_a_change_needs_the_newest_revision(staff: Harness):
    practice = await staff.practice()
    member = (await practice.post("/v1/staff-members", NURSE)).json()
    path = f"/v1/staff-members/{member['id']}"
    body = {**{k: v for k, v in NURSE.items() if k != "hired_on"}, "role": "lead_medical_assistant"}
    assert (await practice.put(path, body)).status_code == 428
    changed = await practice.put(path, body, revision=1)
    assert (changed.status_code, changed.json()["revision"], changed.headers["etag"]) == (200, 2, '"2"')
    stale = await practice.put(path, body, revision=1)
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)
    assert [event.revision for event in await practice.announced(StaffMemberChangedV1)] == [2]


async def test_who_has_left_is_announced_and_cannot_be_changed(staff: Harness):
    practice = await staff.practice()
    member = (await practice.post("/v1/staff-members", NURSE)).json()
    path = f"/v1/staff-members/{member['id']}/deactivate"
    assert (await practice.post(path, {"ended_on": "2027-01-31"})).status_code == 200
    assert (await practice.post(path, {"ended_on": "2027-01-31"})).json()["code"] == "staff-member-inactive"
    assert len(await practice.announced(StaffMemberDeactivatedV1)) == 1


async def test_another_practice_sees_nothing(staff: Harness):
    here, there = await staff.practice(), await staff.practice()
    member = (await here.post("/v1/staff-members", NURSE)).json()
    foreign = await there.get(f"/v1/staff-members/{member['id']}")
    unknown = await there.get("/v1/staff-members/00000000-0000-7000-8000-00000000dead")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() | {"trace_id": ""} == unknown.json() | {"trace_id": ""}
    assert (await there.get("/v1/staff-members")).json()["items"] == []


async def test_pages_follow_each_other_without_gap_or_repeat(staff: Harness):
    practice = await staff.practice()
    for letter in "FCADBE":
        await practice.post("/v1/staff-members", {**NURSE, "family_name": f"{letter}xample"})
    path, seen = "/v1/staff-members?limit=4", []
    first = await practice.get(path)
    seen += [item["family_name"] for item in first.json()["items"]]
    assert 'rel="next"' in first.headers["link"]
    second = await practice.get(f"{path}&cursor={first.json()['next']}")
    seen += [item["family_name"] for item in second.json()["items"]]
    assert seen == [f"{letter}xample" for letter in "ABCDEF"]
    assert second.json()["next"] is None
    assert (await practice.get(f"{path}&cursor=forged")).json()["code"] == "bad-cursor"


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("receptionist", 403), ("ehr_client", 403)])
async def test_only_the_manager_registers(staff: Harness, role, status):
    practice = await staff.practice()
    assert (await practice.post("/v1/staff-members", NURSE, role=role)).status_code == status
    assert await practice.sql("select * from staff_members") == []


async def test_nobody_leaves_before_being_hired(staff: Harness):
    practice = await staff.practice()
    member = (await practice.post("/v1/staff-members", NURSE)).json()
    reply = await practice.post(f"/v1/staff-members/{member['id']}/deactivate", {"ended_on": "1900-01-01"})
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/ended_on")


async def test_a_page_of_long_names_leads_to_the_next_and_its_cursor_names_nobody(staff: Harness):
    practice = await staff.practice()
    for name in ("\N{LATIN SMALL LETTER E WITH ACUTE}" * 60, "z" * 60):
        await practice.post("/v1/staff-members", {**NURSE, "family_name": name})
    first = (await practice.get("/v1/staff-members?limit=1")).json()
    second = await practice.get(f"/v1/staff-members?limit=1&cursor={first['next']}")
    assert len(second.json()["items"]) == 1
    assert len(first["next"]) < 120
