"""Rules of coverages."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem
from services.billing.payers.domain import NamedPayerUnknown, spelled

MEMBER_ID: Final = "billing.coverage.member-id"
"""Purpose under which a member id is sealed and indexed."""

INSURED: Final = "billing.coverage.insured"
"""Purpose under which the insured, and the patient who is not the insured, are sealed as the payer knows them."""

SELF: Final = "self"

EARLIEST_BIRTH: Final = date(1890, 1, 1)
"""No one born before this day is insured; an earlier date is a slip of the pen."""

spelled_member_id = spelled(
    r"(?=.*[0-9A-Za-z])[0-9A-Za-z -]{2,80}",
    "Write the member id in 2 to 80 letters, digits, spaces and hyphens, at least one of them a letter or digit: MEM4711X.",
)


class CoverageUnknown(NotFound):
    """No such coverage in this practice."""

    code = "coverage-unknown"
    title = "There is no such coverage"


class CoverageKnown(Conflict):
    """The patient's membership with this payer is on file."""

    code = "coverage-known"
    title = "This member id of the payer is already on file for the patient: change that coverage instead"


class CoveragesOverlap(Conflict):
    """A patient has at most one coverage of each rank on any day."""

    code = "coverages-overlap"
    title = "Another coverage of the same rank is valid on some of these days: end it first"


class PatientMerged(Conflict):
    """The record is closed in favour of another; the fact `merged_into` names it."""

    code = "patient-merged"
    title = "This patient record was merged into another: record the coverage there"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "coverages_payer": NamedPayerUnknown,
    "coverages_member": CoverageKnown,
    "coverages_overlap": CoveragesOverlap,
}


def require_births(births: Mapping[str, date], today: date) -> None:
    """Refuse birth dates before 1890 or after today, each named by its pointer."""
    message = f"Write the day of birth, from {EARLIEST_BIRTH.isoformat()} to today, as 1980-05-17."
    errors = [
        FieldError(pointer, "possible-birth", message)
        for pointer, birth_on in births.items()
        if not EARLIEST_BIRTH <= birth_on <= today
    ]
    if errors:
        raise Invalid(errors=errors)


def require_end(valid_from: date, ended_on: date) -> None:
    """Refuse an end before the first valid day."""
    if ended_on < valid_from:
        message = f"The coverage is valid from {valid_from.isoformat()}: send that day or a later one."
        raise Invalid(errors=[FieldError("/ended_on", "not-before-valid-from", message)])
