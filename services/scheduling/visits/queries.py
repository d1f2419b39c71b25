"""Reading visits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_

from praxis.kit.unit_of_work import Session
from services.scheduling.visits.domain import VisitUnknown
from services.scheduling.visits.models import FlowStep, PerformedTask, Visit

_COLUMNS = tuple(column for column in Visit.__table__.columns if column.name not in ("practice_id", "changed_at"))
_OPEN = (Visit.completed_at.is_(None), Visit.ended_at.is_(None))

After = tuple[str | int, ...] | None
"""Sort values of the last row of the page before: arrival, then id."""


async def visit(session: Session, visit_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one visit, locked for change when asked; raises VisitUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Visit.id == visit_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise VisitUnknown
    return row


async def visit_of_reference(session: Session, external_reference: str) -> UUID | None:
    """Return the id of the visit that another system calls this, or None."""
    found: UUID | None = await session.scalar(select(Visit.id).where(Visit.external_reference == external_reference))
    return found


async def open_visit_of(session: Session, patient_id: UUID) -> UUID | None:
    """Return the id of the visit that the patient is here for, or None."""
    here = (Visit.patient_id == patient_id, *_OPEN, Visit.recorded_afterwards.is_(False))
    found: UUID | None = await session.scalar(select(Visit.id).where(*here))
    return found


async def visits_on_floor(session: Session, location_id: UUID, after: After, limit: int) -> list[Row[Any]]:
    """Return the open visits of a location by arrival, `limit` + 1 at most."""
    return await session.all(_listed(after, limit).where(Visit.location_id == location_id, *_OPEN))


async def visits_of_patient(session: Session, patient_id: UUID, after: After, limit: int) -> list[Row[Any]]:
    """Return all visits of a patient by arrival, `limit` + 1 at most."""
    return await session.all(_listed(after, limit).where(Visit.patient_id == patient_id))


async def visit_in_room(session: Session, room_id: UUID, apart_from: UUID) -> UUID | None:
    """Return the id of the open visit in a room, apart from one."""
    inside = (Visit.room_id == room_id, *_OPEN, Visit.id != apart_from)
    found: UUID | None = await session.scalar(select(Visit.id).where(*inside))
    return found


async def performed_tasks(session: Session, visit_id: UUID, revision: int) -> list[Row[Any]]:
    """Return what was done as of a revision of a visit, by code; empty before completion."""
    statement = select(PerformedTask.code, PerformedTask.quantity).order_by(PerformedTask.code)
    return await session.all(statement.where(PerformedTask.visit_id == visit_id, PerformedTask.revision == revision))


async def flow(session: Session, visit_id: UUID) -> list[Row[Any]]:
    """Return the steps of a visit in order."""
    columns = tuple(column for column in FlowStep.__table__.columns if column.name != "practice_id")
    return await session.all(select(*columns).where(FlowStep.visit_id == visit_id).order_by(FlowStep.revision))


def _listed(after: After, limit: int) -> Select[Any]:
    sort = (Visit.checked_in_at, Visit.id)
    statement: Select[Any] = select(*_COLUMNS).order_by(*sort).limit(limit + 1)
    if after is None:
        return statement
    return statement.where(tuple_(*sort) > tuple_(datetime.fromisoformat(str(after[0])), UUID(str(after[1]))))
