"""Rules of charge sheets: their states, what may be coded, what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Protocol

from praxis.kit.problems import FieldError, Invalid, NotFound, TransitionRefused
from services.billing.payers.domain import MOST_CHARGE_CENTS

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


class ChargeSheetUnknown(NotFound):
    """No such charge sheet in this practice."""

    code = "charge-sheet-unknown"
    title = "There is no such charge sheet"


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
        raise TransitionRefused("charge sheet", state, (other for at, other in TRANSITIONS if at == state), revision)
    return TRANSITIONS[state, step]


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
