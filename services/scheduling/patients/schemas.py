"""What people send and get about patients."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from praxis.kit.http import Answer, Body

Sex = Literal["male", "female", "other", "unknown"]
"""FHIR administrative-gender."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=55)]
Mrn = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,19}$")]


class HomeAddress(Body):
    """Where a patient lives; the postal code may be short."""

    line1: Line
    line2: Line | None = None
    city: Annotated[str, StringConstraints(min_length=2, max_length=30)]
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{5}(-\d{4})?$")]


class _Person(Body):
    family_name: Name
    given_name: Name
    birth_on: Annotated[date, Field(ge=date(1890, 1, 1))]
    sex: Sex
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")] | None = None
    """E.164."""
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)] | None = None
    address: HomeAddress | None = None
    confirm_new: bool = False
    """True says: another person than the registered ones of this name and birth date."""


class RegisterPatient(_Person):
    """A new patient; without `mrn` one is made."""

    mrn: Mrn | None = None


class ChangePatient(_Person):
    """The whole new state of a patient's record."""

    mrn: Mrn
    status: Literal["active", "inactive"]


class PatientOut(Answer):
    """A patient."""

    id: UUID
    revision: int
    status: Literal["active", "inactive"]
    mrn: str
    family_name: str
    given_name: str
    birth_on: date
    sex: Sex
    phone: str | None
    email: str | None
    address: HomeAddress | None
