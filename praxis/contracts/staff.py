"""Events of staff: who works here and what they may do. A professional's public name and NPI may travel."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from praxis.contracts.event import Event

StaffRole = Literal[
    "medical_office_manager", "lead_medical_assistant", "medical_assistant", "provider", "receptionist", "biller"
]


class _StaffMember(Event):
    AGGREGATE: ClassVar[str] = "staff_member_id"

    staff_member_id: UUID
    role: StaffRole
    status: Literal["active", "inactive"]
    public_name: str | None = None
    """Name as shown to the public; only for providers, null otherwise."""
    family_name: str | None = None
    """Provider's family name as the payer knows it (X12 NM103); null for others."""
    given_name: str | None = None
    npi: str | None = None
    taxonomy_code: str | None = None
    hired_on: date


class StaffMemberRegisteredV1(_StaffMember):
    """A person joined the practice."""

    TYPE: ClassVar[str] = "praxis.staff.staff-member.registered.v1"


class StaffMemberChangedV1(_StaffMember):
    """Something of a person's public state changed."""

    TYPE: ClassVar[str] = "praxis.staff.staff-member.changed.v1"


class StaffMemberDeactivatedV1(_StaffMember):
    """A person no longer works here; sessions end and no new work is assigned."""

    TYPE: ClassVar[str] = "praxis.staff.staff-member.deactivated.v1"


class CredentialChangedV1(Event):
    """A licence, certificate or registration was recorded, verified, renewed or withdrawn. Dates inclusive."""

    TYPE: ClassVar[str] = "praxis.staff.credential.changed.v1"
    AGGREGATE: ClassVar[str] = "credential_id"

    credential_id: UUID
    staff_member_id: UUID
    kind: str
    status: Literal["unverified", "verified", "revoked"]
    valid_from: date
    valid_until: date | None = None
