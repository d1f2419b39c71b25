"""Reading clinical tasks."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from praxis.kit.unit_of_work import Session
from services.scheduling.tasks.domain import TaskUnknown
from services.scheduling.tasks.models import Task

_COLUMNS = tuple(column for column in Task.__table__.columns if column.name not in ("practice_id", "result_sealed"))


async def task(session: Session, task_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one task with its sealed result, locked for change when asked; raises TaskUnknown."""
    statement: Select[Any] = select(*_COLUMNS, Task.result_sealed).where(Task.id == task_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise TaskUnknown
    return row


async def tasks_of_visit(session: Session, visit_id: UUID) -> list[Row[Any]]:
    """Return the tasks of a visit in the order they were added, without results."""
    return await session.all(select(*_COLUMNS).where(Task.visit_id == visit_id).order_by(Task.id))


async def open_tasks(session: Session, visit_id: UUID) -> list[Row[Any]]:
    """Return the tasks of a visit that are neither done nor waived, locked for change by id."""
    is_open = Task.status.in_(("ready", "in-progress"))
    statement = select(Task.id, Task.code, Task.required).where(Task.visit_id == visit_id, is_open).order_by(Task.id)
    return await session.all(statement.with_for_update())


async def completed_codes(session: Session, visit_id: UUID) -> dict[str, int]:
    """Return code -> how often it was completed in a visit."""
    statement = select(Task.code, func.count().label("times")).where(
        Task.visit_id == visit_id, Task.status == "completed"
    )
    return {row.code: row.times for row in await session.all(statement.group_by(Task.code))}
