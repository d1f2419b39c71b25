"""Events of billing: charges, claims and the ledger. Diagnoses never travel."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from praxis.contracts.event import Event, Part


class ChargedLine(Part):
    """One priced service; `charge_cents` is the whole line, not the unit."""

    hcpcs_code: str
    modifiers: tuple[str, ...] = ()
    units: int
    charge_cents: int


class ChargeCapturedV1(Event):
    """A provider signed the charge sheet of a visit, or the sheet was voided (no lines)."""

    TYPE: ClassVar[str] = "praxis.billing.charge.captured.v1"
    AGGREGATE: ClassVar[str] = "charge_sheet_id"

    charge_sheet_id: UUID
    visit_id: UUID
    status: Literal["signed", "voided"]
    service_on: date
    lines: tuple[ChargedLine, ...]
    total_cents: int
    currency: str


class ClaimReadiedV1(Event):
    """A claim passed every rule and its 837P is stored."""

    TYPE: ClassVar[str] = "praxis.billing.claim.readied.v1"
    AGGREGATE: ClassVar[str] = "claim_id"

    claim_id: UUID
    visit_id: UUID
    charge_sheet_id: UUID
    payer_id: UUID
    total_cents: int
    currency: str


class Posting(Part):
    """One side of an entry: positive `debit_cents` or positive `credit_cents`, never both."""

    account: str
    debit_cents: int
    credit_cents: int


class EntryPostedV1(Event):
    """A balanced ledger entry; entries never change, so `revision` is always 1."""

    TYPE: ClassVar[str] = "praxis.billing.entry.posted.v1"
    AGGREGATE: ClassVar[str] = "entry_id"

    entry_id: UUID
    number: int
    accounting_on: date
    source_type: str
    source_id: UUID
    postings: tuple[Posting, ...]
    currency: str
