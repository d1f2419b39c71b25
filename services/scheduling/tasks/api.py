"""Clinical tasks over HTTP; adding one is an action of its visit."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, SessionDep, policy, router
from services.scheduling.tasks import commands, queries
from services.scheduling.tasks.domain import RESULT_PURPOSE
from services.scheduling.tasks.schemas import (
    CompleteTask,
    CorrectTask,
    TaskOut,
    TaskWithResultOut,
    VitalSigns,
    WaiveTask,
)

routes = router("tasks")

_READ = "scheduling.task:read"
_WRITE = "scheduling.task:write"


@routes.get("/v1/tasks/{task_id}", **policy("scheduling.tasks.get", _READ))
async def get(task_id: UUID, session: SessionDep) -> TaskWithResultOut:
    """Return one task with its result."""
    row = await queries.task(session, task_id)
    session.touch("task", row.id, row.revision, patient_id=row.patient_id)
    result = None
    if row.result_sealed:
        result = VitalSigns.model_validate_json(session.unseal(RESULT_PURPOSE, row.result_sealed))
    return TaskWithResultOut(**TaskOut.model_validate(row).model_dump(), result=result)


@routes.post("/v1/tasks/{task_id}/start", **policy("scheduling.tasks.start", _WRITE))
async def start(task_id: UUID, session: SessionDep, expected: ExpectedRevision) -> TaskOut:
    """Say that someone is at this task."""
    return TaskOut.model_validate(await commands.start_task(session, task_id, expected))


@routes.post("/v1/tasks/{task_id}/complete", **policy("scheduling.tasks.complete", _WRITE))
async def complete(task_id: UUID, body: CompleteTask, session: SessionDep, expected: ExpectedRevision) -> TaskOut:
    """Record that this task was done."""
    return TaskOut.model_validate(await commands.complete_task(session, task_id, body, expected))


@routes.post("/v1/tasks/{task_id}/correct", **policy("scheduling.tasks.correct", _WRITE))
async def correct(task_id: UUID, body: CorrectTask, session: SessionDep, expected: ExpectedRevision) -> TaskOut:
    """Correct the result of this task; what was recorded before is kept."""
    return TaskOut.model_validate(await commands.correct_task(session, task_id, body, expected))


@routes.post("/v1/tasks/{task_id}/waive", **policy("scheduling.tasks.waive", _WRITE))
async def waive(task_id: UUID, body: WaiveTask, session: SessionDep, expected: ExpectedRevision) -> TaskOut:
    """Record that this task will not be done, and why."""
    return TaskOut.model_validate(await commands.waive_task(session, task_id, body, expected))
