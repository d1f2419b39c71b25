"""Rules of staff members."""

from typing import Final

from praxis.kit.npi import is_npi
from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem

PROVIDER: Final = "provider"


class StaffMemberUnknown(NotFound):
    """No such staff member in this practice."""

    code = "staff-member-unknown"
    title = "There is no such staff member"


class NpiTaken(Conflict):
    """Two people of a practice cannot have one NPI."""

    code = "npi-taken"
    title = "Another staff member has this NPI"


class StaffMemberInactive(Conflict):
    """A person who has left cannot be changed."""

    code = "staff-member-inactive"
    title = "This staff member has left"


class LeftBeforeHired(Invalid):
    """Nobody leaves before the day they were hired."""

    code = "left-before-hired"
    title = "The last day lies before the first"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/ended_on", "not-before-hired-on", "Send a day on or after hired_on.")])


REFUSALS: Final[dict[str, type[Problem]]] = {
    "staff_members_npi": NpiTaken,
    "staff_members_left_after_hired": LeftBeforeHired,
}


def require_billable_provider(role: str, npi: str | None, taxonomy_code: str | None) -> None:
    """Refuse a provider whom no claim could name, and an NPI that fails its check digit."""
    errors = []
    if npi is not None and not is_npi(npi):
        errors.append(
            FieldError("/npi", "npi-check-digit", "Ten digits with a valid check digit, as in the NPPES registry.")
        )
    if role == PROVIDER and npi is None:
        errors.append(FieldError("/npi", "required-for-provider", "A provider needs an NPI: claims name it."))
    if role == PROVIDER and taxonomy_code is None:
        errors.append(
            FieldError("/taxonomy_code", "required-for-provider", "A provider needs a taxonomy code of ten characters.")
        )
    if errors:
        raise Invalid(errors=errors)


def require_active(status: str) -> None:
    """Refuse a change of someone who has left."""
    if status != "active":
        raise StaffMemberInactive
