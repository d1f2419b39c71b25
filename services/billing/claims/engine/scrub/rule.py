"""What a scrub rule is, and the few ways to say where it looks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.billing.claims.engine.claim import Address, Drug, Patient, ProfessionalClaim, ServiceLine, Subscriber
from services.billing.claims.engine.scrub.walk import Text


class Severity(StrEnum):
    """Say whether a finding stops the claim."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Bound the days on which the plan covers the patient, both included; None leaves that side open."""

    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Hold the claim with what a rule needs beside it."""

    claim: ProfessionalClaim
    as_of: date
    coverage: Coverage
    texts: tuple[Text, ...]

    @property
    def treated(self) -> Subscriber | Patient:
        """Return the patient, who may be the insured."""
        return self.claim.patient or self.claim.subscriber

    @property
    def treated_at(self) -> str:
        """Return the pointer to the patient."""
        return "/patient" if self.claim.patient else "/subscriber"


Check = Callable[[Case], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one row; the message names the field, the rule and what would work, `broken_at` yields JSON pointers."""

    id: str
    severity: Severity
    message: str
    broken_at: Check


@dataclass(frozen=True, slots=True)
class Finding:
    """Say which rule is broken where; `pointer` is a JSON pointer into the claim."""

    rule: str
    severity: Severity
    pointer: str
    message: str


def error(rule_id: str, message: str, broken_at: Check) -> Rule:
    """Make a rule that stops the claim."""
    return Rule(rule_id, Severity.ERROR, message, broken_at)


def warning(rule_id: str, message: str, broken_at: Check) -> Rule:
    """Make a rule that a person judges."""
    return Rule(rule_id, Severity.WARNING, message, broken_at)


def on_claim(pointer: str, holds: Callable[[ProfessionalClaim], bool]) -> Check:
    """Look at the claim as a whole."""
    return lambda case: () if holds(case.claim) else (pointer,)


def on_case(pointer: str, holds: Callable[[Case], bool]) -> Check:
    """Look at the claim with its dates."""
    return lambda case: () if holds(case) else (pointer,)


def on_patient(field: str, holds: Callable[[Case], bool]) -> Check:
    """Look at the patient, who may be the insured."""
    return lambda case: () if holds(case) else (f"{case.treated_at}/{field}",)


def on_each_line(field: str, holds: Callable[[ServiceLine], bool]) -> Check:
    """Look at every service line."""
    return lambda case: [f"/lines/{index}/{field}" for index, line in enumerate(case.claim.lines) if not holds(line)]


def on_each_dated_line(field: str, holds: Callable[[Case, ServiceLine], bool]) -> Check:
    """Look at every service line beside the dates of the case."""
    return lambda case: [
        f"/lines/{index}/{field}" for index, line in enumerate(case.claim.lines) if not holds(case, line)
    ]


def on_each_drug(field: str, holds: Callable[[Drug], bool]) -> Check:
    """Look at every line that names a drug."""
    return lambda case: [
        f"/lines/{index}/drug/{field}"
        for index, line in enumerate(case.claim.lines)
        if line.drug is not None and not holds(line.drug)
    ]


def on_each_address(field: str, holds: Callable[[Address], bool]) -> Check:
    """Look at every address on the claim."""
    return lambda case: [f"{pointer}/{field}" for pointer, address in _addresses(case.claim) if not holds(address)]


def _addresses(claim: ProfessionalClaim) -> Iterator[tuple[str, Address]]:
    yield "/billing/address", claim.billing.address
    optional = {
        "/billing/pay_to": claim.billing.pay_to,
        "/payer/address": claim.payer.address,
        "/subscriber/address": claim.subscriber.address,
        "/patient/address": claim.patient.address if claim.patient else None,
        "/facility/address": claim.facility.address if claim.facility else None,
    }
    for pointer, address in optional.items():
        if address is not None:
            yield pointer, address
