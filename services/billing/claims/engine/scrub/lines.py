"""Rules for service lines: codes, amounts, pointers, dates and drugs."""

from collections.abc import Hashable, Iterator, Sequence
from datetime import date

from services.billing.claims.engine.claim import ServiceLine
from services.billing.claims.engine.scrub.claims import MOST_CENTS
from services.billing.claims.engine.scrub.codes import DRUG_UNITS, MODIFIER, NDC, PROCEDURE, REPEAT_MODIFIERS
from services.billing.claims.engine.scrub.rule import (
    Case,
    Rule,
    error,
    on_claim,
    on_each_dated_line,
    on_each_drug,
    on_each_line,
    warning,
)

MOST_LINES = 50
MOST_UNITS = 99_999
MOST_MODIFIERS = 4
MOST_POINTERS = 4
OLD_AFTER_DAYS = 365


def _differs(values: Sequence[Hashable]) -> bool:
    return len(set(values)) == len(values)


def _last_day(line: ServiceLine) -> date:
    return line.served_through or line.served_on


def _after_birth(case: Case, line: ServiceLine) -> bool:
    return case.treated.birth_on is None or line.served_on >= case.treated.birth_on


def _after_coverage_starts(case: Case, line: ServiceLine) -> bool:
    return case.coverage.starts_on is None or line.served_on >= case.coverage.starts_on


def _before_coverage_ends(case: Case, line: ServiceLine) -> bool:
    return case.coverage.ends_on is None or _last_day(line) <= case.coverage.ends_on


def _pointed_at(case: Case, line: ServiceLine) -> bool:
    return all(1 <= pointer <= len(case.claim.diagnoses) for pointer in line.pointers)


def _repeated_services(case: Case) -> Iterator[str]:
    seen: set[tuple[str, frozenset[str], date]] = set()
    for index, line in enumerate(case.claim.lines):
        service = (line.procedure, frozenset(line.modifiers), line.served_on)
        if service in seen and REPEAT_MODIFIERS.isdisjoint(line.modifiers):
            yield f"/lines/{index}/procedure"
        seen.add(service)


def _repeated_control_numbers(case: Case) -> Iterator[str]:
    seen: set[str] = set()
    for index, line in enumerate(case.claim.lines):
        if line.control_number in seen:
            yield f"/lines/{index}/control_number"
        elif line.control_number:
            seen.add(line.control_number)


