"""Rules of visits: the way over the floor, rooms for one visit at a time, completion and correction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Forbidden, Invalid, NotFound, Problem

Stage = Literal["waiting", "roomed", "with-provider", "completed", "ended"]

FLOW: Final[Mapping[Stage, frozenset[Stage]]] = {
    "waiting": frozenset({"roomed", "with-provider", "completed", "ended"}),
    "roomed": frozenset({"roomed", "with-provider", "completed", "ended"}),
    "with-provider": frozenset({"completed", "ended"}),
    "completed": frozenset(),
    "ended": frozenset(),
}
"""What was not held to its end is ended, not completed. From roomed to roomed is a change of rooms;
whether a stage may be skipped is for `require_roomed`."""

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""An arrival before this is taken for a slip."""

REFERENCE_PATTERN: Final = r"^[!-~]{1,120}$"
"""Visible ASCII, so that what another system calls a visit reads the same everywhere."""

EndReason = Literal["left-without-being-seen", "wrong-patient", "entered-in-error", "duplicate"]

AmendReason = Literal["task-omitted", "task-not-performed", "wrong-quantity", "wrong-practitioner", "entered-in-error"]


class VisitUnknown(NotFound):
    """No such visit in this practice."""

    code = "visit-unknown"
    title = "There is no such visit"


class FlowRefused(Conflict):
    """The visit is at a stage that this does not lead from; facts `stage` and `allowed`."""

    code = "transition-refused"
    title = "The visit's stage does not allow this"


class RoomOccupied(Conflict):
    """Another visit is in this room; the fact `visit_id` names it."""

    code = "room-occupied"
    title = "Another visit is in this room"


class RoomNotUsable(Conflict):
    """The room is closed or at another location."""

    code = "room-not-usable"
    title = "This room cannot be used for this visit"


class RoomNeeded(Conflict):
    """This kind of visit takes place in a room."""

    code = "room-needed"
    title = "Bring the patient to a room first"


class VisitEnded(Conflict):
    """The visit was ended without being completed."""

    code = "visit-ended"
    title = "The visit has ended"


class VisitCompleted(Conflict):
    """The visit is completed; it can only be amended."""

    code = "visit-completed"
    title = "The visit is completed"


class VisitOpen(Conflict):
    """A patient is in one visit at a time; the fact `visit_id` names it."""

    code = "visit-open"
    title = "The patient is in another visit"


class VisitNotCompleted(Conflict):
    """Only a completed visit can be amended."""

    code = "visit-not-completed"
    title = "The visit is not completed yet"


class VisitKnown(Conflict):
    """The other system's visit is here already; the fact `visit_id` names it."""

    code = "visit-known"
    title = "A visit with this external reference is on record"


class RecordedAfterwards(Conflict):
    """The visit was over when it was recorded: nobody is there to take a step."""

    code = "recorded-afterwards"
    title = "The visit was recorded after it was held"


class NotRecordedAfterwards(Conflict):
    """The visit takes place as it is recorded, and so does its end."""

    code = "not-recorded-afterwards"
    title = "The visit ends when it is completed"


class TimeImplausible(Invalid):
    """A visit is held neither in the future nor before 1990, and ends after it began."""

    code = "time-implausible"
    title = "The visit cannot have been at this time"


class NotClinical(Conflict):
    """A visit is held by a provider or a medical assistant."""

    code = "practitioner-not-clinical"
    title = "This person does not see patients"


class PractitionerNotYours(Forbidden):
    """Who held a visit is corrected by a lead, or by a provider who says that it was themselves."""

    code = "practitioner-not-yours"
    title = "You cannot say that someone else held the visit"


class ReasonRefuted(Invalid):
    """An amendment changes what its reason says and nothing else."""

    code = "reason-refuted"
    title = "The reason does not fit the list of tasks"


class ReferenceUnknown(Invalid):
    """The body names something that this practice does not have."""

    code = "reference-unknown"
    title = "Something named here does not exist"


