"""What people send and get about patients."""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from praxis.kit.http import Answer, Body
from praxis.kit.paging import DEFAULT_LIMIT

Sex = Literal["male", "female", "other", "unknown"]
"""FHIR administrative-gender."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=55)]
_E164 = r"^\+[1-9]\d{6,14}$"


def _require_e164(phone: str) -> str:
    if not re.fullmatch(_E164, phone, re.ASCII):
        raise ValueError("Send it as +14135550142: a plus sign, the country code, then digits only.")
    return phone


Phone = Annotated[str, AfterValidator(_require_e164), Field(json_schema_extra={"pattern": _E164})]
"""E.164."""
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
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
    confirm_new: bool = False
    """True says: another person than the registered ones of this name and birth date."""


class RegisterPatient(_Person):
    """A new patient; without `mrn` one is made."""

    mrn: Mrn | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: HomeAddress | None = None


class ChangePatient(_Person):
    """The whole new state of a patient's record; what there is none of is sent as null."""

    mrn: Mrn
    phone: Phone | None
    email: Email | None
    address: HomeAddress | None
    status: Literal["active", "inactive"]


class SearchPatients(Body):
    """Whom to look for: at least one of the first three; `cursor` is the `next` of the page before."""

    family_prefix: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    birth_on: date | None = None
    mrn: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = DEFAULT_LIMIT
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None


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
