"""Rules of the ledger: the chart of accounts, what balances, how entries are chained."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from praxis.kit.problems import Conflict, Problem

INSURANCE_RECEIVABLE: Final = "1100"
PATIENT_RECEIVABLE: Final = "1110"
GROSS_CHARGES: Final = "4000"

ACCOUNTS: Final[dict[str, str]] = {
    "1010": "Bank",
    "1020": "Till cash",
    "1030": "Card clearing",
    "1040": "Remittance clearing",
    "1100": "Receivable from insurance",
    "1110": "Receivable from patients",
    "1150": "Payer forward balances",
    "1200": "Supplies on hand",
    "2010": "Accounts payable",
    "2020": "Goods received, not billed",
    "2100": "Patient credits",
    "2110": "Unapplied payer money",
    "2120": "Refunds payable",
    "2130": "Payer overpayments",
    "4000": "Gross charges",
    "4900": "Contractual adjustments",
    "4910": "Denials written off",
    "4920": "Bad debt",
    "4930": "Courtesy and small balances",
    "4940": "No-show fees",
    "4950": "Interest from payers",
    "5100": "Medical supplies used",
    "5200": "Office supplies",
    "5300": "Services",
    "5400": "Labour",
    "5900": "Card fees",
    "9000": "Suspense",
}
"""The chart of accounts, number -> name; the database knows the same numbers."""

GENESIS: Final = bytes(32)
"""What the first entry of a practice is chained to."""


class AlreadyPosted(Conflict):
    """An entry has one cause: the same source is posted once for each purpose."""

    code = "already-posted"
    title = "This is already in the ledger"


REFUSALS: Final[dict[str, type[Problem]]] = {"ledger_entries_source": AlreadyPosted}


@dataclass(frozen=True, slots=True)
class Side:
    """One posting: an account with a positive debit or a positive credit."""

    account: str
    debit_cents: int = 0
    credit_cents: int = 0

    def reversed(self) -> "Side":
        """Return the posting that undoes this one."""
        return Side(self.account, self.credit_cents, self.debit_cents)


@dataclass(frozen=True, slots=True)
class Cause:
    """What an entry is for; the three together occur once in a ledger."""

    source_type: str
    source_id: UUID
    purpose: str


def charged(receivable: str, total_cents: int) -> tuple[Side, Side]:
    """Return the postings of a charge: the receivable owes, gross charges earned."""
    return Side(receivable, debit_cents=total_cents), Side(GROSS_CHARGES, credit_cents=total_cents)


def moved_to_insurance(total_cents: int) -> tuple[Side, Side]:
    """Return the postings of a charge that a payer is asked for after all: insurance owes what the patient owed."""
    return Side(INSURANCE_RECEIVABLE, debit_cents=total_cents), Side(PATIENT_RECEIVABLE, credit_cents=total_cents)


def balanced_total(sides: Sequence[Side]) -> int:
    """Return what either side of an entry sums to; ValueError for an entry that does not balance or has an empty posting.

    Callers make entries from amounts that balance, so an unbalanced one is a defect and not a refusal.
    """
    one_sided = all((side.debit_cents > 0) != (side.credit_cents > 0) for side in sides)
    negative = any(side.debit_cents < 0 or side.credit_cents < 0 for side in sides)
    debits, credits = sum(side.debit_cents for side in sides), sum(side.credit_cents for side in sides)
    if len(sides) < 2 or not one_sided or negative or debits != credits:
        raise ValueError("an entry has two or more one-sided postings and its debits equal its credits")
    return debits


def entry_hash(
    previous: bytes, number: int, accounting_on: date, cause: Cause, currency: str, sides: Sequence[Side]
) -> bytes:
    """Return the SHA-256 that chains an entry to the one before: 32 bytes over the previous hash and the entry as JSON."""
    content = {
        "number": number,
        "accounting_on": accounting_on.isoformat(),
        "source": [cause.source_type, str(cause.source_id), cause.purpose],
        "currency": currency,
        "postings": [[side.account, side.debit_cents, side.credit_cents] for side in sides],
    }
    return hashlib.sha256(previous + json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()
