"""What must never happen, straight at the database; what another practice sees; what leaves the service."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.scheduling import TEN, Clinic, at, found, new_clinic

HOLD = "insert into occupancies (appointment_id, resource_id, kind, starts_at, ends_at) values ($1, $2, $3, $4, $5)"
COPY = """
insert into appointments (id, revision, correlation_id, status, patient_id, visit_type_id, visit_type_code, location_id,
                          practitioner_id, starts_at, ends_at, local_start, time_zone, tzdata_version, channel, changed_at)
select $1, 1, $1, 'booked', patient_id, visit_type_id, visit_type_code, location_id, practitioner_id,
       $2, $3, local_start, time_zone, tzdata_version, channel, changed_at from appointments limit 1
"""


async def bare_appointment(clinic: Clinic) -> UUID:
    """Add an appointment without occupancies, past every command."""
    appointment_id = new_id()
    await clinic.practice.sql(COPY, appointment_id, TEN, at(30))
    return appointment_id


@pytest.mark.parametrize(("kind", "constraint"), [("practitioner", "occupancies_slot"), ("room", "occupancies_slot"),
                                                  ("patient", "occupancies_patient")])  # fmt: skip
@pytest.mark.parametrize(("start", "end"), [(0, 30), (29, 59), (-29, 1), (5, 10), (-60, 60)])
async def test_two_overlapping_occupancies_are_impossible(scheduling: Harness, kind, constraint, start, end):
    clinic = await new_clinic(scheduling)
    await clinic.booked(TEN)
    resource_id = UUID(getattr(clinic, f"{kind}_id"))
    other = await bare_appointment(clinic)
    with pytest.raises(asyncpg.ExclusionViolationError) as refusal:
        await clinic.practice.sql(HOLD, other, resource_id, kind, at(start), at(end))
    assert refusal.value.constraint_name == constraint
    await clinic.practice.sql(HOLD, other, resource_id, kind, at(30), at(60))


@pytest.mark.parametrize(("start", "end"), [(TEN, TEN), (TEN, at(-1)), (TEN, TEN + timedelta(hours=24, seconds=1))])
async def test_an_occupancy_lasts_more_than_nothing_and_no_more_than_a_day(
    scheduling: Harness, start: datetime, end: datetime
):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked(at(600))
    held = (UUID(appointment["id"]), UUID(await clinic.new_room("Room 2")), "room")
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.DataError)):
        await clinic.practice.sql(HOLD, *held, start, end)
    await clinic.practice.sql(HOLD, *held, TEN, TEN + timedelta(hours=24))


@pytest.mark.parametrize("statement", [
    "update occupancies set ends_at = ends_at + interval '1 hour'",
    "delete from appointments",
    "update visit_flow set at = at + interval '1 hour'",
    "delete from visit_flow",
    "delete from performed_tasks",
    "update performed_tasks set quantity = 9",
    "delete from patients",
    "delete from tasks",
    "update task_results set replaced_at = replaced_at",
    "delete from task_results",
])  # fmt: skip
async def test_what_was_recorded_cannot_be_rewritten_by_the_service(scheduling: Harness, statement):
    clinic = await new_clinic(scheduling)
    await clinic.completed()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await clinic.practice.sql(statement)


async def test_two_open_visits_in_one_room_are_impossible(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    for name in ("Bo", "Cy"):
        await clinic.walked_in(patient_id=await clinic.new_patient(name))
    with pytest.raises(asyncpg.UniqueViolationError) as refusal:
        await clinic.practice.sql("update visits set stage = 'roomed', room_id = $1", UUID(clinic.room_id))
    assert refusal.value.constraint_name == "visits_room"


async def test_only_a_cancelled_appointment_has_a_reason(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    await clinic.booked()
    for statement in (
        "update appointments set status = 'cancelled'",
        "update appointments set cancellation_reason = 'pat'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await clinic.practice.sql(statement)


ACTIONS = {
    "/v1/appointments/{appointment}/reschedule": {"starts_at": TEN},
    "/v1/appointments/{appointment}/cancel": {"reason": "pat"},
    "/v1/appointments/{appointment}/arrive": {},
    "/v1/appointments/{appointment}/miss": {},
    "/v1/appointments/{appointment}/check-in": {},
    "/v1/visits/{visit}/room": {"room_id": str(new_id())},
    "/v1/visits/{visit}/begin": {},
    "/v1/visits/{visit}/complete": {},
    "/v1/visits/{visit}/amend": {"reason": "task-omitted", "tasks": []},
    "/v1/visits/{visit}/end": {"reason": "duplicate"},
    "/v1/visits/{visit}/tasks": {"code": "ekg"},
    "/v1/tasks/{task}/start": {},
    "/v1/tasks/{task}/complete": {},
    "/v1/tasks/{task}/correct": {"result": {"weight_grams": 70_000}},
    "/v1/tasks/{task}/waive": {"reason": "not-indicated"},
}
SHOWN = ("patients/{patient}", "appointments/{appointment}", "visits/{visit}", "tasks/{task}", "locations/{location}",
         "rooms/{room}", "visit-types/{visit_type}", "practitioners/{practitioner}")  # fmt: skip


async def everything(clinic: Clinic) -> dict[str, str]:
    visit = await clinic.checked_in()
    ids = {
        name: getattr(clinic, f"{name}_id") for name in ("patient", "location", "room", "visit_type", "practitioner")
    }
    return {**ids, "appointment": visit["appointment_id"], "visit": visit["id"], "task": visit["tasks"][0]["id"]}


async def test_things_of_another_practice_do_not_exist_whatever_is_asked(scheduling: Harness):
    here, there = await new_clinic(scheduling), await new_clinic(scheduling)
    ids = await everything(here)
    nobody = {name: str(new_id()) for name in ids}
    for path, body in ACTIONS.items():
        sent = {"headers": {"if-match": '"1"'}}
        foreign = await there.act(path.format(**ids), body, **sent)
        unknown = await there.act(path.format(**nobody), body, **sent)
        assert foreign.status_code == unknown.status_code == 404, path
        assert foreign.json() | {"trace_id": ""} == unknown.json() | {"trace_id": ""}
    for path in SHOWN:
        found(await here.practice.get(f"/v1/{path.format(**ids)}", role="lead_medical_assistant"))
        foreign = await there.practice.get(f"/v1/{path.format(**ids)}", role="lead_medical_assistant")
        assert foreign.status_code == 404, path
    lists = (
        f"visits?location_id={here.location_id}",
        f"visits?patient_id={here.patient_id}",
        f"appointments?patient_id={here.patient_id}",
        "appointments?on=2027-02-02",
    )
    someone = await there.practice.post("/v1/patients/search", {"family_prefix": "test"})
    assert [one["id"] for one in found(someone)["items"]] == [there.patient_id]
    for path in lists:
        assert found(await there.practice.get(f"/v1/{path}", role="lead_medical_assistant"))["items"] == []


async def test_a_booking_across_practices_names_unknown_things(scheduling: Harness):
    here, there = await new_clinic(scheduling), await new_clinic(scheduling)
    reply = await there.book(patient_id=here.patient_id, room_id=here.room_id)
    assert (reply.status_code, reply.json()["code"]) == (422, "reference-unknown")
    assert {error["pointer"] for error in reply.json()["errors"]} == {"/patient_id", "/room_id"}


async def test_no_name_contact_or_measurement_leaves_in_events_or_logs(
    scheduling: Harness, capsys: pytest.CaptureFixture[str]
):
    clinic = await new_clinic(scheduling)
    contact = {"phone": "+12125550123", "email": "zelda@example.test"}
    body = {"family_name": "Zyxwvut", "given_name": "Zelda", "birth_on": "1911-11-11", "sex": "female", **contact}
    patient = found(await clinic.practice.post("/v1/patients", body, role="receptionist"), 201)
    clinic.patient_id = patient["id"]
    await clinic.practice.post("/v1/patients", body, role="receptionist")
    visit = await clinic.checked_in()
    result = {"weight_grams": 143_957, "height_millimetres": 1873}
    found(await clinic.act(f"/v1/tasks/{visit['tasks'][0]['id']}/complete", {"result": result}))
    found(await clinic.act(f"/v1/visits/{visit['id']}/room", {"room_id": clinic.room_id}))
    found(await clinic.act(f"/v1/visits/{visit['id']}/complete"))
    found(await clinic.practice.post("/v1/patients/search", {"family_prefix": "Zyx"}))
    rows = await clinic.practice.sql("select envelope from outbox")
    written = "".join(row["envelope"] for row in rows) + capsys.readouterr().out
    assert len(rows) >= 5
    for private in ("zyxwvut", "zelda", "1911-11-11", "+12125550123", "example.test"):
        assert private not in written.lower(), private
    # As whole words: the digits of an id or of a time may hold any number.
    words = set(re.split(r"[^0-9A-Za-z.:+-]+", written))
    assert patient["id"] in words
    assert not words & {"143957", "1873", "zyx", "Zyx", patient["mrn"]}