RULES: tuple[Rule, ...] = (
    error(
        "line-count",
        "A claim has 1 to 50 service lines (LX); split it from the 51st on.",
        on_claim("/lines", lambda claim: 1 <= len(claim.lines) <= MOST_LINES),
    ),
    error(
        "line-numbers",
        "Line numbers (LX01) must count 1, 2, 3 without gaps.",
        on_claim("/lines", lambda claim: [line.number for line in claim.lines] == list(range(1, len(claim.lines) + 1))),
    ),
    error(
        "line-procedure",
        "Procedure (SV101-2) must be shaped like a HCPCS code: a letter and 4 digits, or 5 digits of which "
        "the last may be a letter.",
        on_each_line("procedure", lambda line: bool(PROCEDURE.fullmatch(line.procedure))),
    ),
    error(
        "line-procedure-dental",
        "Procedure (SV101-2) is a dental code (D); bill it on a dental claim (837D).",
        on_each_line("procedure", lambda line: not line.procedure.startswith("D")),
    ),
    error(
        "line-modifier-shape",
        "Modifier (SV101-3 to 6) must be two capital letters or digits.",
        on_each_line("modifiers", lambda line: all(map(MODIFIER.fullmatch, line.modifiers))),
    ),
    error(
        "line-modifier-limit",
        "Modifiers (SV101-3 to 6) must not be more than 4 on a line.",
        on_each_line("modifiers", lambda line: len(line.modifiers) <= MOST_MODIFIERS),
    ),
    error(
        "line-modifier-duplicate",
        "Modifiers (SV101-3 to 6) must differ from one another; remove the second.",
        on_each_line("modifiers", lambda line: _differs(line.modifiers)),
    ),
    error(
        "line-charge",
        "Line charge (SV102) must be more than zero; leave out lines that charge nothing.",
        on_each_line("charge_cents", lambda line: line.charge_cents > 0),
    ),
    error(
        "line-charge-limit",
        "Line charge (SV102) must not pass 9,999,999.99.",
        on_each_line("charge_cents", lambda line: line.charge_cents <= MOST_CENTS),
    ),
    error(
        "line-units",
        "Units (SV104) must be a whole number from 1 to 99,999.",
        on_each_line("units", lambda line: type(line.units) is int and 1 <= line.units <= MOST_UNITS),
    ),
    error(
        "line-pointer-required",
        "A line needs a diagnosis pointer (SV107-1); point at the diagnosis that the service was for.",
        on_each_line("pointers", lambda line: bool(line.pointers)),
    ),
    error(
        "line-pointer-limit",
        "Diagnosis pointers (SV107) must not be more than 4 on a line.",
        on_each_line("pointers", lambda line: len(line.pointers) <= MOST_POINTERS),
    ),
    error(
        "line-pointer-range",
        "Diagnosis pointer (SV107) must count a diagnosis that the claim has, the first being 1.",
        on_each_dated_line("pointers", _pointed_at),
    ),
    error(
        "line-pointer-duplicate",
        "Diagnosis pointers (SV107) must differ from one another; remove the second.",
        on_each_line("pointers", lambda line: _differs(line.pointers)),
    ),
    error(
        "line-date-in-future",
        "Date of service (DTP*472) must not be later than the day the payer receives the claim; wait or "
        "correct the date.",
        on_each_dated_line("served_on", lambda case, line: _last_day(line) <= case.as_of),
    ),
    error(
        "line-date-order",
        "Date of service (DTP*472) must end on or after the day it starts.",
        on_each_line("served_through", lambda line: _last_day(line) >= line.served_on),
    ),
    error(
        "line-date-before-birth",
        "Date of service (DTP*472) must not be before the patient's birth date (DMG02); correct the one that is wrong.",
        on_each_dated_line("served_on", _after_birth),
    ),
    error(
        "line-date-before-coverage",
        "Date of service (DTP*472) must not be before the coverage starts; bill the plan that covered that day.",
        on_each_dated_line("served_on", _after_coverage_starts),
    ),
    error(
        "line-date-after-coverage",
        "Date of service (DTP*472) must not be after the coverage ends; bill the plan that covered that day.",
        on_each_dated_line("served_on", _before_coverage_ends),
    ),
    warning(
        "line-date-old",
        "Date of service (DTP*472) is more than a year ago, past the filing limit of most payers; check the year.",
        on_each_dated_line("served_on", lambda case, line: (case.as_of - line.served_on).days <= OLD_AFTER_DAYS),
    ),
    warning(
        "line-control-number-missing",
        "Line control number (REF*6R) is left out, so the remittance can only be matched by code and date; "
        "number each line.",
        on_each_line("control_number", lambda line: bool(line.control_number)),
    ),
    error(
        "line-control-number-duplicate",
        "Line control numbers (REF*6R) must differ from one another within the claim.",
        _repeated_control_numbers,
    ),
    warning(
        "line-duplicate",
        "Procedure (SV101) stands on two lines of the same day; add the units up, or tell them apart with a "
        "modifier such as 76.",
        _repeated_services,
    ),
    error(
        "drug-ndc",
        "Drug code (LIN03) must be the 11-digit NDC without hyphens; fill the short part of a 10-digit one "
        "with a zero.",
        on_each_drug("ndc", lambda drug: bool(NDC.fullmatch(drug.ndc))),
    ),
    error(
        "drug-quantity",
        "Drug quantity (CTP04) must be more than zero.",
        on_each_drug("quantity_thousandths", lambda drug: drug.quantity_thousandths > 0),
    ),
    error(
        "drug-unit",
        "Drug unit (CTP05-1) must be F2, GR, ME, ML or UN.",
        on_each_drug("unit", lambda drug: drug.unit in DRUG_UNITS),
    ),
    warning(
        "drug-missing",
        "A drug procedure (J code) has no NDC (LIN, CTP), which Medicaid and many other payers need; add the "
        "code on the package.",
        on_each_line("drug", lambda line: line.drug is not None or not line.procedure.startswith("J")),
    ),
)
