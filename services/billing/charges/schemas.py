"""What people send and get about charge sheets."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from praxis.kit.http import Answer, Body
from services.billing.charges.domain import spelled_diagnosis
from services.billing.payers.domain import spelled_hcpcs, spelled_modifier

SheetState = Literal["open", "coded", "signed", "reopened"]
Diagnosis = Annotated[str, AfterValidator(spelled_diagnosis)]
"""An ICD-10-CM code by its shape, with or without the dot."""


class CodeLine(Body):
    """A service; `diagnosis_pointers` count the diagnoses from 1, the one that explains it best first."""

    hcpcs_code: Annotated[str, AfterValidator(spelled_hcpcs)]
    modifiers: Annotated[tuple[Annotated[str, AfterValidator(spelled_modifier)], ...], Field(max_length=4)] = ()
    units: Annotated[int, Field(ge=1, le=9999)] = 1
    diagnosis_pointers: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1, max_length=4)]


class CodeChargeSheet(Body):
    """The whole coding of a sheet: the principal diagnosis first, the lines as they will stand on the claim."""

    diagnoses: Annotated[tuple[Diagnosis, ...], Field(min_length=1, max_length=12)]
    lines: Annotated[tuple[CodeLine, ...], Field(min_length=1, max_length=50)]


class SignChargeSheet(Body):
    """A signature; who signs is who rendered. `covering` says so of a visit that names another practitioner."""

    covering: bool = False


class ChargeLineOut(Answer):
    """A service; `charge_cents` is the whole line, null until the sheet is signed."""

    number: int
    hcpcs_code: str
    modifiers: tuple[str, ...]
    units: int
    diagnosis_pointers: tuple[int, ...]
    charge_cents: int | None


class SupplyOut(Answer):
    """What the visit used of one lot, in the item's base unit."""

    item_id: UUID
    lot_id: UUID
    quantity: int
    unit_cost_micros: int
    hcpcs_code: str | None


class SuggestedLineOut(Answer):
    """A supply that may be billed under its own code."""

    hcpcs_code: str
    units: int


class SuppliesOut(Answer):
    """Supplies used by the visit, what they cost the practice, and which of them may be billed."""

    cost_cents: int
    currency: str
    lines: tuple[SupplyOut, ...]
    suggested_lines: tuple[SuggestedLineOut, ...]


class ChargeSheetSummary(Answer):
    """A charge sheet without clinical content; `served_at` is when the patient checked in.

    `self_pay_reason` says why the patient owes a signed charge; null before the signature and once a payer is asked.
    """

    id: UUID
    revision: int
    version: int
    state: SheetState
    visit_id: UUID
    visit_type_code: str
    patient_id: UUID
    location_id: UUID
    practitioner_id: UUID | None
    served_at: datetime
    self_pay_reason: str | None


class ChargeSheetOut(ChargeSheetSummary):
    """A charge sheet; `service_on` and `total_cents` are null until it is signed."""

    diagnoses: tuple[str, ...]
    lines: tuple[ChargeLineOut, ...]
    supplies: SuppliesOut | None
    service_on: date | None
    total_cents: int | None
    currency: str
