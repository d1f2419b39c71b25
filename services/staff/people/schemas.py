"""What people send and get about staff members."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from praxis.contracts.staff import StaffRole
from praxis.kit.http import Answer, Body

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Npi = Annotated[str, StringConstraints(pattern=r"^\d{10}$")]
Taxonomy = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{9}X$")]


class RegisterStaffMember(Body):
    """A new person. `npi` and `taxonomy_code` are required for providers."""

    role: StaffRole
    family_name: Name
    given_name: Name
    npi: Npi | None = None
    taxonomy_code: Taxonomy | None = None
    hired_on: date


class ChangeStaffMember(Body):
    """The whole new state of a person's record."""

    role: StaffRole
    family_name: Name
    given_name: Name
    npi: Npi | None = None
    taxonomy_code: Taxonomy | None = None


class DeactivateStaffMember(Body):
    """The last working day."""

    ended_on: date


class StaffMemberOut(Answer):
    """A staff member."""

    id: UUID
    revision: int
    role: StaffRole
    status: str
    family_name: str
    given_name: str
    npi: str | None
    taxonomy_code: str | None
    hired_on: date
    ended_on: date | None = Field(default=None)