class TaskRepeated(Invalid):
    """An amendment names each task code once, with its quantity."""

    code = "task-repeated"
    title = "A task is named twice"


REFUSALS: Final[dict[str, type[Problem]]] = {"visits_room": RoomOccupied, "visits_one_open_per_patient": VisitOpen}


def require_flow(current: Stage, to: Stage, revision: int) -> None:
    """Refuse a step that FLOW does not have."""
    if to not in FLOW[current]:
        raise FlowRefused(
            f"A visit that is {current} cannot become {to}.",
            facts={"stage": current, "allowed": sorted(FLOW[current]), "current_revision": revision},
        )


def require_past_arrival(arrived_at: datetime, now: datetime) -> None:
    """Refuse an arrival that is to come, or so long ago that it is a slip."""
    if arrived_at > now:
        _refuse_time("/arrived_at", "not-in-the-future", f"Send an arrival up to {now.isoformat()}.")
    if arrived_at < EARLIEST:
        _refuse_time("/arrived_at", "not-before-1990", f"Send an arrival from {EARLIEST.isoformat()} on.")


def require_past_end(recorded_afterwards: bool, arrived_at: datetime, completed_at: datetime, now: datetime) -> None:
    """Refuse to be told the end of a visit that was not recorded afterwards, and an end before its arrival or to come."""
    if not recorded_afterwards:
        raise NotRecordedAfterwards("Leave completed_at out, or record the visit with its arrived_at.")
    if completed_at > now:
        _refuse_time("/completed_at", "not-in-the-future", f"Send an end up to {now.isoformat()}.")
    if completed_at < arrived_at:
        _refuse_time("/completed_at", "not-before-arrival", f"Send an end from {arrived_at.isoformat()} on.")


def _refuse_time(pointer: str, rule: str, message: str) -> None:
    raise TimeImplausible(errors=[FieldError(pointer, rule, message)])


def require_new(known_as: UUID | None) -> None:
    """Refuse an external reference that a visit already has."""
    if known_as is not None:
        raise VisitKnown("Read that visit instead of recording it again.", facts={"visit_id": known_as})


def require_present(recorded_afterwards: bool) -> None:
    """Refuse a step over the floor of a patient who is not there."""
    if recorded_afterwards:
        raise RecordedAfterwards("Complete or waive its tasks, then complete the visit.")


def require_roomed(needs_room: bool, room_id: UUID | None) -> None:
    """Refuse to go on without a room where the kind of visit needs one."""
    if needs_room and room_id is None:
        raise RoomNeeded


def require_usable_room(room: Any, location_id: UUID) -> None:
    """Refuse a room (columns status and location_id, or None) that is unknown, closed or elsewhere."""
    if room is None:
        raise ReferenceUnknown(errors=[FieldError("/room_id", "known", "Send the id of a room of this practice.")])
    if room.status != "active" or room.location_id != location_id:
        error = FieldError("/room_id", "room-usable", "Choose an active room of the visit's location.")
        raise RoomNotUsable(errors=[error])


def require_free(occupied_by: UUID | None) -> None:
    """Refuse a room that another visit is in."""
    if occupied_by is not None:
        raise RoomOccupied("Choose another room, or end the visit in this one.", facts={"visit_id": occupied_by})


def require_open(stage: Stage) -> None:
    """Refuse more work for a visit that is over."""
    if stage == "completed":
        raise VisitCompleted("Amend the visit instead.")
    if stage == "ended":
        raise VisitEnded("Check the patient in again.")


def require_completed(stage: Stage) -> None:
    """Refuse to amend a visit that can still be changed by doing it."""
    if stage == "ended":
        raise VisitEnded("Nothing was recorded as done in it.")
    if stage != "completed":
        raise VisitNotCompleted("Complete the visit; until then add, complete or waive its tasks.")


