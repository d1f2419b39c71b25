"""Visits: checked in or walked in, roomed, completed with what was done, and amended."""

from uuid import UUID

import pytest

from praxis.contracts.event import Event
from praxis.contracts.scheduling import PerformedTask, VisitAmendedV1, VisitCheckedInV1, VisitCompletedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.scheduling import LOCATION, SOON, Clinic, found, new_clinic


async def stories(clinic: Clinic, event: type[Event]) -> list[str]:
    rows = await clinic.practice.sql(
        "select correlation_id from outbox where subject = $1 order by position", event.TYPE
    )
    return [str(row["correlation_id"]) for row in rows]


async def test_checking_in_opens_the_visit_of_the_appointment_with_its_required_tasks(scheduling: Harness):
    clinic = await new_clinic(scheduling, required_tasks=["vital-signs", "ekg"])
    appointment = await clinic.booked(SOON)
    reply = await clinic.act(f"/v1/appointments/{appointment['id']}/check-in", role="receptionist")
    visit = found(reply, 201)
    assert reply.headers["etag"] == '"1"'
    assert (visit["stage"], visit["room_id"], visit["appointment_id"]) == ("waiting", None, appointment["id"])
    assert [(task["code"], task["status"], task["required"]) for task in visit["tasks"]] == [
        ("vital-signs", "ready", True),
        ("ekg", "ready", True),
    ]
    shown = found(await clinic.practice.get(f"/v1/appointments/{appointment['id']}"))
    assert (shown["status"], shown["revision"]) == ("checked-in", 2)
    [event] = await clinic.practice.announced(VisitCheckedInV1)
    assert (str(event.visit_id), str(event.appointment_id), event.revision) == (visit["id"], appointment["id"], 1)
    assert await stories(clinic, VisitCheckedInV1) == [appointment["id"]] == [visit["correlation_id"]]


