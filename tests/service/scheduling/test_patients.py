"""Patients: registered once, found by prefix, changed with care, and never named in events."""

import asyncio
import base64
from typing import Any

import pytest

from praxis.contracts.scheduling import PatientChangedV1, PatientRegisteredV1
from praxis.kit.testing import Harness, PracticeUnderTest
from tests.support.scheduling import PATIENT, found

FULL = {
    **PATIENT,
    "phone": "+12125550123",
    "email": "tilda@example.test",
    "address": {"line1": "2 Invented Road", "city": "Exampleville", "state": "NY", "postal_code": "10001"},
}


async def registered(practice: PracticeUnderTest, **changes: object) -> dict[str, Any]:
    return found(await practice.post("/v1/patients", {**PATIENT, **changes}, role="receptionist"), 201)


async def families(practice: PracticeUnderTest, **criteria: str) -> list[str]:
    reply = await practice.post("/v1/patients/search", criteria, role="receptionist")
    return [patient["family_name"] for patient in found(reply)["items"]]


async def test_a_patient_is_registered_with_a_number_and_announced_without_a_name(scheduling: Harness):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/patients", FULL, role="receptionist")
    patient = found(reply, 201)
    assert reply.headers["etag"] == '"1"'
    assert len(patient["mrn"]) == 10
    assert {name: patient[name] for name in FULL} == {**FULL, "address": {**FULL["address"], "line2": None}}
    [event] = await practice.announced(PatientRegisteredV1)
    assert event.model_dump(mode="json") == {
        "revision": 1, "patient_id": patient["id"], "status": "active", "merged_into": None,
    }  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), [
    ({"sex": "f"}, "/sex"),
    ({"birth_on": "2027-02-02"}, "/birth_on"),
    ({"birth_on": "1815-12-10"}, "/birth_on"),
    ({"family_name": "--"}, "/family_name"),
    ({"given_name": "  "}, "/given_name"),
    ({"phone": "212-555-0123"}, "/phone"),
    ({"email": "nobody"}, "/email"),
    ({"mrn": "a b"}, "/mrn"),
    ({"nickname": "Tilly"}, "/nickname"),
])  # fmt: skip
async def test_a_field_that_can_never_be_right_is_named_and_nothing_is_stored(scheduling: Harness, change, pointer):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/patients", {**PATIENT, **change}, role="receptionist")
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await practice.sql("select 1 from patients") == []
    assert await practice.announced(PatientRegisteredV1) == []


async def test_who_is_probably_known_is_named_until_the_caller_knows_better(scheduling: Harness):
    practice = await scheduling.practice()
    first = await registered(practice)
    again = {**PATIENT, "family_name": "TESTPERSÓN", "given_name": "tilda "}
    refused = await practice.post("/v1/patients", again, role="receptionist")
    assert (refused.status_code, refused.json()["code"]) == (409, "patient-probably-known")
    assert refused.json()["known_patient_ids"] == [first["id"]]
    second = await registered(practice, **again, confirm_new=True)
    assert second["id"] != first["id"]
    third = await practice.post("/v1/patients", PATIENT, role="receptionist")
    assert third.json()["known_patient_ids"] == sorted([first["id"], second["id"]])


async def test_two_clerks_registering_one_person_at_once_make_one_record(scheduling: Harness):
    practice = await scheduling.practice()
    replies = await asyncio.gather(*(practice.post("/v1/patients", PATIENT, role="receptionist") for _ in range(8)))
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 7
    assert {reply.json()["code"] for reply in replies if reply.status_code == 409} == {"patient-probably-known"}
    assert len(await practice.announced(PatientRegisteredV1)) == 1


async def test_a_record_number_is_taken_once_per_practice(scheduling: Harness):
    here, there = await scheduling.practice(), await scheduling.practice()
    await registered(here, mrn="M-1")
    reply = await here.post("/v1/patients", {**PATIENT, "given_name": "Bo", "mrn": "m-1"}, role="receptionist")
    assert (reply.status_code, reply.json()["code"]) == (409, "mrn-taken")
    await registered(there, mrn="M-1")


async def test_a_change_needs_the_newest_revision_and_is_announced(scheduling: Harness):
    practice = await scheduling.practice()
    patient = await registered(practice, mrn="M-1")
    path, body = f"/v1/patients/{patient['id']}", {**FULL, "mrn": "M-1", "status": "inactive"}
    assert (await practice.put(path, body, role="receptionist")).status_code == 428
    changed = found(await practice.put(path, body, role="receptionist", revision=1))
    assert (changed["revision"], changed["status"]) == (2, "inactive")
    stale = await practice.put(path, body, role="receptionist", revision=1)
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)
    assert [(event.revision, event.status) for event in await practice.announced(PatientChangedV1)] == [(2, "inactive")]


