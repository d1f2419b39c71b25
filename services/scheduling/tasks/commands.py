"""Adding, doing, correcting and waiving clinical tasks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Session
from services.scheduling.tasks.domain import (
    RESULT_PURPOSE,
    VISIT_ENDED,
    TasksOpen,
    TaskStatus,
    require_correctable,
    require_result_fits,
    require_transition,
)
from services.scheduling.tasks.models import ReplacedResult, Task
from services.scheduling.tasks.queries import open_tasks, task
from services.scheduling.tasks.schemas import CompleteTask, CorrectTask, VitalSigns, WaiveTask


async def add_tasks(
    session: Session, visit_id: UUID, patient_id: UUID, codes: Sequence[str], required: bool
) -> list[UUID]:
    """Add one ready task for each code; the caller has made sure that the visit is open and holds its row's lock."""
    common = {"revision": 1, "visit_id": visit_id, "patient_id": patient_id, "status": "ready", "required": required}
    ids = [new_id() for _ in codes]
    rows = [{**common, "id": id, "code": code, "added_at": session.now} for id, code in zip(ids, codes, strict=True)]
    if rows:
        await session.execute(insert(Task).values(rows))
    return ids


async def start_task(session: Session, task_id: UUID, expected: int | None) -> Row[Any]:
    """Say that someone is at it; raises Stale and TransitionRefused."""
    return await _move(session, await _locked(session, task_id, expected), "in-progress", {})


async def complete_task(session: Session, task_id: UUID, body: CompleteTask, expected: int | None) -> Row[Any]:
    """Record that a task was done, its result sealed; raises Stale, TransitionRefused, ResultNeeded, ResultNotTaken."""
    row = await _locked(session, task_id, expected)
    require_result_fits(row.code, body.result is not None)
    sealed = _sealed(session, body.result) if body.result else None
    return await _move(session, row, "completed", {**_ended(session), "result_sealed": sealed})


async def correct_task(session: Session, task_id: UUID, body: CorrectTask, expected: int | None) -> Row[Any]:
    """Replace the result of a task that was done; the former one is kept. Raises Stale, TransitionRefused, ResultNotTaken."""
    row = await _locked(session, task_id, expected)
    require_correctable(row.status, row.code, row.revision)
    former = {"task_id": row.id, "revision": row.revision, "result_sealed": row.result_sealed}
    replaced = {"replaced_at": session.now, "replaced_by": session.principal.id}
    await session.execute(insert(ReplacedResult).values({**former, **replaced}))
    return await _changed(session, row, {"result_sealed": _sealed(session, body.result)})


async def waive_task(session: Session, task_id: UUID, body: WaiveTask, expected: int | None) -> Row[Any]:
    """Record that a task will not be done, and why; raises Stale and TransitionRefused."""
    row = await _locked(session, task_id, expected)
    return await _move(session, row, "cancelled", {**_ended(session), "waiver_reason": body.reason})


async def end_tasks(session: Session, visit_id: UUID) -> None:
    """Close the list of a visit that ends: raises TasksOpen for required ones and cancels the others.

    Nothing leads out of a closed task, so the tasks of an ended visit never change again.
    """
    still_open = await open_tasks(session, visit_id)
    required = [{"task_id": row.id, "code": row.code} for row in still_open if row.required]
    if required:
        raise TasksOpen("Complete or waive the required tasks first.", facts={"open_tasks": required})
    await _cancel(session, [row.id for row in still_open])


async def cancel_tasks(session: Session, visit_id: UUID) -> None:
    """Cancel whatever is still open, required or not, of a visit that ends without being completed."""
    await _cancel(session, [row.id for row in await open_tasks(session, visit_id)])


async def _cancel(session: Session, ids: Sequence[UUID]) -> None:
    if ids:
        cancelled = {**_ended(session), "status": "cancelled", "waiver_reason": VISIT_ENDED}
        await session.execute(update(Task).where(Task.id.in_(ids)).values(revision=Task.revision + 1, **cancelled))


def _sealed(session: Session, result: VitalSigns) -> bytes:
    return session.seal(RESULT_PURPOSE, result.model_dump_json(exclude_none=True))


def _ended(session: Session) -> dict[str, Any]:
    return {"ended_at": session.now, "ended_by": session.principal.id}


async def _locked(session: Session, task_id: UUID, expected: int | None) -> Row[Any]:
    row = await task(session, task_id, lock=True)
    require_revision(row.revision, expected)
    return row


async def _move(session: Session, row: Row[Any], to: TaskStatus, values: dict[str, Any]) -> Row[Any]:
    require_transition(row.status, to, row.revision)
    return await _changed(session, row, {**values, "status": to})


async def _changed(session: Session, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    changed = {**values, "revision": row.revision + 1}
    await session.execute(update(Task).where(Task.id == row.id).values(changed))
    session.touch("task", row.id, row.revision + 1, patient_id=row.patient_id)
    return await task(session, row.id)
