"""Coverages: recorded, replaced, ended; one of a rank at a time; sealed; every look is audited."""

import pytest

from praxis.contracts.scheduling import PatientMergedV1, PatientRegisteredV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import COVERAGE, PAYER, SUBSCRIBER, ready_desk, unset_desk


def living_at(**changes):
    """Return the field of a coverage whose subscriber lives somewhere else."""
    return {"subscriber": {**SUBSCRIBER, "address": {**SUBSCRIBER["address"], **changes}}}


@pytest.mark.parametrize("written", ["10001", "100019998", "10001-9998"])
async def test_a_postal_code_is_written_in_three_ways_and_kept_without_its_hyphen(billing: Harness, written):
    desk = await unset_desk(billing)
    body = {**COVERAGE, "patient_id": new_id(), "payer_id": desk.payer_id, **living_at(postal_code=written)}
    reply = await desk.practice.post("/v1/coverages", body)
    assert (reply.status_code, reply.json()["subscriber"]["address"]["postal_code"]) == (201, written.replace("-", ""))


async def test_someone_born_today_is_insured_and_a_change_is_checked_like_an_entry(billing: Harness):
    desk = await unset_desk(billing)
    body = {**COVERAGE, "payer_id": desk.payer_id, "subscriber": {**SUBSCRIBER, "birth_on": "2027-02-01"}}
    entered = await desk.practice.post("/v1/coverages", {**body, "patient_id": new_id()})
    assert entered.status_code == 201
    wrong = {**body, "subscriber": {**SUBSCRIBER, "birth_on": "2027-02-02"}}
    reply = await desk.practice.put(f"/v1/coverages/{entered.json()['id']}", wrong, revision=1)
    [error] = reply.json()["errors"]
    assert (reply.status_code, error["pointer"], error["rule"]) == (422, "/subscriber/birth_on", "possible-birth")
    assert "1890-01-01 to today" in error["message"]


async def test_a_coverage_of_a_patient_not_heard_of_yet_is_recorded_and_read_back(billing: Harness):
    desk = await unset_desk(billing)
    body = {**COVERAGE, "patient_id": new_id(), "payer_id": desk.payer_id}
    reply = await desk.practice.post("/v1/coverages", body, role="receptionist")
    assert (reply.status_code, reply.headers["etag"]) == (201, '"1"')
    read = (await desk.practice.get(f"/v1/coverages/{reply.json()['id']}", role="receptionist")).json()
    assert read == reply.json()
    assert (read["member_id"], read["subscriber"]["family_name"]) == ("MEM4711X", "Testperson")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "coverage-known"),
        ({"member_id": " mem4711x "}, "coverage-known"),
        ({"member_id": "OTHER1"}, "coverages-overlap"),
        ({"member_id": "OTHER1", "valid_from": "2025-01-01", "valid_until": "2026-01-01"}, "coverages-overlap"),
    ],
)
async def test_a_second_coverage_of_the_same_rank_or_membership_is_refused(billing: Harness, change, code):
    desk = await unset_desk(billing)
    body = {**COVERAGE, "patient_id": desk.patient_id, "payer_id": desk.payer_id, **change}
    reply = await desk.practice.post("/v1/coverages", body)
    assert (reply.status_code, reply.json()["code"]) == (409, code)
    assert len(await desk.practice.sql("select * from coverages")) == 1


async def test_another_rank_or_other_days_are_accepted(billing: Harness):
    desk = await unset_desk(billing)
    for change in (
        {"member_id": "B1", "rank": "secondary"},
        {"member_id": "C1", "valid_from": "2025-01-01", "valid_until": "2025-12-31"},
    ):
        body = {**COVERAGE, "patient_id": desk.patient_id, "payer_id": desk.payer_id, **change}
        assert (await desk.practice.post("/v1/coverages", body)).status_code == 201


