"""Appointments over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from praxis.kit.http import ExpectedRevision, LeanRoute, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.scheduling.appointments import commands, queries
from services.scheduling.appointments.domain import Interval, day_bounds, require_one
from services.scheduling.appointments.schemas import (
    AppointmentOut,
    BookAppointment,
    CancelAppointment,
    RescheduleAppointment,
)
from services.scheduling.resources.queries import location

booking = router("appointments", LeanRoute)
routes = router("appointments")

_READ = "scheduling.appointment:read"
_WRITE = "scheduling.appointment:write"

_Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


@booking.post("/v1/appointments", status_code=201, **policy("scheduling.appointments.book", _WRITE))
async def book(body: BookAppointment, session: SessionDep) -> AppointmentOut:
    """Book a time for a patient."""
    return AppointmentOut.model_validate(await commands.book_appointment(session, body))


@routes.get("/v1/appointments", **policy("scheduling.appointments.list", _READ))
async def find(
    session: SessionDep,
    page: PageDep,
    on: _Day | None = None,
    patient_id: UUID | None = None,
    location_id: UUID | None = None,
    practitioner_id: UUID | None = None,
) -> Page[AppointmentOut]:
    """List the appointments of a day or of a patient by start; the day is that of the location, or of the practice."""
    require_one("query:on", on=on, patient_id=patient_id)
    bounds = await _bounds(session, on, location_id) if on else None
    narrowed = (bounds, patient_id, location_id, practitioner_id)
    rows = await queries.appointments(session, *narrowed, page.after, page.limit)
    for row in rows[: page.limit]:
        session.touch("appointment", row.id, patient_id=row.patient_id)
    return page.page(rows, AppointmentOut, lambda row: (row.starts_at.isoformat(), str(row.id)))


@routes.get("/v1/appointments/{appointment_id}", **policy("scheduling.appointments.get", _READ))
async def get(appointment_id: UUID, session: SessionDep) -> AppointmentOut:
    """Return one appointment."""
    row = await queries.appointment(session, appointment_id)
    session.touch("appointment", row.id, row.revision, patient_id=row.patient_id)
    return AppointmentOut.model_validate(row)


@routes.post("/v1/appointments/{appointment_id}/reschedule", **policy("scheduling.appointments.reschedule", _WRITE))
async def reschedule(
    appointment_id: UUID, body: RescheduleAppointment, session: SessionDep, expected: ExpectedRevision
) -> AppointmentOut:
    """Move an appointment to another time or other resources."""
    return AppointmentOut.model_validate(await commands.reschedule_appointment(session, appointment_id, body, expected))


@routes.post("/v1/appointments/{appointment_id}/cancel", **policy("scheduling.appointments.cancel", _WRITE))
async def cancel(
    appointment_id: UUID, body: CancelAppointment, session: SessionDep, expected: ExpectedRevision
) -> AppointmentOut:
    """Cancel an appointment and free its time."""
    return AppointmentOut.model_validate(await commands.cancel_appointment(session, appointment_id, body, expected))


@routes.post("/v1/appointments/{appointment_id}/arrive", **policy("scheduling.appointments.arrive", _WRITE))
async def arrive(appointment_id: UUID, session: SessionDep, expected: ExpectedRevision) -> AppointmentOut:
    """Record that the patient is in the house."""
    return AppointmentOut.model_validate(await commands.record_arrival(session, appointment_id, expected))


@routes.post("/v1/appointments/{appointment_id}/miss", **policy("scheduling.appointments.miss", _WRITE))
async def miss(appointment_id: UUID, session: SessionDep, expected: ExpectedRevision) -> AppointmentOut:
    """Record that the patient did not come."""
    return AppointmentOut.model_validate(await commands.miss_appointment(session, appointment_id, expected))


async def _bounds(session: Session, on: date, location_id: UUID | None) -> Interval:
    time_zone = (await location(session, location_id)).time_zone if location_id else await practice_time_zone(session)
    return day_bounds(on, time_zone)
