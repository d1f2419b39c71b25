"""Rules of charge sheets: their states, what may be coded, what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Protocol
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Forbidden, Invalid, NotFound, TransitionRefused
from services.billing.payers.domain import MOST_CHARGE_CENTS, spelled

DIAGNOSES: Final = "billing.charge-sheet.diagnoses"
"""Purpose under which the diagnoses of a charge sheet are sealed."""

SELF_PAY: Final = "no-active-primary-coverage"

Step = Literal["code", "sign", "amend"]

TRANSITIONS: Final[dict[tuple[str, Step], str]] = {
    ("open", "code"): "coded",
    ("open", "amend"): "open",
    ("coded", "code"): "coded",
    ("coded", "sign"): "signed",
    ("coded", "amend"): "reopened",
    ("signed", "amend"): "reopened",
    ("reopened", "code"): "coded",
    ("reopened", "amend"): "reopened",
}
"""State and step -> next state; what is not listed is refused. Amending a signed sheet starts its next version."""


ADVICE: Final[dict[tuple[str, Step], str]] = {
    ("open", "sign"): "The charge sheet has no coding yet: code it first.",
    ("reopened", "sign"): "The visit was amended: check the coding and code it again first.",
    ("signed", "code"): "It is already signed: amend the visit to have it coded anew.",
    ("signed", "sign"): "It is already signed.",
}
"""State and refused step -> what to do instead."""

ICD_PATTERN: Final = r"^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?$"

spelled_diagnosis = spelled(
    ICD_PATTERN, "Write a diagnosis as an ICD-10-CM code in capital letters, such as E11.9 or I10."
)


class ChargeSheetUnknown(NotFound):
    """No such charge sheet in this practice."""

    code = "charge-sheet-unknown"
    title = "There is no such charge sheet"


class SignerNotLinked(Forbidden):
    """Who codes or signs answers for it as a person of the practice."""

    code = "signer-not-linked"
    title = "Your user is not linked to a staff member: have the manager link it, then code and sign"


class NotYourVisit(Conflict):
    """The visit names another practitioner; the fact `practitioner_id` says whom."""

    code = "not-your-visit"
    title = "The visit names another practitioner: sign with `covering` true when you render it in their place"


class CoverageNotBillable(Conflict):
    """The charge of this sheet cannot be moved from the patient to a payer; the fact `reason` says why in one word."""

    code = "coverage-not-billable"
    title = "This charge cannot be billed to a coverage"


class FeeMissing(Invalid):
    """A code has no price on the day of the service."""

    code = "fee-missing"
    title = "A line has no fee"


class LineTooDear(Invalid):
    """A line costs more than a claim can carry (9,999,999.99)."""

    code = "line-too-dear"
    title = "A line costs too much"


class CodedLine(Protocol):
    """What coding says about one line."""

    @property
    def hcpcs_code(self) -> str:
        """Return the code of the service."""
        ...

    @property
    def modifiers(self) -> Sequence[str]:
        """Return up to four modifiers."""
        ...

    @property
    def units(self) -> int:
        """Return how often the service was done."""
        ...

    @property
    def diagnosis_pointers(self) -> Sequence[int]:
        """Return places of diagnoses, counted from 1."""
        ...


class Prices(Protocol):
    """One fee schedule."""

    @property
    def name(self) -> str:
        """Return what people call the schedule."""
        ...

    @property
    def fees(self) -> Mapping[tuple[str, str], int]:
        """Return unit prices in cents by code and modifier; the empty modifier prices the code without one."""
        ...


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """A supply used by the visit that may be billed under its own code."""

    hcpcs_code: str
    units: int


def next_state(state: str, step: Step, revision: int) -> str:
    """Return the state after `step`; raises TransitionRefused for a step that the table does not list."""
    if (state, step) not in TRANSITIONS:
        refusal = TransitionRefused(
            "charge sheet", state, (other for at, other in TRANSITIONS if at == state), revision
        )
        refusal.detail = ADVICE[state, step]
        raise refusal
    return TRANSITIONS[state, step]


def require_linked(staff_member_id: UUID | None) -> UUID:
    """Return the staff member who acts; raises SignerNotLinked for a user that is linked to none."""
    if staff_member_id is None:
        raise SignerNotLinked
    return staff_member_id


def require_own_visit(signer_id: UUID, practitioner_id: UUID | None, is_covering: bool) -> None:
    """Refuse a signature under another practitioner's visit unless the signer says to have covered it; raises NotYourVisit."""
    if practitioner_id not in (None, signer_id) and not is_covering:
        raise NotYourVisit(facts={"practitioner_id": practitioner_id})


