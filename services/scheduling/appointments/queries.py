"""Reading appointments, and in one statement each what the rules of booking need."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, literal_column, select, tuple_

from praxis.kit.unit_of_work import Session
from services.scheduling.appointments.domain import AppointmentUnknown, Busy, Interval
from services.scheduling.appointments.models import Appointment

_COLUMNS = tuple(column for column in Appointment.__table__.columns if column.name not in ("practice_id", "changed_at"))

# Plain SQL, since visits know of appointments and not the other way round.
_VISIT: Final = "(select v.id from visits v where v.appointment_id = appointments.id and v.ended_at is null)"
_SHOWN: Final = (*_COLUMNS, literal_column(_VISIT).label("visit_id"))

_BOOKABLE: Final = """
select p.status as patient_status,
       v.status as visit_type_status, v.code as visit_type_code, v.duration_minutes, v.needs_room, v.required_tasks,
       l.status as location_status, l.time_zone,
       s.status as practitioner_status, s.role as practitioner_role,
       r.status as room_status, r.location_id as room_location_id
from (select) asked
left join patients p on p.id = $1
left join visit_types v on v.id = $2
left join locations l on l.id = $3
left join practitioners s on s.id = $4
left join rooms r on r.id = $5
"""

# The range column serves the constraint alone: && is not leakproof and would not use an index here. No occupancy is longer
# than 24 hours, so a lower bound on starts_at makes this a short scan of (practice_id, resource_id, starts_at).
OCCUPIED: Final = """
select resource_id, kind, starts_at, ends_at from occupancies
where resource_id = any($1::uuid[]) and starts_at > $2::timestamptz - interval '24 hours' and starts_at < $3 and ends_at > $2
  and appointment_id <> $4
"""
"""What occupies the resources $1 between $2 and $3, apart from the appointment $4."""


async def appointment(session: Session, appointment_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one appointment, locked for change when asked; raises AppointmentUnknown."""
    statement: Select[Any] = select(*_SHOWN).where(Appointment.id == appointment_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise AppointmentUnknown
    return row


async def appointments(
    session: Session,
    bounds: Interval | None,
    patient_id: UUID | None,
    location_id: UUID | None,
    practitioner_id: UUID | None,
    after: tuple[str | int, ...] | None,
    limit: int,
) -> list[Row[Any]]:
    """Return the appointments that start within `bounds` or are a patient's, by start and id, `limit` + 1 at most."""
    sort = (Appointment.starts_at, Appointment.id)
    statement: Select[Any] = select(*_SHOWN).order_by(*sort).limit(limit + 1)
    if bounds:
        statement = statement.where(Appointment.starts_at >= bounds[0], Appointment.starts_at < bounds[1])
    if patient_id:
        statement = statement.where(Appointment.patient_id == patient_id)
    if location_id:
        statement = statement.where(Appointment.location_id == location_id)
    if practitioner_id:
        statement = statement.where(Appointment.practitioner_id == practitioner_id)
    if after:
        last = tuple_(datetime.fromisoformat(str(after[0])), UUID(str(after[1])))
        statement = statement.where(tuple_(*sort) > last)
    return await session.all(statement)


async def bookable(
    session: Session,
    patient_id: UUID,
    visit_type_id: UUID,
    location_id: UUID,
    practitioner_id: UUID,
    room_id: UUID | None,
) -> Mapping[str, Any]:
    """Return one row with what the rules need of everything a booking names; null columns where a thing is unknown."""
    row = await session.driver.fetchrow(_BOOKABLE, patient_id, visit_type_id, location_id, practitioner_id, room_id)
    assert row is not None
    return dict(row)


async def occupied(session: Session, resource_ids: Sequence[UUID], during: Interval, apart_from: UUID) -> list[Busy]:
    """Return what occupies any of the resources for a part of `during`, apart from one appointment."""
    rows = await session.driver.fetch(OCCUPIED, resource_ids, *during, apart_from)
    return [Busy(**row) for row in rows]
