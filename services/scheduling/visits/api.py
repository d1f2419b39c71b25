"""Visits over HTTP."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from praxis.kit.unit_of_work import Session
from services.scheduling.appointments.domain import require_one
from services.scheduling.tasks.queries import tasks_of_visit
from services.scheduling.visits import commands, queries
from services.scheduling.visits.domain import as_amended
from services.scheduling.visits.schemas import (
    AddTask,
    AmendVisit,
    CompleteVisit,
    EndVisit,
    FlowOut,
    PerformedOut,
    ReceiveWalkIn,
    RoomVisit,
    VisitOut,
    VisitSummaryOut,
    VisitTaskOut,
)

routes = router("visits")

_READ = "scheduling.visit:read"
_WRITE = "scheduling.visit:write"
_CLINICAL = "scheduling.task:write"
_NOW = CompleteVisit()


@routes.post(
    "/v1/appointments/{appointment_id}/check-in", status_code=201, **policy("scheduling.appointments.check-in", _WRITE)
)
async def check_in(appointment_id: UUID, session: SessionDep, expected: ExpectedRevision) -> VisitOut:
    """Open the visit of an appointment."""
    return await _out(session, await commands.check_in(session, appointment_id, expected))


@routes.post("/v1/visits", status_code=201, **policy("scheduling.visits.receive", _WRITE))
async def receive(body: ReceiveWalkIn, session: SessionDep) -> VisitOut:
    """Receive a patient without an appointment, or record a visit that was held before."""
    return await _out(session, await commands.receive_walk_in(session, body))


@routes.get("/v1/visits", **policy("scheduling.visits.list", _READ))
async def find(
    session: SessionDep, page: PageDep, location_id: UUID | None = None, patient_id: UUID | None = None
) -> Page[VisitSummaryOut]:
    """List the open visits of a location, or all of a patient, by arrival."""
    require_one("query:location_id", location_id=location_id, patient_id=patient_id)
    if location_id:
        rows = await queries.visits_on_floor(session, location_id, page.after, page.limit)
    else:
        assert patient_id is not None
        rows = await queries.visits_of_patient(session, patient_id, page.after, page.limit)
    for row in rows[: page.limit]:
        session.touch("visit", row.id, patient_id=row.patient_id)
    return page.page(rows, VisitSummaryOut, lambda row: (row.checked_in_at.isoformat(), str(row.id)))


@routes.get("/v1/visits/{visit_id}", **policy("scheduling.visits.get", _READ))
async def get(visit_id: UUID, session: SessionDep) -> VisitOut:
    """Return one visit with its tasks and steps."""
    row = await queries.visit(session, visit_id)
    session.touch("visit", row.id, row.revision, patient_id=row.patient_id)
    return await _out(session, row)


@routes.post("/v1/visits/{visit_id}/room", **policy("scheduling.visits.room", _WRITE))
async def room(visit_id: UUID, body: RoomVisit, session: SessionDep, expected: ExpectedRevision) -> VisitOut:
    """Bring the patient to a room."""
    return await _out(session, await commands.room_visit(session, visit_id, body, expected))


@routes.post("/v1/visits/{visit_id}/begin", **policy("scheduling.visits.begin", _WRITE))
async def begin(visit_id: UUID, session: SessionDep, expected: ExpectedRevision) -> VisitOut:
    """Record that the practitioner is with the patient."""
    return await _out(session, await commands.begin_visit(session, visit_id, expected))


@routes.post("/v1/visits/{visit_id}/tasks", status_code=201, **policy("scheduling.visits.add-task", _CLINICAL))
async def add_task(visit_id: UUID, body: AddTask, session: SessionDep) -> VisitTaskOut:
    """Add a task to an open visit."""
    return VisitTaskOut.model_validate(await commands.add_task(session, visit_id, body))


@routes.post("/v1/visits/{visit_id}/complete", **policy("scheduling.visits.complete", _WRITE))
async def complete(
    visit_id: UUID, session: SessionDep, expected: ExpectedRevision, body: CompleteVisit = _NOW
) -> VisitOut:
    """End a visit."""
    return await _out(session, await commands.complete_visit(session, visit_id, body, expected))


@routes.post("/v1/visits/{visit_id}/end", **policy("scheduling.visits.end", _WRITE))
async def end(visit_id: UUID, body: EndVisit, session: SessionDep, expected: ExpectedRevision) -> VisitOut:
    """End a visit that was not held to its end, or that should not have been opened."""
    return await _out(session, await commands.end_visit(session, visit_id, body, expected))


@routes.post("/v1/visits/{visit_id}/amend", **policy("scheduling.visits.amend", "scheduling.visit:amend"))
async def amend(visit_id: UUID, body: AmendVisit, session: SessionDep, expected: ExpectedRevision) -> VisitOut:
    """Correct a completed visit; If-Match is required."""
    return await _out(session, await commands.amend_visit(session, visit_id, body, expected))


async def _out(session: Session, row: Row[Any]) -> VisitOut:
    performed = await queries.performed_tasks(session, row.id, row.revision)
    tasks = [one._asdict() for one in await tasks_of_visit(session, row.id)]
    if row.completed_at:
        tasks = as_amended(tasks, {one.code: one.quantity for one in performed})
    return VisitOut(
        **VisitSummaryOut.model_validate(row).model_dump(),
        tasks=[VisitTaskOut.model_validate(one) for one in tasks],
        performed=[PerformedOut.model_validate(one) for one in performed],
        flow=[FlowOut.model_validate(one) for one in await queries.flow(session, row.id)],
    )
