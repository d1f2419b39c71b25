"""Visits recorded after they were held: their times, their external reference, and no place on the floor."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from praxis.contracts.scheduling import VisitAmendedV1, VisitCheckedInV1, VisitCompletedV1
from praxis.kit.testing import Harness
from tests.support.scheduling import Clinic, found, new_clinic

ARRIVED = datetime(2012, 2, 27, 5, 28, 45, tzinfo=UTC)
ENDED = ARRIVED + timedelta(minutes=15)
NOW = datetime(2027, 2, 1, 14, 0, tzinfo=UTC)
"""Where the clock of the harness stands."""


async def recorded(clinic: Clinic, **changes: Any) -> dict[str, Any]:
    """Record a visit of 2012, its required task done."""
    visit = await clinic.walked_in(**{"arrived_at": ARRIVED, **changes})
    for task in visit["tasks"]:
        await clinic.do(task)
    return visit


async def test_a_visit_recorded_afterwards_announces_the_times_at_which_it_was_held(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await recorded(clinic)
    assert (visit["checked_in_at"], visit["recorded_afterwards"]) == ("2012-02-27T05:28:45Z", True)
    done = found(await clinic.act(f"/v1/visits/{visit['id']}/complete", {"completed_at": ENDED}))
    assert (done["stage"], done["completed_at"], done["room_id"]) == ("completed", "2012-02-27T05:43:45Z", None)
    found(await clinic.amend(done, {"reason": "task-not-performed", "tasks": []}))
    [arrival] = await clinic.practice.announced(VisitCheckedInV1)
    [end] = await clinic.practice.announced(VisitCompletedV1)
    [amended] = await clinic.practice.announced(VisitAmendedV1)
    assert (arrival.checked_in_at, arrival.completed_at) == (ARRIVED, None)
    assert {(event.checked_in_at, event.completed_at) for event in (end, amended)} == {(ARRIVED, ENDED)}
    assert [task.code for task in end.tasks] == ["vital-signs"]


async def test_the_steps_say_when_they_were_recorded(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await recorded(clinic)
    done = found(await clinic.act(f"/v1/visits/{visit['id']}/complete", {"completed_at": ENDED}))
    assert [(step["step"], step["at"]) for step in done["flow"]] == [
        ("waiting", "2027-02-01T14:00:00Z"),
        ("completed", "2027-02-01T14:00:00Z"),
    ]


async def test_without_the_time_of_its_end_a_recorded_visit_ends_now(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await recorded(clinic, arrived_at=NOW)
    assert found(await clinic.act(f"/v1/visits/{visit['id']}/complete"))["completed_at"] == "2027-02-01T14:00:00Z"


@pytest.mark.parametrize(("arrived_at", "rule"), [
    (NOW + timedelta(seconds=1), "not-in-the-future"),
    ("9999-12-31T23:59:59-12:00", "not-in-the-future"),
    ("1989-12-31T23:59:59Z", "not-before-1990"),
    ("0001-01-01T00:00:00+14:00", "not-before-1990"),
])  # fmt: skip
async def test_an_arrival_to_come_or_long_ago_is_refused_and_announces_nothing(scheduling: Harness, arrived_at, rule):
    clinic = await new_clinic(scheduling)
    reply = await clinic.act("/v1/visits", clinic.walk_in(arrived_at=arrived_at))
    assert (reply.status_code, reply.json()["code"]) == (422, "time-implausible")
    assert [(error["pointer"], error["rule"]) for error in reply.json()["errors"]] == [("/arrived_at", rule)]
    assert await clinic.practice.announced(VisitCheckedInV1) == []


@pytest.mark.parametrize("arrived_at", ["1990-01-01T00:00:00Z", NOW])
async def test_the_first_and_the_last_moment_are_taken(scheduling: Harness, arrived_at):
    clinic = await new_clinic(scheduling)
    assert (await clinic.walked_in(arrived_at=arrived_at))["recorded_afterwards"]


async def test_an_arrival_without_an_offset_is_refused(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    reply = await clinic.act("/v1/visits", clinic.walk_in(arrived_at="2012-02-27T05:28:45"))
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/arrived_at")


@pytest.mark.parametrize(("completed_at", "rule"), [
    (ARRIVED - timedelta(seconds=1), "not-before-arrival"),
    (NOW + timedelta(seconds=1), "not-in-the-future"),
])  # fmt: skip
async def test_an_end_before_the_arrival_or_to_come_is_refused(scheduling: Harness, completed_at, rule):
    clinic = await new_clinic(scheduling)
    visit = await recorded(clinic)
    path = f"/v1/visits/{visit['id']}/complete"
    reply = await clinic.act(path, {"completed_at": completed_at})
    assert (reply.status_code, reply.json()["code"]) == (422, "time-implausible")
    assert [(error["pointer"], error["rule"]) for error in reply.json()["errors"]] == [("/completed_at", rule)]
    assert await clinic.practice.announced(VisitCompletedV1) == []
    assert found(await clinic.act(path, {"completed_at": ARRIVED}))["stage"] == "completed"


async def test_the_end_of_an_ordinary_visit_is_not_told(scheduling: Harness):
    clinic = await new_clinic(scheduling, needs_room=False, required_tasks=[])
    visit = await clinic.walked_in()
    reply = await clinic.act(f"/v1/visits/{visit['id']}/complete", {"completed_at": NOW})
    assert (reply.status_code, reply.json()["code"]) == (409, "not-recorded-afterwards")
    assert (visit["recorded_afterwards"], visit["external_reference"]) == (False, None)
    assert await clinic.practice.announced(VisitCompletedV1) == []


async def test_the_required_tasks_of_a_recorded_visit_are_done_or_waived(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in(arrived_at=ARRIVED)
    path = f"/v1/visits/{visit['id']}/complete"
    refused = await clinic.act(path, {"completed_at": ENDED})
    assert (refused.status_code, refused.json()["code"]) == (409, "tasks-open")
    found(await clinic.act(f"/v1/tasks/{visit['tasks'][0]['id']}/waive", {"reason": "not-indicated"}))
    assert found(await clinic.act(path, {"completed_at": ENDED}))["performed"] == []


async def test_nobody_is_brought_to_a_room_afterwards(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in(arrived_at=ARRIVED)
    for step, body in (("room", {"room_id": clinic.room_id}), ("begin", {})):
        reply = await clinic.act(f"/v1/visits/{visit['id']}/{step}", body)
        assert (reply.status_code, reply.json()["code"]) == (409, "recorded-afterwards")


@pytest.mark.parametrize("change", ["room_id = $1", "stage = 'with-provider'"])
async def test_a_recorded_visit_on_the_floor_is_impossible(scheduling: Harness, change):
    clinic = await new_clinic(scheduling)
    await clinic.walked_in(arrived_at=ARRIVED)
    arguments = [UUID(clinic.room_id)] if "$1" in change else []
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await clinic.practice.sql(f"update visits set {change}", *arguments)
    assert refusal.value.constraint_name == "visits_recorded_afterwards"


async def test_the_same_reference_again_names_the_visit_that_has_it(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await recorded(clinic, external_reference="ehr/Encounter-7")
    assert visit["external_reference"] == "ehr/Encounter-7"
    found(await clinic.act(f"/v1/visits/{visit['id']}/complete", {"completed_at": ENDED}))
    changed = clinic.walk_in(external_reference="ehr/Encounter-7", patient_id=await clinic.new_patient("Bo"))
    for body in (changed, clinic.walk_in(arrived_at=ARRIVED, external_reference="ehr/Encounter-7")):
        reply = await clinic.act("/v1/visits", body)
        assert (reply.status_code, reply.json()["code"]) == (409, "visit-known")
        assert reply.json()["visit_id"] == visit["id"]
    assert len(await clinic.practice.announced(VisitCheckedInV1)) == 1


async def test_a_known_reference_names_its_visit_whatever_became_of_the_visit_type(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in(external_reference="E-1")
    kind = found(await clinic.practice.get(f"/v1/visit-types/{clinic.visit_type_id}"))
    names = ("code", "name", "duration_minutes", "needs_room", "required_tasks")
    changed = {**{name: kind[name] for name in names}, "status": "inactive"}
    found(await clinic.practice.put(f"/v1/visit-types/{clinic.visit_type_id}", changed, revision=kind["revision"]))
    assert (await clinic.act("/v1/visits", clinic.walk_in())).json()["code"] == "not-bookable"
    reply = await clinic.act("/v1/visits", clinic.walk_in(external_reference="E-1"))
    assert (reply.json()["code"], reply.json()["visit_id"]) == ("visit-known", visit["id"])


async def test_of_twins_with_one_reference_one_is_recorded_and_the_others_learn_which(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    body = clinic.walk_in(arrived_at=ARRIVED, external_reference="E-1")
    replies = await asyncio.gather(*(clinic.act("/v1/visits", body) for _ in range(6)))
    assert sorted(reply.status_code for reply in replies) == [201, *[409] * 5]
    [visit_id] = [reply.json()["id"] for reply in replies if reply.status_code == 201]
    assert {reply.json()["visit_id"] for reply in replies if reply.status_code == 409} == {visit_id}
    assert len(await clinic.practice.announced(VisitCheckedInV1)) == 1


async def test_visits_without_a_reference_and_visits_of_another_practice_are_others(scheduling: Harness):
    here, there = await new_clinic(scheduling), await new_clinic(scheduling)
    ids = {(await clinic.walked_in(external_reference="E-1"))["id"] for clinic in (here, there)}
    ids |= {(await here.walked_in(arrived_at=ARRIVED))["id"] for _ in range(2)}
    assert len(ids) == 4


@pytest.mark.parametrize("reference", ["", " ", "two words", "Zoë", "tab\tbed", "x" * 121, 7])
async def test_a_reference_is_visible_ascii(scheduling: Harness, reference):
    clinic = await new_clinic(scheduling)
    reply = await clinic.act("/v1/visits", clinic.walk_in(external_reference=reference))
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/external_reference")
    assert (await clinic.walked_in(external_reference="!~" * 60))["external_reference"] == "!~" * 60
