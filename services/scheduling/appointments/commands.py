"""Booking, moving and ending appointments.

A booking reads what the rules need, locks the rows of its resources in the order of their ids, and inserts. Without the locks,
bookings that share two resources deadlock in the exclusion constraints; with them they queue, and the constraints stay the proof.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, insert, update

from praxis.contracts.scheduling import (
    AppointmentBookedV1,
    AppointmentCancelledV1,
    AppointmentMissedV1,
    AppointmentRescheduledV1,
)
from praxis.kit.clock import resolve_local, to_local, tzdata_version
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.locks import sorted_ids
from praxis.kit.problems import Problem
from praxis.kit.unit_of_work import Session
from services.scheduling.appointments.domain import (
    SEARCH_SPAN,
    Busy,
    Interval,
    Status,
    nearest_free,
    require_bookable,
    require_bookable_time,
    require_day,
    require_grace_over,
    require_movable,
    require_transition,
    slot_problem,
)
from services.scheduling.appointments.models import Appointment, Occupancy
from services.scheduling.appointments.queries import OCCUPIED, appointment, bookable, occupied
from services.scheduling.appointments.schemas import BookAppointment, CancelAppointment, RescheduleAppointment

_Announcement = (
    type[AppointmentBookedV1]
    | type[AppointmentRescheduledV1]
    | type[AppointmentCancelledV1]
    | type[AppointmentMissedV1]
)

_LOCK: Final = "select id from resources where id = any($1::uuid[]) order by id for update"

_BOOK: Final = f"""
with taken as ({OCCUPIED}), booked as (
    insert into appointments (id, correlation_id, revision, status, starts_at, ends_at,
                              patient_id, visit_type_id, visit_type_code, location_id, practitioner_id, room_id,
                              local_start, time_zone, tzdata_version, channel, changed_at)
    select $4, $4, 1, 'booked', $2, $3, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
    where not exists (select from taken)
), held as (
    insert into occupancies (appointment_id, resource_id, kind, starts_at, ends_at)
    select $4, resource_id, kind, $2, $3 from unnest($1::uuid[], $5::text[]) as needed (resource_id, kind)
    where not exists (select from taken)
)
select resource_id, kind, starts_at, ends_at from taken order by resource_id, starts_at
"""


async def book_appointment(session: Session, body: BookAppointment) -> Mapping[str, Any]:
    """Book a time for a patient, in three statements; return the appointment's columns.

    Raises ReferenceUnknown, NotBookable, Invalid for the time, LocalTimeMissing, LocalTimeAmbiguous, SlotTaken and
    PatientAlreadyBooked.
    """
    found = await bookable(
        session, body.patient_id, body.visit_type_id, body.location_id, body.practitioner_id, body.room_id
    )
    require_bookable(found, body.location_id, has_room=body.room_id is not None)
    appointment_id = new_id()
    values = {
        **body.model_dump(exclude={"starts_at", "local_start", "fold"}),
        **_times(session.now, body, found["time_zone"], timedelta(minutes=found["duration_minutes"])),
        "id": appointment_id,
        "correlation_id": appointment_id,
        "revision": 1,
        "status": "booked",
        "visit_type_code": found["visit_type_code"],
        "cancellation_reason": None,
        "channel": session.principal.kind,
        "visit_id": None,
    }
    needed = _needed(values)
    await session.driver.fetch(_LOCK, sorted_ids(needed))
    taken = await session.driver.fetch(_BOOK, *_book_arguments(values, needed, session.now))
    if taken:
        raise await _slot_problem(session, values, [Busy(**row) for row in taken])
    _announce(session, values, AppointmentBookedV1)
    return values


async def reschedule_appointment(
    session: Session, appointment_id: UUID, body: RescheduleAppointment, expected: int | None
) -> Row[Any]:
    """Move a booked appointment under its id; raises Stale, TransitionRefused and as `book_appointment`."""
    row = await appointment(session, appointment_id, lock=True)
    require_revision(row.revision, expected)
    require_movable(row.status, row.revision)
    values = await _moved(session, row, body)
    needed = _needed(values)
    # What it leaves needs no lock: a booking that cannot see the deletion yet is refused and never waits for it.
    await session.driver.fetch(_LOCK, sorted_ids(needed))
    taken = await occupied(session, list(needed), (values["starts_at"], values["ends_at"]), appointment_id)
    if taken:
        raise await _slot_problem(session, values, taken)
    await _release(session, appointment_id)
    await session.execute(insert(Occupancy).values(_occupancies(values, needed)))
    return await _changed(session, row, values, AppointmentRescheduledV1)


async def cancel_appointment(
    session: Session, appointment_id: UUID, body: CancelAppointment, expected: int | None
) -> Row[Any]:
    """Free the time and keep the appointment; a second cancel changes nothing. Raises Stale and TransitionRefused."""
    row = await appointment(session, appointment_id, lock=True)
    if row.status == "cancelled":
        session.touch("appointment", row.id, row.revision, patient_id=row.patient_id)
        return row
    require_revision(row.revision, expected)
    require_transition(row.status, "cancelled", row.revision)
    await _release(session, appointment_id)
    values = {"status": "cancelled", "cancellation_reason": body.reason}
    return await _changed(session, row, values, AppointmentCancelledV1)


async def miss_appointment(session: Session, appointment_id: UUID, expected: int | None) -> Row[Any]:
    """Record that the patient did not come; raises Stale, TransitionRefused and GraceRunning."""
    row = await _leading_to(session, appointment_id, "noshow", expected)
    require_grace_over(row.starts_at, session.now, row.time_zone)
    await _release(session, appointment_id)
    return await _changed(session, row, {"status": "noshow"}, AppointmentMissedV1)


async def record_arrival(session: Session, appointment_id: UUID, expected: int | None) -> Row[Any]:
    """Record that the patient is in the house and not checked in yet; raises Stale, TransitionRefused and NotToday."""
    row = await _leading_to(session, appointment_id, "arrived", expected)
    require_day(row.local_start, row.time_zone, session.now)
    return await _changed(session, row, {"status": "arrived"}, None)


async def check_in_appointment(session: Session, appointment_id: UUID, expected: int | None) -> Row[Any]:
    """Turn an appointment into the visit that the caller opens; raises Stale, TransitionRefused and NotToday."""
    row = await _leading_to(session, appointment_id, "checked-in", expected)
    require_day(row.local_start, row.time_zone, session.now)
    return await _changed(session, row, {"status": "checked-in"}, None)


async def fulfil_appointment(session: Session, appointment_id: UUID) -> None:
    """Close the appointment of a visit that is over and free what is left of its time; raises TransitionRefused."""
    row = await _leading_to(session, appointment_id, "fulfilled", None)
    await _release(session, appointment_id)
    await _changed(session, row, {"status": "fulfilled"}, None)


async def reopen_appointment(session: Session, appointment_id: UUID) -> None:
    """Take back a check-in: the appointment is booked as before, in the time that it never ceased to occupy."""
    row = await appointment(session, appointment_id, lock=True)
    await _changed(session, row, {"status": "booked"}, None)


async def abandon_appointment(session: Session, appointment_id: UUID) -> None:
    """Cancel the appointment of a patient who came and left again, and free its time."""
    row = await appointment(session, appointment_id, lock=True)
    await _release(session, appointment_id)
    await _changed(session, row, {"status": "cancelled", "cancellation_reason": "pat"}, AppointmentCancelledV1)


async def _leading_to(session: Session, appointment_id: UUID, to: Status, expected: int | None) -> Row[Any]:
    row = await appointment(session, appointment_id, lock=True)
    require_revision(row.revision, expected)
    require_transition(row.status, to, row.revision)
    return row


def _times(
    now: datetime, body: BookAppointment | RescheduleAppointment, time_zone: str, length: timedelta
) -> dict[str, Any]:
    if body.local_start:
        asked = resolve_local(body.local_start, time_zone, fold=body.fold, pointer=body.pointer)
    else:
        assert body.starts_at is not None
        asked = body.starts_at
    require_bookable_time(asked, now, time_zone, body.pointer)
    starts_at = asked.astimezone(UTC)
    return {
        "starts_at": starts_at,
        "ends_at": starts_at + length,
        "local_start": to_local(starts_at, time_zone).replace(tzinfo=None),
        "time_zone": time_zone,
        "tzdata_version": tzdata_version(),
    }


async def _moved(session: Session, row: Row[Any], body: RescheduleAppointment) -> dict[str, Any]:
    """Return the columns of `row` with what `body` changes, checked like a booking."""
    named = body.model_dump(include={"location_id", "practitioner_id", "room_id"}, exclude_none=True)
    values = {**row._asdict(), **named}
    del values["visit_id"]
    found = await bookable(
        session, row.patient_id, row.visit_type_id, values["location_id"], values["practitioner_id"], values["room_id"]
    )
    require_bookable(found, values["location_id"], has_room=values["room_id"] is not None)
    return {**values, **_times(session.now, body, found["time_zone"], row.ends_at - row.starts_at)}


def _needed(values: Mapping[str, Any]) -> dict[UUID, str]:
    """Return id -> kind of everything that the appointment occupies."""
    return {values[f"{kind}_id"]: kind for kind in ("practitioner", "room", "patient") if values[f"{kind}_id"]}


def _book_arguments(values: Mapping[str, Any], needed: Mapping[UUID, str], now: datetime) -> Sequence[Any]:
    names = ("patient_id", "visit_type_id", "visit_type_code", "location_id", "practitioner_id", "room_id",
             "local_start", "time_zone", "tzdata_version", "channel")  # fmt: skip
    slot = (list(needed), values["starts_at"], values["ends_at"], values["id"], list(needed.values()))
    return (*slot, *(values[name] for name in names), now)


def _occupancies(values: Mapping[str, Any], needed: Mapping[UUID, str]) -> list[dict[str, Any]]:
    common = {"appointment_id": values["id"], "starts_at": values["starts_at"], "ends_at": values["ends_at"]}
    return [{**common, "resource_id": resource_id, "kind": kind} for resource_id, kind in needed.items()]


async def _slot_problem(session: Session, values: Mapping[str, Any], taken: Sequence[Busy]) -> Problem:
    asked: Interval = (values["starts_at"], values["ends_at"])
    around = (asked[0] - SEARCH_SPAN, asked[1] + SEARCH_SPAN)
    busy = await occupied(session, list(_needed(values)), around, values["id"])
    return slot_problem(taken, nearest_free(asked, [(one.starts_at, one.ends_at) for one in busy], session.now))


async def _release(session: Session, appointment_id: UUID) -> None:
    await session.execute(delete(Occupancy).where(Occupancy.appointment_id == appointment_id))


async def _changed(session: Session, row: Row[Any], values: Mapping[str, Any], event: _Announcement | None) -> Row[Any]:
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Appointment).where(Appointment.id == row.id).values(changed))
    after = await appointment(session, row.id)
    if event:
        _announce(session, after._asdict(), event)
    else:
        session.touch("appointment", after.id, after.revision, patient_id=after.patient_id)
    return after


def _announce(session: Session, values: Mapping[str, Any], event: _Announcement) -> None:
    session.touch("appointment", values["id"], values["revision"], patient_id=values["patient_id"])
    names = ("revision", "status", "patient_id", "visit_type_id", "visit_type_code", "location_id", "practitioner_id",
             "starts_at", "ends_at", "time_zone", "cancellation_reason", "channel")  # fmt: skip
    resources = tuple(id for id, kind in _needed(values).items() if kind != "patient")
    payload = event(appointment_id=values["id"], resource_ids=resources, **{name: values[name] for name in names})
    session.publish(payload, story=values["correlation_id"])
