"""Receiving patients, moving them over the floor, completing, ending and amending visits.

Locks are taken from the visit to its tasks and its appointment; checking in goes from the appointment to a visit that nobody else
can know yet.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from praxis.contracts.scheduling import PerformedTask as PerformedPart
from praxis.contracts.scheduling import VisitAmendedV1, VisitCheckedInV1, VisitCompletedV1
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.permissions import LEAD
from praxis.kit.problems import PreconditionRequired
from praxis.kit.unit_of_work import Session
from services.scheduling.appointments.commands import (
    abandon_appointment,
    check_in_appointment,
    fulfil_appointment,
    reopen_appointment,
)
from services.scheduling.appointments.domain import CLINICAL_ROLES, require_bookable, require_provider
from services.scheduling.appointments.queries import appointment, bookable
from services.scheduling.resources.queries import practitioner_or_none, room_or_none, visit_type
from services.scheduling.tasks.commands import add_tasks, cancel_tasks, end_tasks
from services.scheduling.tasks.queries import completed_codes, task
from services.scheduling.visits.domain import (
    VisitOpen,
    require_clinical,
    require_completed,
    require_distinct,
    require_fitting,
    require_flow,
    require_free,
    require_new,
    require_open,
    require_own,
    require_past_arrival,
    require_past_end,
    require_present,
    require_roomed,
    require_usable_room,
)
from services.scheduling.visits.models import FlowStep, PerformedTask, Visit
from services.scheduling.visits.queries import (
    open_visit_of,
    performed_tasks,
    visit,
    visit_in_room,
    visit_of_reference,
)
from services.scheduling.visits.schemas import AddTask, AmendVisit, CompleteVisit, EndVisit, ReceiveWalkIn, RoomVisit

_Event = type[VisitCheckedInV1] | type[VisitCompletedV1] | type[VisitAmendedV1]


async def check_in(session: Session, appointment_id: UUID, expected: int | None) -> Row[Any]:
    """Open the visit of an appointment; raises Stale, TransitionRefused, NotToday and VisitOpen."""
    visit_id = new_id()
    planned = await appointment(session, appointment_id)
    # Named before the appointment: the reply shows the visit, so its revision is the ETag.
    session.touch("visit", visit_id, 1, patient_id=planned.patient_id)
    booked = await check_in_appointment(session, appointment_id, expected)
    kind = await visit_type(session, booked.visit_type_id)
    names = ("correlation_id", "patient_id", "visit_type_id", "visit_type_code", "location_id", "practitioner_id")
    values = {**{name: booked._mapping[name] for name in names}, "id": visit_id, "appointment_id": booked.id}
    values |= {"needs_room": kind.needs_room, "checked_in_at": session.now}
    return await _opened(session, values, kind.required_tasks)


async def receive_walk_in(session: Session, body: ReceiveWalkIn) -> Row[Any]:
    """Open a visit without an appointment; with `arrived_at` it is recorded afterwards.

    Raises VisitKnown, VisitOpen, TimeImplausible, ReferenceUnknown and NotBookable.
    """
    if body.external_reference:
        # Before all else: who asks again is told of the visit, whatever has become of its patient or practitioner since.
        require_new(await visit_of_reference(session, body.external_reference))
    if body.arrived_at:
        require_past_arrival(body.arrived_at, session.now)
    found = await bookable(session, body.patient_id, body.visit_type_id, body.location_id, body.practitioner_id, None)
    require_bookable(found, body.location_id, has_room=False, room_later=True)
    require_provider(found)
    visit_id = new_id()
    session.touch("visit", visit_id, 1, patient_id=body.patient_id)
    values = {
        **body.model_dump(exclude={"arrived_at"}),
        "id": visit_id,
        "correlation_id": visit_id,
        "visit_type_code": found["visit_type_code"],
        "needs_room": found["needs_room"] and body.arrived_at is None,
        "recorded_afterwards": body.arrived_at is not None,
        "checked_in_at": body.arrived_at or session.now,
    }
    return await _opened(session, values, found["required_tasks"])


async def room_visit(session: Session, visit_id: UUID, body: RoomVisit, expected: int | None) -> Row[Any]:
    """Bring the patient to a room.

    Raises Stale, FlowRefused, RecordedAfterwards, ReferenceUnknown, RoomNotUsable and RoomOccupied.
    """
    row = await _locked(session, visit_id, expected)
    require_flow(row.stage, "roomed", row.revision)
    require_present(row.recorded_afterwards)
    require_usable_room(await room_or_none(session, body.room_id), row.location_id)
    require_free(await visit_in_room(session, body.room_id, apart_from=visit_id))
    return await _changed(session, row, {"stage": "roomed", "room_id": body.room_id}, "roomed")


async def begin_visit(session: Session, visit_id: UUID, expected: int | None) -> Row[Any]:
    """Record that the practitioner is with the patient; raises Stale, FlowRefused, RecordedAfterwards and RoomNeeded."""
    row = await _locked(session, visit_id, expected)
    require_flow(row.stage, "with-provider", row.revision)
    require_present(row.recorded_afterwards)
    require_roomed(row.needs_room, row.room_id)
    return await _changed(session, row, {"stage": "with-provider"}, "with-provider")


async def add_task(session: Session, visit_id: UUID, body: AddTask) -> Row[Any]:
    """Add a task to an open visit; raises VisitEnded."""
    row = await visit(session, visit_id, lock=True)
    require_open(row.stage)
    (task_id,) = await add_tasks(session, row.id, row.patient_id, [body.code], body.required)
    session.touch("task", task_id, 1, patient_id=row.patient_id)
    return await task(session, task_id)


async def complete_visit(session: Session, visit_id: UUID, body: CompleteVisit, expected: int | None) -> Row[Any]:
    """End a visit with what was done.

    Raises Stale, FlowRefused, NotRecordedAfterwards, TimeImplausible, RoomNeeded and TasksOpen.
    """
    row = await _locked(session, visit_id, expected)
    require_flow(row.stage, "completed", row.revision)
    if body.completed_at:
        require_past_end(row.recorded_afterwards, row.checked_in_at, body.completed_at, session.now)
    require_roomed(row.needs_room, row.room_id)
    await end_tasks(session, visit_id)
    ended = {"stage": "completed", "completed_at": body.completed_at or session.now}
    after = await _changed(session, row, ended, "completed")
    if row.appointment_id:
        await fulfil_appointment(session, row.appointment_id)
    await _keep_performed(session, after, await completed_codes(session, visit_id))
    await _announce(session, after, VisitCompletedV1)
    return after


async def end_visit(session: Session, visit_id: UUID, body: EndVisit, expected: int | None) -> Row[Any]:
    """End a visit that was not held to its end: room and patient are free, open tasks are cancelled, nothing is announced as done.

    The appointment of a patient who left is cancelled; that of a check-in made by mistake is booked again. Raises Stale and
    FlowRefused.
    """
    row = await _locked(session, visit_id, expected)
    require_flow(row.stage, "ended", row.revision)
    await cancel_tasks(session, visit_id)
    values = {"stage": "ended", "ended_at": session.now, "end_reason": body.reason}
    after = await _changed(session, row, values, "ended", body.reason)
    if row.appointment_id:
        close = abandon_appointment if body.reason == "left-without-being-seen" else reopen_appointment
        await close(session, row.appointment_id)
    return after


async def amend_visit(session: Session, visit_id: UUID, body: AmendVisit, expected: int | None) -> Row[Any]:
    """Correct a completed visit; what was recorded before is kept under its revision.

    Raises PreconditionRequired, Stale, VisitNotCompleted, TaskRepeated, ReasonRefuted, PractitionerNotYours, ReferenceUnknown
    and NotClinical.
    """
    if expected is None:
        raise PreconditionRequired
    row = await _locked(session, visit_id, expected)
    require_completed(row.stage)
    performed = await _corrected(session, row, body)
    values = {}
    if body.practitioner_id:
        await _require_practitioner(session, body.practitioner_id)
        values = {"practitioner_id": body.practitioner_id}
    after = await _changed(session, row, values, "amended", body.reason)
    await _keep_performed(session, after, performed)
    await _announce(session, after, VisitAmendedV1)
    return after


async def _corrected(session: Session, row: Row[Any], body: AmendVisit) -> dict[str, int]:
    before = {one.code: one.quantity for one in await performed_tasks(session, row.id, row.revision)}
    if body.tasks is None:
        return before
    require_distinct([one.code for one in body.tasks])
    after = {one.code: one.quantity for one in body.tasks}
    require_fitting(body.reason, before, after)
    return after


async def _require_practitioner(session: Session, practitioner_id: UUID) -> None:
    caller = session.principal
    require_own(LEAD in caller.roles, caller.staff_member_id, practitioner_id)
    require_clinical(await practitioner_or_none(session, practitioner_id), CLINICAL_ROLES)


async def _opened(session: Session, values: Mapping[str, Any], required_tasks: Sequence[str]) -> Row[Any]:
    started = {"revision": 1, "stage": "waiting", "changed_at": session.now}
    if not await session.execute(upsert(Visit).values({**values, **started}).on_conflict_do_nothing()):
        await _refuse_twin(session, values)
    row = await visit(session, values["id"])
    await _add_step(session, row, "waiting", None)
    await add_tasks(session, row.id, row.patient_id, required_tasks, required=True)
    await _announce(session, row, VisitCheckedInV1)
    return row


async def _refuse_twin(session: Session, values: Mapping[str, Any]) -> NoReturn:
    # What stands in the way is committed: the insert has waited for it.
    if values.get("external_reference"):
        require_new(await visit_of_reference(session, values["external_reference"]))
    present = await open_visit_of(session, values["patient_id"])
    raise VisitOpen("Go on with that visit, or end it.", facts={"visit_id": present})


async def _locked(session: Session, visit_id: UUID, expected: int | None) -> Row[Any]:
    row = await visit(session, visit_id, lock=True)
    require_revision(row.revision, expected)
    return row


async def _changed(
    session: Session, row: Row[Any], values: Mapping[str, Any], step: str, reason: str | None = None
) -> Row[Any]:
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Visit).where(Visit.id == row.id).values(changed))
    after = await visit(session, row.id)
    session.touch("visit", after.id, after.revision, patient_id=after.patient_id)
    await _add_step(session, after, step, reason)
    return after


async def _add_step(session: Session, row: Row[Any], step: str, reason: str | None) -> None:
    values = {
        "visit_id": row.id,
        "revision": row.revision,
        "step": step,
        "room_id": row.room_id,
        "practitioner_id": row.practitioner_id,
        "reason": reason,
        "at": session.now,
        "actor_id": session.principal.id,
    }
    await session.execute(insert(FlowStep).values(values))


async def _keep_performed(session: Session, row: Row[Any], performed: Mapping[str, int]) -> None:
    common = {"visit_id": row.id, "revision": row.revision}
    rows = [{**common, "code": code, "quantity": quantity} for code, quantity in performed.items()]
    if rows:
        await session.execute(insert(PerformedTask).values(rows))


async def _announce(session: Session, row: Row[Any], event: _Event) -> None:
    performed = await performed_tasks(session, row.id, row.revision)
    names = ("revision", "appointment_id", "patient_id", "visit_type_code", "location_id", "room_id", "practitioner_id",
             "checked_in_at", "completed_at")  # fmt: skip
    payload = event(
        visit_id=row.id,
        tasks=tuple(PerformedPart(code=one.code, quantity=one.quantity) for one in performed),
        **{name: row._mapping[name] for name in names},
    )
    session.publish(payload, story=row.correlation_id)
