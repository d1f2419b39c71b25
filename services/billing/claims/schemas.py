"""What people get about claims."""

from datetime import date
from typing import Literal
from uuid import UUID

from praxis.kit.http import Answer

ClaimState = Literal["draft", "edit-hold", "ready", "voided"]


class FindingOut(Answer):
    """A rule the claim breaks; `pointer` leads into the claim as the 837P carries it, an error keeps it from being ready."""

    rule: str
    severity: Literal["error", "warning"]
    pointer: str
    message: str


class ClaimLineOut(Answer):
    """A service line; `charge_cents` is the whole line."""

    number: int
    hcpcs_code: str
    modifiers: tuple[str, ...]
    units: int
    diagnosis_pointers: tuple[int, ...]
    charge_cents: int


class ClaimSummary(Answer):
    """A claim without clinical content."""

    id: UUID
    revision: int
    state: ClaimState
    control_number: str
    visit_id: UUID
    charge_sheet_id: UUID
    sheet_version: int
    patient_id: UUID
    coverage_id: UUID
    payer_id: UUID
    service_on: date
    total_cents: int
    currency: str


class ClaimOut(ClaimSummary):
    """A claim; `x12_sha256` is the hex digest of the 837P that GET .../x12 returns, null before it is ready."""

    location_id: UUID
    practitioner_id: UUID | None
    diagnoses: tuple[str, ...]
    lines: tuple[ClaimLineOut, ...]
    findings: tuple[FindingOut, ...]
    x12_sha256: str | None
