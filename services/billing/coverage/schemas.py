"""What people send and get about coverages."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, StringConstraints, model_validator

from praxis.kit.http import Answer, Body
from services.billing.coverage.domain import SELF, spelled_member_id
from services.billing.payers.domain import plain_postal_code, spelled_state

Rank = Literal["primary", "secondary", "tertiary"]
Relationship = Literal["self", "spouse", "child", "employee", "life-partner", "other", "unknown"]
"""What the patient is to the insured (SBR02, PAT01)."""


class InsuredAddress(Body):
    """A home address as the payer knows it; `postal_code` is 12345, 123456789 or 12345-6789, kept without hyphen."""

    line1: Annotated[str, StringConstraints(min_length=1, max_length=55)]
    line2: Annotated[str, StringConstraints(max_length=55)] = ""
    city: Annotated[str, StringConstraints(min_length=2, max_length=30)]
    state: Annotated[str, AfterValidator(spelled_state)]
    postal_code: Annotated[str, AfterValidator(plain_postal_code)]


class InsuredPerson(Body):
    """A person as the payer knows them; `sex` is the code of DMG03."""

    family_name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    given_name: Annotated[str, StringConstraints(max_length=35)] = ""
    middle_name: Annotated[str, StringConstraints(max_length=25)] = ""
    suffix: Annotated[str, StringConstraints(max_length=10)] = ""
    birth_on: date
    sex: Literal["F", "M", "U"]
    address: InsuredAddress


class Insured(Body):
    """Who is insured, and the patient when that is someone else: what is sealed."""

    subscriber: InsuredPerson
    patient: InsuredPerson | None = None


class ChangeCoverage(Body):
    """The whole new state of a coverage, of the same patient. Dates inclusive; `patient` only when the relationship is not self."""

    rank: Rank
    payer_id: UUID
    member_id: Annotated[str, AfterValidator(spelled_member_id)]
    group_number: Annotated[str, StringConstraints(max_length=50)] = ""
    relationship: Relationship
    subscriber: InsuredPerson
    patient: InsuredPerson | None = None
    valid_from: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not lie before valid_from")
        if (self.relationship == SELF) != (self.patient is None):
            raise ValueError("send patient exactly when the relationship is not self")
        return self


class RecordCoverage(ChangeCoverage):
    """A patient's coverage."""

    patient_id: UUID


class EndCoverage(Body):
    """The last day on which the coverage is valid."""

    ended_on: date


class CoverageSummary(Answer):
    """A coverage without anything that names a person."""

    id: UUID
    revision: int
    patient_id: UUID
    rank: Rank
    payer_id: UUID
    relationship: Relationship
    valid_from: date
    valid_until: date | None


class CoverageOut(CoverageSummary):
    """A coverage with the insured as the payer knows them."""

    member_id: str
    group_number: str
    subscriber: InsuredPerson
    patient: InsuredPerson | None
