"""Visits that end without being completed, and the one visit that a patient is in at a time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from praxis.contracts.scheduling import AppointmentCancelledV1, VisitCheckedInV1, VisitCompletedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.scheduling import SOON, found, new_clinic

HELD = "select count(*) as held from occupancies where appointment_id = $1"


@pytest.mark.parametrize("reason", ["wrong-patient", "entered-in-error", "duplicate"])
async def test_a_check_in_made_by_mistake_is_taken_back_and_the_appointment_is_booked_as_before(
    scheduling: Harness, reason
):
    clinic = await new_clinic(scheduling)
    visit = await clinic.checked_in()
    at = f"/v1/appointments/{visit['appointment_id']}"
    found(await clinic.act(f"/v1/visits/{visit['id']}/room", {"room_id": clinic.room_id}))
    ended = found(await clinic.act(f"/v1/visits/{visit['id']}/end", {"reason": reason}, role="receptionist"))
    assert (ended["stage"], ended["end_reason"], ended["ended_at"]) == ("ended", reason, "2027-02-01T14:00:00Z")
    assert [(task["status"], task["waiver_reason"]) for task in ended["tasks"]] == [("cancelled", "visit-ended")]
    assert (ended["flow"][-1]["step"], ended["flow"][-1]["reason"], ended["performed"]) == ("ended", reason, [])
    appointment = found(await clinic.practice.get(at))
    assert (appointment["status"], appointment["visit_id"]) == ("booked", None)
    [row] = await clinic.practice.sql(HELD, UUID(appointment["id"]))
    assert row["held"] == 3
    again = found(await clinic.act(f"{at}/check-in"), 201)
    found(await clinic.act(f"/v1/visits/{again['id']}/room", {"room_id": clinic.room_id}))
    assert await clinic.practice.announced(VisitCompletedV1) == []


async def test_an_appointment_given_back_late_can_be_missed(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.checked_in()
    scheduling.clock.advance(hours=2)
    found(await clinic.act(f"/v1/visits/{visit['id']}/end", {"reason": "wrong-patient"}))
    missed = found(await clinic.act(f"/v1/appointments/{visit['appointment_id']}/miss"))
    assert missed["status"] == "noshow"


async def test_who_left_without_being_seen_frees_room_and_time(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.checked_in()
    found(await clinic.act(f"/v1/visits/{visit['id']}/room", {"room_id": clinic.room_id}))
    found(await clinic.act(f"/v1/visits/{visit['id']}/end", {"reason": "left-without-being-seen"}))
    shown = found(await clinic.practice.get(f"/v1/appointments/{visit['appointment_id']}"))
    assert (shown["status"], shown["cancellation_reason"]) == ("cancelled", "pat")
    [event] = await clinic.practice.announced(AppointmentCancelledV1)
    assert str(event.appointment_id) == visit["appointment_id"]
    assert await clinic.practice.announced(VisitCompletedV1) == []
    await clinic.booked(SOON)
    floor = found(await clinic.practice.get(f"/v1/visits?location_id={clinic.location_id}"))
    assert floor["items"] == []


async def test_what_is_over_is_not_ended_and_what_has_ended_goes_nowhere(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    refused = await clinic.act(f"/v1/visits/{done['id']}/end", {"reason": "duplicate"})
    assert (refused.status_code, refused.json()["code"]) == (409, "transition-refused")
    visit = await clinic.walked_in()
    at = f"/v1/visits/{visit['id']}"
    assert (await clinic.act(f"{at}/end", {"reason": "bored"})).status_code == 422
    stale = await clinic.act(f"{at}/end", {"reason": "duplicate"}, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    ended = found(await clinic.act(f"{at}/end", {"reason": "duplicate"}))
    steps = {"begin": {}, "complete": {}, "room": {"room_id": clinic.room_id}, "end": {"reason": "duplicate"}}
    for step, body in steps.items():
        assert (await clinic.act(f"{at}/{step}", body)).json()["code"] == "transition-refused"
    assert (await clinic.act(f"{at}/tasks", {"code": "ekg"})).json()["code"] == "visit-ended"
    assert (await clinic.amend(ended, {"reason": "entered-in-error", "tasks": []})).json()["code"] == "visit-ended"


async def test_a_completed_visit_leaves_no_time_occupied(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    [row] = await clinic.practice.sql(HELD, UUID(done["appointment_id"]))
    assert row["held"] == 0


async def test_a_patient_is_in_one_visit_at_a_time_and_the_refusal_names_it(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    appointment = await clinic.booked(SOON)
    replies = [
        await clinic.act("/v1/visits", clinic.walk_in()),
        await clinic.act("/v1/visits", clinic.walk_in(external_reference="E-1")),
        await clinic.act(f"/v1/appointments/{appointment['id']}/check-in"),
    ]
    for reply in replies:
        assert (reply.status_code, reply.json()["code"], reply.json()["visit_id"]) == (409, "visit-open", visit["id"])
    assert found(await clinic.practice.get(f"/v1/appointments/{appointment['id']}"))["status"] == "booked"
    await clinic.walked_in(arrived_at=SOON - timedelta(days=9))
    found(await clinic.act(f"/v1/visits/{visit['id']}/end", {"reason": "duplicate"}))
    found(await clinic.act(f"/v1/appointments/{appointment['id']}/check-in"), 201)


async def test_of_walk_ins_at_once_one_is_received_and_the_others_learn_which(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    replies = await asyncio.gather(*(clinic.act("/v1/visits", clinic.walk_in()) for _ in range(6)))
    assert sorted(reply.status_code for reply in replies) == [201, *[409] * 5]
    [visit_id] = [reply.json()["id"] for reply in replies if reply.status_code == 201]
    assert {reply.json()["visit_id"] for reply in replies if reply.status_code == 409} == {visit_id}
    assert len(await clinic.practice.announced(VisitCheckedInV1)) == 1


async def test_two_open_visits_of_one_patient_are_impossible(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    await clinic.walked_in()
    await clinic.walked_in(patient_id=await clinic.new_patient("Bo"))
    with pytest.raises(asyncpg.UniqueViolationError) as refusal:
        await clinic.practice.sql("update visits set patient_id = $1", UUID(clinic.patient_id))
    assert refusal.value.constraint_name == "visits_one_open_per_patient"


async def test_a_walk_in_is_received_for_an_active_provider(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    assistant = await clinic.new_practitioner("medical_assistant")
    reply = await clinic.act("/v1/visits", clinic.walk_in(practitioner_id=assistant))
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (409, "/practitioner_id")
    assert "active provider" in reply.json()["errors"][0]["message"]


async def test_the_visits_of_a_patient_are_listed_completed_and_ended_ones_too(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    ids = [(await clinic.completed())["id"]]
    for _ in range(2):
        scheduling.clock.advance(minutes=1)
        visit = await clinic.walked_in()
        ids.append(visit["id"])
        found(await clinic.act(f"/v1/visits/{visit['id']}/end", {"reason": "duplicate"}))
    path = f"/v1/visits?patient_id={clinic.patient_id}&limit=2"
    first = found(await clinic.practice.get(path))
    rest = found(await clinic.practice.get(f"{path}&cursor={first['next']}"))
    assert [visit["id"] for visit in first["items"] + rest["items"]] == ids
    for query in ("", f"?patient_id={new_id()}&location_id={clinic.location_id}"):
        assert (await clinic.practice.get(f"/v1/visits{query}")).json()["errors"][0]["rule"] == "one-of"