async def test_ending_one_coverage_makes_room_for_the_next(billing: Harness):
    desk = await unset_desk(billing)
    [old] = (await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"]
    path = f"/v1/coverages/{old['id']}/end"
    early = await desk.practice.post(path, {"ended_on": "2025-12-31"})
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/ended_on")
    ended = await desk.practice.post(path, {"ended_on": "2026-12-31"})
    assert (ended.json()["revision"], ended.json()["valid_until"]) == (2, "2026-12-31")
    following = {
        **COVERAGE,
        "patient_id": desk.patient_id,
        "payer_id": desk.payer_id,
        "member_id": "NEW1",
        "valid_from": "2027-01-01",
    }
    assert (await desk.practice.post("/v1/coverages", following)).status_code == 201


async def test_a_change_needs_the_newest_revision_and_keeps_the_patient(billing: Harness):
    desk = await unset_desk(billing)
    [item] = (await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"]
    path = f"/v1/coverages/{item['id']}"
    body = {**COVERAGE, "payer_id": desk.payer_id, "member_id": "NEWID1"}
    assert (await desk.practice.put(path, body)).status_code == 428
    changed = await desk.practice.put(path, body, revision=1)
    assert (changed.json()["revision"], changed.json()["member_id"]) == (2, "NEWID1")
    assert changed.json()["patient_id"] == str(desk.patient_id)
    assert (await desk.practice.put(path, body, revision=1)).status_code == 412


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"relationship": "child"}, ""),
        ({"patient": SUBSCRIBER}, ""),
        ({"valid_until": "2025-01-01"}, ""),
        ({"payer_id": "0190b0c0-0000-7000-8000-000000000000"}, "/payer_id"),
        ({"member_id": "?"}, "/member_id"),
        ({"member_id": "- -"}, "/member_id"),
        ({"subscriber": {**SUBSCRIBER, "birth_on": "2027-02-02"}}, "/subscriber/birth_on"),
        ({"subscriber": {**SUBSCRIBER, "birth_on": "1889-12-31"}}, "/subscriber/birth_on"),
        (
            {"relationship": "child", "patient": {**SUBSCRIBER, "birth_on": "2030-01-01"}},
            "/patient/birth_on",
        ),
        (living_at(state="XX"), "/subscriber/address/state"),
        (living_at(postal_code="1234"), "/subscriber/address/postal_code"),
        (living_at(postal_code="12345-67"), "/subscriber/address/postal_code"),
        ({"subscriber": {**SUBSCRIBER, "sex": "X"}}, "/subscriber/sex"),
        ({"subscriber": {**SUBSCRIBER, "ssn": "1"}}, "/subscriber/ssn"),
    ],
)
async def test_a_coverage_that_can_never_be_right_is_refused_by_field(billing: Harness, change, pointer):
    desk = await unset_desk(billing)
    body = {**COVERAGE, "patient_id": new_id(), "payer_id": desk.payer_id, **change}
    reply = await desk.practice.post("/v1/coverages", body)
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]


async def test_a_list_names_nobody_and_every_look_is_audited(billing: Harness):
    desk = await unset_desk(billing)
    listed = await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}", role="receptionist")
    assert "Testperson" not in listed.text
    assert "MEM4711X" not in listed.text
    await desk.practice.get(f"/v1/coverages/{listed.json()['items'][0]['id']}", role="receptionist")
    shown = await desk.practice.sql("select entity_id from audit where action = 'billing.coverages.list'")
    assert listed.json()["items"][0]["id"] in {str(row["entity_id"]) for row in shown}
    rows = await desk.practice.sql(
        "select action, patient_id from audit where actor_id = $1", desk.practice.actor("receptionist").id
    )
    assert {(row["action"], row["patient_id"]) for row in rows} == {
        ("billing.coverages.list", desk.patient_id),
        ("billing.coverages.get", desk.patient_id),
    }


async def test_another_practice_cannot_read_or_end_a_coverage(billing: Harness):
    desk, there = await unset_desk(billing), await billing.practice()
    [item] = (await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"]
    assert (await there.get(f"/v1/coverages/{item['id']}")).status_code == 404
    assert (await there.post(f"/v1/coverages/{item['id']}/end", {"ended_on": "2027-01-01"})).status_code == 404
    assert (await there.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"] == []


async def test_two_practices_may_know_the_same_payer_id(billing: Harness):
    here, there = await billing.practice(), await billing.practice()
    assert (await here.post("/v1/payers", PAYER)).status_code == 201
    assert (await there.post("/v1/payers", PAYER)).status_code == 201


async def test_a_merged_patient_gets_no_new_coverage_and_keeps_the_old_one_under_the_new_id(billing: Harness):
    desk = await ready_desk(billing)
    survivor = new_id()
    await desk.practice.deliver(
        PatientMergedV1(patient_id=desk.patient_id, revision=3, status="merged", merged_into=survivor)
    )
    await desk.practice.deliver(PatientRegisteredV1(patient_id=desk.patient_id, revision=1, status="active"))
    body = {
        **COVERAGE,
        "patient_id": desk.patient_id,
        "payer_id": desk.payer_id,
        "member_id": "B1",
        "rank": "secondary",
    }
    refused = await desk.practice.post("/v1/coverages", body)
    assert (refused.status_code, refused.json()["merged_into"]) == (409, str(survivor))
    signed = await desk.signed(await desk.opened(patient_id=survivor))
    assert signed["self_pay_reason"] is None
