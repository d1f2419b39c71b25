"""Rules of clinical tasks."""

from collections.abc import Mapping
from typing import Final, Literal

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, TransitionRefused

CODE_PATTERN: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
"""A task code is a slug of the practice's own: vital-signs, blood-draw, ekg, urinalysis, injection, education."""

VITAL_SIGNS: Final = "vital-signs"
"""The one code whose result has a form."""

RESULT_PURPOSE: Final = "scheduling.tasks.result"

TaskStatus = Literal["ready", "in-progress", "completed", "cancelled"]

TRANSITIONS: Final[Mapping[TaskStatus, frozenset[TaskStatus]]] = {
    "ready": frozenset({"in-progress", "completed", "cancelled"}),
    "in-progress": frozenset({"completed", "cancelled"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
}
"""Names of FHIR Task.status; a waived task is cancelled with a reason."""

WaiverReason = Literal[
    "patient-declined", "contraindicated", "equipment-unavailable", "done-elsewhere", "not-indicated"
]

VISIT_ENDED: Final = "visit-ended"
"""Reason of the tasks that nobody had to do and nobody did."""


class TaskUnknown(NotFound):
    """No such task in this practice."""

    code = "task-unknown"
    title = "There is no such task"


class TasksOpen(Conflict):
    """Required tasks are neither done nor waived."""

    code = "tasks-open"
    title = "Required tasks are still open"


class ResultNeeded(Invalid):
    """A measurement that was taken has values."""

    code = "result-needed"
    title = "This task is completed with its result"


class ResultNotTaken(Invalid):
    """Tasks of this code have no result here."""

    code = "result-not-taken"
    title = "This task takes no result"


def require_transition(current: TaskStatus, to: TaskStatus, revision: int) -> None:
    """Refuse a change of state that TRANSITIONS does not have."""
    if to not in TRANSITIONS[current]:
        raise TransitionRefused("task", current, TRANSITIONS[current], revision)


def require_result_fits(code: str, has_result: bool) -> None:
    """Refuse a result for a code that has no form for one, and none for the code that has."""
    if not has_result and code == VITAL_SIGNS:
        message = "Send the measured values, or waive the task."
        raise ResultNeeded(errors=[FieldError("/result", "vital-signs-measured", message)])
    if has_result and code != VITAL_SIGNS:
        raise ResultNotTaken(errors=[FieldError("/result", "vital-signs-only", f"Complete {code} without a result.")])


def require_correctable(status: TaskStatus, code: str, revision: int) -> None:
    """Refuse to correct a result where none was recorded."""
    require_result_fits(code, has_result=True)
    if status != "completed":
        raise TransitionRefused("task", status, TRANSITIONS[status], revision)
