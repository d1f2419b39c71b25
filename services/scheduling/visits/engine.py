"""Rules of corrections: who may make them, what each reason may change, and how the tasks read afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from praxis.kit.problems import FieldError
from services.scheduling.visits.domain import AmendReason, PractitionerNotYours, ReasonRefuted

Performed = Mapping[str, int]
"""Task code -> how often it was done."""


def require_own(is_lead: bool, staff_member_id: UUID | None, practitioner_id: UUID) -> None:
    """Refuse to name another practitioner than oneself, unless a lead does."""
    if not is_lead and staff_member_id != practitioner_id:
        raise PractitionerNotYours("Ask a lead, or the provider who held the visit.")


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