def require_self_pay(state: str, self_pay_reason: str | None) -> None:
    """Refuse a sheet that is not signed, or whose charge a payer is asked for already; raises CoverageNotBillable."""
    if state != "signed":
        raise CoverageNotBillable(
            "The charge sheet is not signed: code and sign it, and its coverage is found by itself.",
            facts={"reason": "not-signed"},
        )
    if self_pay_reason is None:
        raise CoverageNotBillable(
            "A payer is asked for this charge already: see the claim of the visit.", facts={"reason": "payer-asked"}
        )


def no_coverage_on(service_on: date) -> CoverageNotBillable:
    """Return the refusal of a charge whose patient has no primary coverage on the day of service."""
    return CoverageNotBillable(
        f"No primary coverage is valid on {service_on.isoformat()}: record the one that was, then bill it.",
        facts={"reason": SELF_PAY},
    )


def plain_icd(code: str) -> str:
    """Return an ICD-10-CM code without its dot, as claims carry it."""
    return code.replace(".", "")


def dotted_icd(code: str) -> str:
    """Return an ICD-10-CM code with its dot, as people write it."""
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


def require_sound_coding(diagnoses: Sequence[str], lines: Sequence[CodedLine]) -> None:
    """Refuse a diagnosis or modifier given twice, and a pointer at no diagnosis or twice at one; raises Invalid naming each."""
    errors = []
    for place, code in enumerate(diagnoses):
        if code in diagnoses[:place]:
            errors.append(
                FieldError(f"/diagnoses/{place}", "once", "This diagnosis already stands above: keep it once.")
            )
    for place, line in enumerate(lines):
        if len(set(line.modifiers)) < len(line.modifiers):
            errors.append(FieldError(f"/lines/{place}/modifiers", "once", "Give each modifier once."))
        pointers = line.diagnosis_pointers
        if len(set(pointers)) < len(pointers) or max(pointers) > len(diagnoses):
            message = f"Point at different diagnoses, counted from 1 to {len(diagnoses)}."
            errors.append(FieldError(f"/lines/{place}/diagnosis_pointers", "known-diagnosis", message))
    if errors:
        raise Invalid(errors=errors)


def line_charges(lines: Sequence[CodedLine], schedules: Sequence[Prices], on: date) -> list[int]:
    """Return each line's charge in cents: the unit price of the first schedule that prices its code, times its units.

    A schedule's price for one of the line's modifiers, the earlier first, goes before its price without one. Raises FeeMissing
    naming every code without a price, and LineTooDear.
    """
    prices = [_unit_price(line, schedules) for line in lines]
    names = ", ".join(schedule.name for schedule in schedules) or "none"
    missing = [
        FieldError(
            f"/lines/{place}/hcpcs_code",
            "fee-on-service-date",
            f"{line.hcpcs_code} has no fee on {on.isoformat()} (fee schedules valid then: {names}): add it to one of them.",
        )
        for place, (line, price) in enumerate(zip(lines, prices, strict=True))
        if price is None
    ]
    if missing:
        raise FeeMissing(errors=missing)
    charges = [line.units * price for line, price in zip(lines, prices, strict=True) if price is not None]
    _require_bearable(charges)
    return charges


def _unit_price(line: CodedLine, schedules: Sequence[Prices]) -> int | None:
    for schedule in schedules:
        for modifier in (*line.modifiers, ""):
            if (line.hcpcs_code, modifier) in schedule.fees:
                return schedule.fees[line.hcpcs_code, modifier]
    return None


def _require_bearable(charges: Sequence[int]) -> None:
    message = "One line carries at most 9,999,999.99: bill fewer units on it."
    errors = [
        FieldError(f"/lines/{place}/units", "line-limit", message)
        for place, cents in enumerate(charges)
        if cents > MOST_CHARGE_CENTS
    ]
    if errors:
        raise LineTooDear(errors=errors)


def suggested_lines(supplies: Sequence[Mapping[str, object]]) -> list[SuggestedLine]:
    """Return the supplies that have a billing code, one line per code in code order, with the units used in all."""
    units: dict[str, int] = {}
    for supply in supplies:
        code, quantity = supply["hcpcs_code"], supply["quantity"]
        if isinstance(code, str) and isinstance(quantity, int) and quantity > 0:
            units[code] = units.get(code, 0) + quantity
    return [SuggestedLine(code, units[code]) for code in sorted(units)]