@pytest.mark.parametrize("left_out", ["phone", "email", "address", "mrn", "status", "sex"])
async def test_a_change_sends_the_whole_record_and_nothing_is_erased_by_leaving_it_out(scheduling: Harness, left_out):
    practice = await scheduling.practice()
    patient = found(await practice.post("/v1/patients", FULL, role="receptionist"), 201)
    body = {**FULL, "mrn": patient["mrn"], "status": "active"}
    less = {name: value for name, value in body.items() if name != left_out}
    path = f"/v1/patients/{patient['id']}"
    reply = await practice.put(path, less, role="receptionist", revision=1)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, f"/{left_out}")
    cleared = found(await practice.put(path, {**body, "phone": None}, role="receptionist", revision=1))
    assert (cleared["phone"], cleared["email"]) == (None, FULL["email"])


async def test_a_telephone_number_is_refused_with_one_that_would_do(scheduling: Harness):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/patients", {**PATIENT, "phone": "212-555-0123"}, role="receptionist")
    [error] = reply.json()["errors"]
    assert (error["pointer"], "+14135550142" in error["message"]) == ("/phone", True)


async def test_a_confirmed_namesake_is_changed_without_confirming_again_but_not_renamed_into_another(
    scheduling: Harness,
):
    practice = await scheduling.practice()
    await registered(practice)
    twin = await registered(practice, confirm_new=True)
    path, body = f"/v1/patients/{twin['id']}", {**FULL, "mrn": twin["mrn"], "status": "active"}
    found(await practice.put(path, {**body, "phone": "+12125550123"}, role="receptionist", revision=1))
    await registered(practice, given_name="Bo")
    renamed = await practice.put(path, {**body, "given_name": "Bo"}, role="receptionist", revision=2)
    assert (renamed.status_code, renamed.json()["code"]) == (409, "patient-probably-known")


async def test_patients_are_found_by_the_beginning_of_the_name_by_birth_date_and_by_number(scheduling: Harness):
    practice = await scheduling.practice()
    for number, (family, born) in enumerate(
        [("Müller", "1980-01-01"), ("Muller-Ost", "1990-01-01"), ("Mumford", "1980-01-01")]
    ):
        await registered(practice, family_name=family, birth_on=born, mrn=f"M-{number}")
    assert await families(practice, family_prefix="MULL") == ["Müller", "Muller-Ost"]
    assert await families(practice, family_prefix="mull", birth_on="1990-01-01") == ["Muller-Ost"]
    assert await families(practice, birth_on="1980-01-01") == ["Müller", "Mumford"]
    assert await families(practice, mrn="m-2") == await families(practice, mrn="M-2") == ["Mumford"]
    assert await families(practice, family_prefix="x") == []


async def test_a_search_for_nobody_in_particular_is_refused(scheduling: Harness):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/patients/search", {"limit": 5}, role="receptionist")
    assert (reply.status_code, reply.json()["code"]) == (422, "search-too-wide")
    assert (await practice.get("/v1/patients?family_prefix=test", role="receptionist")).status_code == 405
    assert (await practice.post("/v1/patients/search", {"mrn": "M-1"}, role="partner_client")).status_code == 403


async def test_pages_follow_each_other_and_their_cursor_names_nobody(scheduling: Harness):
    practice = await scheduling.practice()
    for given in "DBCA":
        await registered(practice, given_name=given)
    seen, body = [], {"family_prefix": "test", "limit": 2}
    for _ in range(2):
        page = found(await practice.post("/v1/patients/search", body, role="receptionist"))
        seen += [patient["given_name"] for patient in page["items"]]
        body["cursor"] = page["next"]
        assert b"est" not in base64.urlsafe_b64decode((page["next"] or "") + "==")
    assert seen == ["A", "B", "C", "D"]
    assert page["next"] is None


async def test_whoever_sees_a_patient_is_written_down(scheduling: Harness):
    practice = await scheduling.practice()
    patient = await registered(practice)
    await practice.get(f"/v1/patients/{patient['id']}", role="biller")
    await practice.post("/v1/patients/search", {"family_prefix": "test"}, role="provider")
    trail = await practice.sql(
        "select action, patient_id from audit where actor_roles <> '{receptionist}' order by audit_id"
    )
    assert [(row["action"], str(row["patient_id"])) for row in trail] == [
        ("scheduling.patients.get", patient["id"]),
        ("scheduling.patients.search", patient["id"]),
    ]


async def test_a_replayed_registration_answers_the_same_and_registers_nobody(scheduling: Harness):
    practice = await scheduling.practice()
    first, again = [
        await practice.post("/v1/patients", PATIENT, role="receptionist", key="key-00000001") for _ in range(2)
    ]
    assert (again.status_code, again.content, again.headers["idempotent-replayed"]) == (201, first.content, "true")
    assert len(await practice.sql("select 1 from patients")) == 1
    other = await practice.post("/v1/patients", FULL, role="receptionist", key="key-00000001")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("biller", 403), ("partner_client", 403)])
async def test_only_those_who_register_do(scheduling: Harness, role, status):
    practice = await scheduling.practice()
    assert (await practice.post("/v1/patients", PATIENT, role=role)).status_code == status