def require_clinical(practitioner: Any, clinical_roles: frozenset[str]) -> None:
    """Refuse a practitioner (column role, or None) who is unknown or does not see patients; who has left may be named."""
    if practitioner is None:
        error = FieldError("/practitioner_id", "known", "Send the id of a practitioner of this practice.")
        raise ReferenceUnknown(errors=[error])
    if practitioner.role not in clinical_roles:
        error = FieldError("/practitioner_id", "clinical-role", "Choose a provider or a medical assistant.")
        raise NotClinical(errors=[error])


def require_distinct(codes: Sequence[str]) -> None:
    """Refuse a list that names a task code twice."""
    for place, code in enumerate(codes):
        if code in codes[:place]:
            error = FieldError(f"/tasks/{place}/code", "named-once", f"Name {code} once, with its whole quantity.")
            raise TaskRepeated(errors=[error])


Performed = Mapping[str, int]
"""Task code -> how often it was done."""


def require_own(is_lead: bool, staff_member_id: UUID | None, practitioner_id: UUID) -> None:
    """Refuse to name another practitioner than oneself, unless a lead does."""
    if not is_lead and staff_member_id != practitioner_id:
        raise PractitionerNotYours("You can name yourself; for anybody else ask a lead.")


def require_fitting(reason: AmendReason, before: Performed, after: Performed) -> None:
    """Refuse a list of tasks that changes something else than its reason says; nothing binds `entered-in-error`."""
    faults = list(_FAULTS[reason](before, after)) if reason in _FAULTS else []
    if faults:
        raise ReasonRefuted(errors=[FieldError("/tasks", reason, f"{fault}.") for fault in faults])


def as_amended(tasks: Sequence[Mapping[str, Any]], performed: Performed) -> list[dict[str, Any]]:
    """Return the tasks of a completed visit with the states that agree with what was performed as last corrected.

    As many of each code as were performed read completed, those that were completed first; a completed one too many reads
    entered-in-error (FHIR Task.status).
    """
    shown = {task["id"]: dict(task) for task in tasks}
    left = dict(performed)
    for task in sorted(shown.values(), key=lambda task: task["status"] != "completed"):
        if left.get(task["code"], 0):
            left[task["code"]] -= 1
            task.update(status="completed", waiver_reason=None)
        elif task["status"] == "completed":
            task["status"] = "entered-in-error"
    return list(shown.values())


def _only_added(before: Performed, after: Performed) -> Iterator[str]:
    yield from _missing(before, after)
    fewer = [code for code in before if 0 < after.get(code, 0) < before[code]]
    if fewer:
        yield f"{_listed(fewer)} would count less: for that the reason is wrong-quantity"


def _only_removed(before: Performed, after: Performed) -> Iterator[str]:
    more = [code for code in after if after[code] > before.get(code, 0)]
    if more:
        yield f"{_listed(more)} would be added: for that the reason is task-omitted or entered-in-error"


def _only_quantities(before: Performed, after: Performed) -> Iterator[str]:
    yield from _missing(before, after)
    new = [code for code in after if code not in before]
    if new:
        yield f"{_listed(new)} would be added: for that the reason is task-omitted"


def _nothing(before: Performed, after: Performed) -> Iterator[str]:
    if before != after:
        yield "Leave the tasks out: this reason changes the practitioner alone"


def _missing(before: Performed, after: Performed) -> Iterator[str]:
    gone = [code for code in before if code not in after]
    if gone:
        yield f"{_listed(gone)} {'is' if len(gone) == 1 else 'are'} missing: send the whole list"


def _listed(codes: Sequence[str]) -> str:
    *others, last = sorted(codes)
    return f"{', '.join(others)} and {last}" if others else last


_FAULTS: Final[Mapping[AmendReason, Callable[[Performed, Performed], Iterator[str]]]] = {
    "task-omitted": _only_added,
    "task-not-performed": _only_removed,
    "wrong-quantity": _only_quantities,
    "wrong-practitioner": _nothing,
}
