"""Amendments: who makes them, on which revision, and what each reason may change."""

from praxis.contracts.scheduling import VisitAmendedV1
from praxis.kit.testing import Harness
from tests.support.scheduling import found, new_clinic

NOTHING = {"reason": "task-not-performed", "tasks": []}


async def test_an_amendment_names_the_revision_it_corrects(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done = await clinic.completed()
    blind = await clinic.act(f"/v1/visits/{done['id']}/amend", NOTHING)
    assert (blind.status_code, blind.json()["code"]) == (428, "if-match-required")
    assert (await clinic.amend({**done, "revision": 1}, NOTHING)).status_code == 412
    assert await clinic.practice.announced(VisitAmendedV1) == []
    found(await clinic.amend(done, NOTHING, role="provider"))


async def test_a_provider_does_not_say_that_another_held_the_visit(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    done, colleague = await clinic.completed(), await clinic.new_practitioner()
    body = {"reason": "wrong-practitioner", "practitioner_id": colleague}
    refused = await clinic.amend(done, body, role="provider")
    assert (refused.status_code, refused.json()["code"]) == (403, "practitioner-not-yours")
    assert await clinic.practice.announced(VisitAmendedV1) == []
    assert found(await clinic.amend(done, body))["practitioner_id"] == colleague


async def test_a_list_that_forgets_a_task_is_refused_with_what_is_missing(scheduling: Harness):
    clinic = await new_clinic(scheduling, required_tasks=["vital-signs", "ekg"])
    done = await clinic.completed()
    reply = await clinic.amend(done, {"reason": "task-omitted", "tasks": [{"code": "injection"}]})
    assert (reply.status_code, reply.json()["code"]) == (422, "reason-refuted")
    [error] = reply.json()["errors"]
    assert (error["pointer"], error["message"]) == ("/tasks", "ekg and vital-signs are missing: send the whole list.")
    assert await clinic.practice.announced(VisitAmendedV1) == []


async def test_the_tasks_shown_agree_with_what_was_performed(scheduling: Harness):
    clinic = await new_clinic(scheduling, required_tasks=["vital-signs"])
    visit = await clinic.checked_in()
    path = f"/v1/visits/{visit['id']}"
    found(await clinic.act(f"{path}/room", {"room_id": clinic.room_id}))
    found(await clinic.act(f"{path}/tasks", {"code": "ekg"}), 201)
    await clinic.do(visit["tasks"][0])
    done = found(await clinic.act(f"{path}/complete"))
    assert [(task["code"], task["status"]) for task in done["tasks"]] == [
        ("vital-signs", "completed"),
        ("ekg", "cancelled"),
    ]
    amended = found(await clinic.amend(done, {"reason": "entered-in-error", "tasks": [{"code": "ekg"}]}))
    assert [(task["code"], task["status"], task["waiver_reason"]) for task in amended["tasks"]] == [
        ("vital-signs", "entered-in-error", None),
        ("ekg", "completed", None),
    ]
    assert found(await clinic.practice.get(path))["tasks"] == amended["tasks"]
