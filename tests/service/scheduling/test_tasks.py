"""Clinical tasks: started, completed with a sealed result, waived with a reason."""

from uuid import UUID

import pytest

from praxis.kit.testing import Harness
from tests.support.scheduling import VITALS, Clinic, found, new_clinic


async def ready_task(clinic: Clinic, code: str = "vital-signs") -> str:
    visit = await clinic.walked_in()
    return str(found(await clinic.act(f"/v1/visits/{visit['id']}/tasks", {"code": code}), 201)["id"])


async def test_a_result_is_sealed_and_read_back_by_those_who_care_for_the_patient(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic)
    done = found(await clinic.act(f"/v1/tasks/{task_id}/complete", {"result": VITALS}, role="medical_assistant"))
    assert (done["status"], done["revision"], done["ended_by"]) == (
        "completed",
        2,
        str(clinic.practice.actor("medical_assistant").id),
    )
    assert "result" not in done
    [row] = await clinic.practice.sql("select result_sealed from tasks where id = $1", UUID(task_id))
    assert b"128" not in row["result_sealed"]
    reply = await clinic.practice.get(f"/v1/tasks/{task_id}", role="provider")
    assert {name: value for name, value in found(reply)["result"].items() if value is not None} == VITALS
    assert reply.headers["etag"] == '"2"'
    [seen] = await clinic.practice.sql("select patient_id, entity from audit where action = 'scheduling.tasks.get'")
    assert (str(seen["patient_id"]), seen["entity"]) == (clinic.patient_id, "task")
    assert (await clinic.practice.get(f"/v1/tasks/{task_id}", role="receptionist")).status_code == 403


async def test_a_task_is_started_then_done_without_a_result(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic, "ekg")
    assert found(await clinic.act(f"/v1/tasks/{task_id}/start"))["status"] == "in-progress"
    assert found(await clinic.act(f"/v1/tasks/{task_id}/complete", {}))["status"] == "completed"
    assert found(await clinic.practice.get(f"/v1/tasks/{task_id}", role="provider"))["result"] is None
    again = await clinic.act(f"/v1/tasks/{task_id}/complete", {})
    assert (again.status_code, again.json()["code"], again.json()["allowed"]) == (409, "transition-refused", [])


@pytest.mark.parametrize(
    "result", [{}, {"systolic_mmhg": 82, "diastolic_mmhg": 128}, {"weight_grams": 70.5}, {"mood": 1}]
)
async def test_a_result_that_is_no_measurement_is_refused(scheduling: Harness, result):
    clinic = await new_clinic(scheduling)
    reply = await clinic.act(f"/v1/tasks/{await ready_task(clinic)}/complete", {"result": result})
    assert reply.status_code == 422
    assert "82" not in str(reply.json()["errors"])


async def test_only_vital_signs_take_a_result(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    reply = await clinic.act(f"/v1/tasks/{await ready_task(clinic, 'ekg')}/complete", {"result": VITALS})
    assert (reply.status_code, reply.json()["code"]) == (422, "result-not-taken")


async def test_a_waiver_names_a_coded_reason(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic)
    assert (await clinic.act(f"/v1/tasks/{task_id}/waive", {"reason": "tired"})).status_code == 422
    assert (await clinic.act(f"/v1/tasks/{task_id}/waive", {"reason": "visit-ended"})).status_code == 422
    waived = found(await clinic.act(f"/v1/tasks/{task_id}/waive", {"reason": "contraindicated"}))
    assert (waived["status"], waived["waiver_reason"]) == ("cancelled", "contraindicated")


async def test_a_task_on_an_old_revision_is_refused(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic)
    found(await clinic.act(f"/v1/tasks/{task_id}/start", headers={"if-match": '"1"'}))
    stale = await clinic.act(f"/v1/tasks/{task_id}/complete", {"result": VITALS}, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)


async def test_a_code_is_a_slug(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visit = await clinic.walked_in()
    for code in ("Blood Draw", "-ekg", "", "x" * 41):
        assert (await clinic.act(f"/v1/visits/{visit['id']}/tasks", {"code": code})).status_code == 422


async def test_vital_signs_are_completed_with_their_values_or_waived(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic)
    for body in ({}, {"result": None}):
        reply = await clinic.act(f"/v1/tasks/{task_id}/complete", body)
        assert (reply.status_code, reply.json()["code"]) == (422, "result-needed")
        [error] = reply.json()["errors"]
        assert (error["pointer"], "or waive the task" in error["message"]) == ("/result", True)
    found(await clinic.act(f"/v1/tasks/{task_id}/waive", {"reason": "patient-declined"}))


async def test_a_corrected_result_is_read_and_the_former_one_kept_sealed(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id, path = await ready_task(clinic), "/v1/tasks/{}/correct"
    right = {"weight_grams": 71_230}
    early = await clinic.act(path.format(task_id), {"result": right})
    assert (early.status_code, early.json()["code"]) == (409, "transition-refused")
    found(await clinic.act(f"/v1/tasks/{task_id}/complete", {"result": VITALS}))
    [before] = await clinic.practice.sql("select result_sealed from tasks where id = $1", UUID(task_id))
    corrected = found(await clinic.act(path.format(task_id), {"result": right}, role="medical_assistant"))
    assert (corrected["status"], corrected["revision"]) == ("completed", 3)
    shown = found(await clinic.practice.get(f"/v1/tasks/{task_id}", role="provider"))["result"]
    assert {name: value for name, value in shown.items() if value is not None} == right
    [kept] = await clinic.practice.sql("select task_id, revision, result_sealed, replaced_by from task_results")
    assistant = clinic.practice.actor("medical_assistant").id
    assert tuple(kept.values()) == (UUID(task_id), 2, before["result_sealed"], assistant)
    [trail] = await clinic.practice.sql("select patient_id from audit where action = 'scheduling.tasks.correct'")
    assert str(trail["patient_id"]) == clinic.patient_id


async def test_only_a_recorded_measurement_is_corrected_by_those_who_care(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    task_id = await ready_task(clinic, "ekg")
    found(await clinic.act(f"/v1/tasks/{task_id}/complete", {}))
    reply = await clinic.act(f"/v1/tasks/{task_id}/correct", {"result": VITALS})
    assert (reply.status_code, reply.json()["code"]) == (422, "result-not-taken")
    body = {"result": VITALS}
    assert (await clinic.act(f"/v1/tasks/{task_id}/correct", body, role="receptionist")).status_code == 403
    assert (await clinic.act(f"/v1/tasks/{task_id}/correct", {})).status_code == 422


async def test_exchanged_pressures_are_refused_in_words(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    body = {"result": {"systolic_mmhg": 70, "diastolic_mmhg": 120}}
    reply = await clinic.act(f"/v1/tasks/{await ready_task(clinic)}/complete", body)
    assert "systolic_mmhg that is higher than diastolic_mmhg" in reply.json()["errors"][0]["message"]