async def test_the_whole_way_over_the_floor_is_kept_step_by_step(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.checked_in()
    path, second_room = f"/v1/visits/{visit['id']}", await clinic.new_room("Room 2")
    for room in (clinic.room_id, second_room):
        scheduling.clock.advance(minutes=5)
        found(await clinic.act(f"{path}/room", {"room_id": room}))
    found(await clinic.act(f"{path}/begin", role="provider"))
    await clinic.do(visit["tasks"][0])
    done = found(await clinic.act(f"{path}/complete", role="provider"))
    assert (done["stage"], done["revision"], done["room_id"]) == ("completed", 5, second_room)
    steps = [(step["revision"], step["step"], step["room_id"], step["at"]) for step in done["flow"]]
    assert steps == [
        (1, "waiting", None, "2027-02-01T14:00:00Z"),
        (2, "roomed", clinic.room_id, "2027-02-01T14:05:00Z"),
        (3, "roomed", second_room, "2027-02-01T14:10:00Z"),
        (4, "with-provider", second_room, "2027-02-01T14:10:00Z"),
        (5, "completed", second_room, "2027-02-01T14:10:00Z"),
    ]
    assert done["flow"][3]["actor_id"] == str(clinic.practice.actor("provider").id)
    assert found(await clinic.practice.get(path)) == done


async def test_a_completed_visit_announces_what_was_done_and_fulfils_its_appointment(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.checked_in()
    path = f"/v1/visits/{visit['id']}"
    found(await clinic.act(f"{path}/room", {"room_id": clinic.room_id}))
    extra = [found(await clinic.act(f"{path}/tasks", {"code": "injection"}), 201) for _ in range(3)]
    for task in (visit["tasks"][0], *extra[:2]):
        await clinic.do(task)
    done = found(await clinic.act(f"{path}/complete"))
    assert done["performed"] == [{"code": "injection", "quantity": 2}, {"code": "vital-signs", "quantity": 1}]
    assert [task["waiver_reason"] for task in done["tasks"]] == [None, None, None, "visit-ended"]
    [event] = await clinic.practice.announced(VisitCompletedV1)
    assert event.tasks == (PerformedTask(code="injection", quantity=2), PerformedTask(code="vital-signs", quantity=1))
    assert (event.revision, str(event.room_id), str(event.practitioner_id)) == (
        3,
        clinic.room_id,
        clinic.practitioner_id,
    )
    assert event.completed_at is not None
    assert await stories(clinic, VisitCompletedV1) == [visit["appointment_id"]]
    assert found(await clinic.practice.get(f"/v1/appointments/{visit['appointment_id']}"))["status"] == "fulfilled"


async def test_a_walk_in_starts_a_story_of_its_own(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    assert (visit["appointment_id"], visit["correlation_id"], visit["stage"]) == (None, visit["id"], "waiting")
    assert [task["code"] for task in visit["tasks"]] == ["vital-signs"]
    assert await stories(clinic, VisitCheckedInV1) == [visit["id"]]


async def test_a_walk_in_names_what_is_known_and_open(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    unknown = await clinic.act("/v1/visits", clinic.walk_in(patient_id=str(new_id()), visit_type_id=str(new_id())))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "reference-unknown")
    assert {error["pointer"] for error in unknown.json()["errors"]} == {"/patient_id", "/visit_type_id"}
    biller = await clinic.act("/v1/visits", clinic.walk_in(practitioner_id=await clinic.new_practitioner("biller")))
    assert (biller.status_code, biller.json()["code"]) == (409, "not-bookable")
    assert await clinic.practice.announced(VisitCheckedInV1) == []


async def test_required_tasks_are_done_or_waived_with_a_reason_before_the_end(scheduling: Harness):
    clinic = await new_clinic(scheduling, needs_room=False, required_tasks=["vital-signs", "ekg"])
    visit = await clinic.walked_in()
    path = f"/v1/visits/{visit['id']}/complete"
    vitals, ekg = visit["tasks"]
    refused = await clinic.act(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "tasks-open")
    assert refused.json()["open_tasks"] == [{"task_id": task["id"], "code": task["code"]} for task in (vitals, ekg)]
    found(await clinic.act(f"/v1/tasks/{vitals['id']}/start"))
    assert len((await clinic.act(path)).json()["open_tasks"]) == 2
    await clinic.do(vitals)
    found(await clinic.act(f"/v1/tasks/{ekg['id']}/waive", {"reason": "patient-declined"}))
    assert found(await clinic.act(path))["performed"] == [{"code": "vital-signs", "quantity": 1}]
    assert len(await clinic.practice.announced(VisitCompletedV1)) == 1


async def test_a_visit_that_needs_a_room_goes_on_only_in_one(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    for step in ("begin", "complete"):
        reply = await clinic.act(f"/v1/visits/{visit['id']}/{step}")
        assert (reply.status_code, reply.json()["code"]) == (409, "room-needed")


async def test_an_occupied_room_is_refused_with_the_visit_inside_until_that_ends(scheduling: Harness):
    clinic = await new_clinic(scheduling, required_tasks=[])
    first, second = await clinic.walked_in(), await clinic.walked_in(patient_id=await clinic.new_patient("Bo"))
    found(await clinic.act(f"/v1/visits/{first['id']}/room", {"room_id": clinic.room_id}))
    refused = await clinic.act(f"/v1/visits/{second['id']}/room", {"room_id": clinic.room_id})
    assert (refused.status_code, refused.json()["code"], refused.json()["visit_id"]) == (
        409,
        "room-occupied",
        first["id"],
    )
    found(await clinic.act(f"/v1/visits/{first['id']}/complete"))
    found(await clinic.act(f"/v1/visits/{second['id']}/room", {"room_id": clinic.room_id}))


async def test_a_room_must_be_open_and_here(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    elsewhere = found(await clinic.practice.post("/v1/locations", {**LOCATION, "code": "EAST"}), 201)
    path = f"/v1/visits/{visit['id']}/room"
    away = await clinic.act(path, {"room_id": await clinic.new_room("Room 1", elsewhere["id"])})
    assert (away.status_code, away.json()["code"]) == (409, "room-not-usable")
    unknown = await clinic.act(path, {"room_id": str(new_id())})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "reference-unknown")
    await clinic.practice.put(f"/v1/rooms/{clinic.room_id}", {"name": "Room 1", "status": "inactive"}, revision=1)
    assert (await clinic.act(path, {"room_id": clinic.room_id})).json()["code"] == "room-not-usable"


async def test_a_completed_visit_takes_no_more_steps_or_tasks(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    path = f"/v1/visits/{done['id']}"
    for step, body in (("room", {"room_id": clinic.room_id}), ("begin", {}), ("complete", {})):
        reply = await clinic.act(f"{path}/{step}", body)
        assert (reply.status_code, reply.json()["code"], reply.json()["allowed"]) == (409, "transition-refused", [])
    assert (await clinic.act(f"{path}/tasks", {"code": "ekg"})).json()["code"] == "visit-completed"
    assert (await clinic.act(f"/v1/tasks/{done['tasks'][0]['id']}/start")).json()["code"] == "transition-refused"


async def test_an_amendment_replaces_what_was_done_and_keeps_what_was_recorded(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    colleague = await clinic.new_practitioner()
    tasks = [{"code": "injection", "quantity": 2}, {"code": "ekg"}]
    first = found(await clinic.amend(done, {"reason": "entered-in-error", "tasks": tasks}))
    assert first["performed"] == [{"code": "ekg", "quantity": 1}, {"code": "injection", "quantity": 2}]
    second = found(await clinic.amend(first, {"reason": "wrong-practitioner", "practitioner_id": colleague}))
    assert (second["revision"], second["practitioner_id"], second["performed"]) == (5, colleague, first["performed"])
    third = found(await clinic.amend(second, {"reason": "task-not-performed", "tasks": []}))
    assert third["performed"] == []
    assert [step["reason"] for step in third["flow"][3:]] == [
        "entered-in-error",
        "wrong-practitioner",
        "task-not-performed",
    ]
    events = await clinic.practice.announced(VisitAmendedV1)
    assert [(event.revision, len(event.tasks), str(event.practitioner_id)) for event in events] == [
        (4, 2, clinic.practitioner_id),
        (5, 2, colleague),
        (6, 0, colleague),
    ]
    assert all(event.completed_at is not None and str(event.room_id) == clinic.room_id for event in events)
    assert await stories(clinic, VisitAmendedV1) == [done["appointment_id"]] * 3
    kept = await clinic.practice.sql(
        "select revision, code from performed_tasks where visit_id = $1 order by revision, code", UUID(done["id"])
    )
    assert [tuple(row.values()) for row in kept] == [
        (3, "vital-signs"), (4, "ekg"), (4, "injection"), (5, "ekg"), (5, "injection"),
    ]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code"), [
    ({"reason": "task-omitted"}, 422, "invalid"),
    ({"reason": "because", "tasks": []}, 422, "invalid"),
    ({"reason": "task-omitted", "tasks": [{"code": "ekg"}, {"code": "ekg"}]}, 422, "task-repeated"),
    ({"reason": "task-omitted", "tasks": [{"code": "ekg", "quantity": 0}]}, 422, "invalid"),
    ({"reason": "wrong-practitioner", "practitioner_id": str(new_id())}, 422, "reference-unknown"),
])  # fmt: skip
async def test_an_amendment_that_says_nothing_right_is_refused(scheduling: Harness, body, status, code):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    reply = await clinic.amend(done, body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert await clinic.practice.announced(VisitAmendedV1) == []


async def test_an_open_visit_is_not_amended_and_a_biller_holds_none(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    early = await clinic.amend(visit, {"reason": "task-omitted", "tasks": []})
    assert (early.status_code, early.json()["code"]) == (409, "visit-not-completed")
    clinic.patient_id = await clinic.new_patient("Bo")
    done = await clinic.completed()
    body = {"reason": "wrong-practitioner", "practitioner_id": await clinic.new_practitioner("biller")}
    reply = await clinic.amend(done, body)
    assert (reply.status_code, reply.json()["code"]) == (409, "practitioner-not-clinical")


async def test_a_step_on_an_old_revision_is_refused(scheduling: Harness):
    clinic = await new_clinic(scheduling, needs_room=False, required_tasks=[])
    visit = await clinic.walked_in()
    path = f"/v1/visits/{visit['id']}"
    found(await clinic.act(f"{path}/begin", headers={"if-match": '"1"'}))
    stale = await clinic.act(f"{path}/complete", headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)
    assert (await clinic.act(f"{path}/complete", headers={"if-match": "2"})).status_code == 400


async def test_the_floor_shows_open_visits_by_arrival(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    await clinic.completed()
    waiting = []
    for name in ("Bo", "Cy", "Di"):
        scheduling.clock.advance(minutes=1)
        waiting.append((await clinic.walked_in(patient_id=await clinic.new_patient(name)))["id"])
    first = found(await clinic.practice.get(f"/v1/visits?location_id={clinic.location_id}&limit=2"))
    rest = found(
        await clinic.practice.get(f"/v1/visits?location_id={clinic.location_id}&limit=2&cursor={first['next']}")
    )
    assert [visit["id"] for visit in first["items"] + rest["items"]] == waiting
    assert (await clinic.practice.get("/v1/visits")).status_code == 422


@pytest.mark.parametrize(("path", "role", "status"), [
    ("complete", "medical_office_manager", 403),
    ("complete", None, 401),
    ("amend", "receptionist", 403),
    ("amend", "medical_assistant", 403),
    ("end", "biller", 403),
    ("tasks", "receptionist", 403),
])  # fmt: skip
async def test_steps_are_for_those_who_take_them(scheduling: Harness, path, role, status):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    assert (await clinic.act(f"/v1/visits/{visit['id']}/{path}", {}, role=role)).status_code == status
