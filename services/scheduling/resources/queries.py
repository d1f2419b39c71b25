"""Reading locations, rooms, visit types and practitioners."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from praxis.kit.problems import Problem
from praxis.kit.unit_of_work import Session
from services.scheduling.resources.domain import LocationUnknown, PractitionerUnknown, RoomUnknown, VisitTypeUnknown
from services.scheduling.resources.models import Location, Practitioner, Room, VisitType

After = tuple[str | int, ...] | None
"""Sort values of the last row of the page before: text, then id."""


async def location(session: Session, location_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one location, locked for change when asked; raises LocationUnknown."""
    return _known(await _row(session, Location, location_id, lock), LocationUnknown)


async def location_or_none(session: Session, location_id: UUID) -> Row[Any] | None:
    """Return the location that a body names, if there is one."""
    return await _row(session, Location, location_id)


async def room(session: Session, room_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one room, locked for change when asked; raises RoomUnknown."""
    return _known(await _row(session, Room, room_id, lock), RoomUnknown)


async def room_or_none(session: Session, room_id: UUID) -> Row[Any] | None:
    """Return the room that a body names, if there is one."""
    return await _row(session, Room, room_id)


async def visit_type(session: Session, visit_type_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one visit type, locked for change when asked; raises VisitTypeUnknown."""
    return _known(await _row(session, VisitType, visit_type_id, lock), VisitTypeUnknown)


async def practitioner(session: Session, practitioner_id: UUID) -> Row[Any]:
    """Return one practitioner; raises PractitionerUnknown."""
    return _known(await _row(session, Practitioner, practitioner_id), PractitionerUnknown)


async def practitioner_or_none(session: Session, practitioner_id: UUID) -> Row[Any] | None:
    """Return the practitioner that a body names, if there is one."""
    return await _row(session, Practitioner, practitioner_id)


async def locations(session: Session, after: After, limit: int) -> list[Row[Any]]:
    """Return locations by code, `limit` + 1 at most so that the caller sees whether more follow."""
    return await session.all(_listed(Location, Location.code, after, limit))


async def rooms(session: Session, location_id: UUID | None, after: After, limit: int) -> list[Row[Any]]:
    """Return rooms by name, of one location when asked; `limit` + 1 at most."""
    statement = _listed(Room, Room.name, after, limit)
    return await session.all(statement.where(Room.location_id == location_id) if location_id else statement)


async def visit_types(session: Session, after: After, limit: int) -> list[Row[Any]]:
    """Return visit types by code, `limit` + 1 at most."""
    return await session.all(_listed(VisitType, VisitType.code, after, limit))


async def practitioners(session: Session, role: str | None, after: After, limit: int) -> list[Row[Any]]:
    """Return practitioners by id, of one role when asked; `limit` + 1 at most."""
    statement = select(*Practitioner.__table__.columns).order_by(Practitioner.id).limit(limit + 1)
    if role:
        statement = statement.where(Practitioner.role == role)
    return await session.all(statement.where(Practitioner.id > UUID(str(after[0]))) if after else statement)


_Table = type[Location] | type[Room] | type[VisitType] | type[Practitioner]


async def _row(session: Session, table: _Table, id: UUID, lock: bool = False) -> Row[Any] | None:
    statement: Select[Any] = select(*table.__table__.columns).where(table.id == id)
    return await session.one_or_none(statement.with_for_update() if lock else statement)


def _known(row: Row[Any] | None, unknown: type[Problem]) -> Row[Any]:
    if row is None:
        raise unknown
    return row


def _listed(table: _Table, sort: InstrumentedAttribute[str], after: After, limit: int) -> Select[Any]:
    statement: Select[Any] = select(*table.__table__.columns).order_by(sort, table.id).limit(limit + 1)
    return statement.where(tuple_(sort, table.id) > tuple_(after[0], UUID(str(after[1])))) if after else statement
