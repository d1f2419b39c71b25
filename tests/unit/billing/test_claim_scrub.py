"""Each scrub rule catches the mistake it is for, and nothing in a clean claim."""

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from typing import Any, NamedTuple

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.claims.engine.claim import Accident, Organization, PersonName, ProfessionalClaim
from services.billing.claims.engine.scrub import RULES, Coverage, Finding, Severity, scrub, scrub_batch
from services.billing.claims.engine.scrub.codes import PLACES_OF_SERVICE, STATES, is_npi
from services.billing.claims.engine.scrub.walk import texts_of
from tests.unit.billing.examples import (
    AS_OF,
    BILLING,
    CLEAN,
    CLEAN_OF_CHILD,
    CLEAN_WITH_EVERYTHING,
    HOME,
    RENDERING,
    SERVED_ON,
    SOLO,
    STREET,
    SUBSCRIBER,
    VISIT,
    batch_of,
    claim_of_lines,
    with_lines,
)

COVERAGE = Coverage(starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))
FULL = CLEAN_WITH_EVERYTHING
TOMORROW = AS_OF + timedelta(days=1)


def claim(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, **changes)


def child(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN_OF_CHILD, patient=replace(CLEAN_OF_CHILD.patient, **changes))


def insured(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, subscriber=replace(SUBSCRIBER, **changes))


def billing(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, billing=replace(BILLING, **changes))


def rendering(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, rendering=replace(RENDERING, **changes))


def facility(**changes: Any) -> ProfessionalClaim:
    return replace(FULL, facility=replace(FULL.facility, **changes))


def payer(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, payer=replace(CLEAN.payer, **changes))


def accident(**changes: Any) -> ProfessionalClaim:
    return replace(CLEAN, accident=replace(Accident(causes=("AA",), state="IL", occurred_on=SERVED_ON), **changes))


def visit(**changes: Any) -> ProfessionalClaim:
    """Change the first line and keep the total right."""
    return with_lines(CLEAN, replace(VISIT, **changes), CLEAN.lines[1])


def drug(**changes: Any) -> ProfessionalClaim:
    return with_lines(CLEAN, VISIT, replace(CLEAN.lines[1], drug=replace(CLEAN.lines[1].drug, **changes)))


class Mutation(NamedTuple):
    """A claim with one mistake: the rule that must catch it and where; `also` names rules that the mistake breaks too."""

    rule: str
    claim: ProfessionalClaim
    pointer: str
    also: frozenset[str] = frozenset()


LONG = "X" * 81
MUTATIONS = [
    Mutation("control-number", claim(control_number="C" * 21), "/control_number"),
    Mutation("control-number", claim(control_number="R03996273 #01"), "/control_number"),
    Mutation("control-number", claim(control_number=""), "/control_number"),
    Mutation("total-balance", claim(total_cents=16_551), "/total_cents"),
    Mutation("total-limit", visit(charge_cents=999_996_000), "/total_cents"),
    Mutation("place-of-service", claim(place_of_service="98"), "/place_of_service"),
    Mutation("place-of-service", claim(place_of_service=""), "/place_of_service"),
    Mutation("frequency", claim(frequency="2"), "/frequency"),
    Mutation("replacement-reference", claim(frequency="7"), "/payer_claim_number"),
    Mutation("replacement-reference", claim(frequency="8"), "/payer_claim_number"),
    Mutation("original-reference", claim(payer_claim_number="P1"), "/payer_claim_number"),
    Mutation("provider-signature", claim(signature_on_file=False), "/signature_on_file"),
    Mutation("assignment-code", claim(assignment="P"), "/assignment"),
    Mutation("benefits-assignment", claim(benefits_assignment=""), "/benefits_assignment"),
    Mutation("release-code", claim(release_of_information="N"), "/release_of_information"),
    Mutation("patient-signature-source", claim(patient_signature_source="B"), "/patient_signature_source"),
    Mutation("accident-cause", accident(causes=("AB",)), "/accident/causes"),
    Mutation("accident-cause", accident(causes=()), "/accident/causes"),
    Mutation("accident-cause", accident(causes=("EM", "EM")), "/accident/causes"),
    Mutation("accident-state", accident(state=""), "/accident/state"),
    Mutation("accident-state", accident(causes=("OA",), state="XX"), "/accident/state"),
    Mutation("accident-date", accident(occurred_on=None), "/accident/occurred_on"),
    Mutation("accident-date", accident(occurred_on=SERVED_ON + timedelta(1)), "/accident/occurred_on"),
    Mutation("onset-date", claim(onset_on=SERVED_ON + timedelta(1)), "/onset_on"),
    Mutation("diagnosis-required", claim(diagnoses=()), "/diagnoses", frozenset({"line-pointer-range"})),
    Mutation("diagnosis-limit", claim(diagnoses=tuple(f"E11{n:02}" for n in range(13))), "/diagnoses"),
    Mutation("diagnosis-shape", claim(diagnoses=("Z00.00", "M1711")), "/diagnoses/0"),
    Mutation("diagnosis-shape", claim(diagnoses=("Z0000", "ZZZZ9")), "/diagnoses/1"),
    Mutation("diagnosis-shape", claim(diagnoses=("Z0000", "m1711")), "/diagnoses/1"),
    Mutation("diagnosis-duplicate", claim(diagnoses=("Z0000", "Z0000")), "/diagnoses"),
    Mutation("diagnosis-external-cause", claim(diagnoses=("W1830XA", "M1711")), "/diagnoses/0"),
    Mutation("icd-revision", claim(icd_revision=9, diagnoses=("0340", "V7389")), "/icd_revision"),
    Mutation("billing-name", billing(name=Organization(name=" ")), "/billing/name", frozenset({"text-blanks"})),
    Mutation("billing-name", replace(SOLO, billing=replace(SOLO.billing, name=PersonName(last="X"))), "/billing/name"),
    Mutation("billing-npi", billing(npi="1234567890"), "/billing/npi"),
    Mutation("billing-npi", billing(npi="123456789"), "/billing/npi"),
    Mutation("billing-npi", billing(npi=""), "/billing/npi"),
    Mutation("billing-tax-id", billing(tax_id="12-3456789"), "/billing/tax_id"),
    Mutation("billing-taxonomy", billing(taxonomy="207Q0000X"), "/billing/taxonomy"),
    Mutation("billing-taxonomy-missing", billing(taxonomy=""), "/billing/taxonomy"),
    Mutation("billing-street", billing(address=replace(STREET, line1="P.O. Box 12")), "/billing/address/line1"),
    Mutation("billing-street", billing(address=replace(STREET, line2="LOCKBOX 3")), "/billing/address/line1"),
    Mutation(
        "billing-postal-code", billing(address=replace(STREET, postal_code="62701")), "/billing/address/postal_code"
    ),
    Mutation("rendering-required", claim(rendering=None), "/rendering"),
    Mutation("rendering-name", rendering(name=PersonName(last="TESTDOCTOR")), "/rendering/name"),
    Mutation("rendering-npi", rendering(npi="1003000127"), "/rendering/npi"),
    Mutation("rendering-npi-of-group", rendering(npi=BILLING.npi), "/rendering/npi"),
    Mutation("rendering-taxonomy", rendering(taxonomy="FAMILY"), "/rendering/taxonomy"),
    Mutation("facility-name", facility(name=""), "/facility/name"),
    Mutation("facility-npi", facility(npi="1245319590"), "/facility/npi"),
    Mutation(
        "facility-postal-code",
        facility(address=replace(HOME, postal_code="62701")),
        "/facility/address/postal_code",
    ),
    Mutation("facility-repeats-billing", facility(address=STREET), "/facility"),
    Mutation("payer-name", payer(name=""), "/payer/name"),
    Mutation("payer-id", payer(payer_id=""), "/payer/payer_id"),
    Mutation("payer-id", payer(payer_id="9"), "/payer/payer_id"),
    Mutation("filing-indicator", payer(filing_indicator="09"), "/payer/filing_indicator"),
    Mutation("subscriber-name", insured(name=PersonName(last="SAMPLEPERSON")), "/subscriber/name"),
    Mutation("member-id", insured(member_id="1"), "/subscriber/member_id"),
    Mutation("subscriber-demographics", replace(CLEAN_OF_CHILD, subscriber=SUBSCRIBER), "/subscriber"),
    Mutation("patient-name", child(name=PersonName(last="", first="KIT")), "/patient/name"),
    Mutation("patient-relationship", child(relationship="18"), "/patient/relationship"),
    Mutation("patient-birth-date", insured(birth_on=None), "/subscriber/birth_on"),
    Mutation("patient-birth-date", child(birth_on=None), "/patient/birth_on"),
    Mutation(
        "patient-birth-in-future",
        child(birth_on=TOMORROW),
        "/patient/birth_on",
        frozenset({"line-date-before-birth"}),
    ),
    Mutation("patient-age", insured(birth_on=date(1880, 5, 17)), "/subscriber/birth_on"),
    Mutation("patient-gender", insured(gender=""), "/subscriber/gender"),
    Mutation("patient-gender", child(gender="X"), "/patient/gender"),
    Mutation("patient-address", insured(address=None), "/subscriber/address"),
    Mutation("patient-address", child(address=None), "/patient/address"),
    Mutation("address-complete", insured(address=replace(HOME, city="")), "/subscriber/address/line1"),
    Mutation("address-complete", billing(pay_to=replace(STREET, line1="")), "/billing/pay_to/line1"),
    Mutation("address-state", child(address=replace(HOME, state="XX")), "/patient/address/state"),
    Mutation("address-state", payer(address=replace(HOME, state="il")), "/payer/address/state"),
    Mutation(
        "address-postal-code", insured(address=replace(HOME, postal_code="6270")), "/subscriber/address/postal_code"
    ),
    Mutation(
        "address-postal-code",
        facility(address=replace(HOME, postal_code="62701-0001")),
        "/facility/address/postal_code",
        frozenset({"facility-postal-code"}),
    ),
    Mutation("line-count", with_lines(CLEAN), "/lines"),
    Mutation("line-count", claim_of_lines(51), "/lines"),
    Mutation("line-numbers", visit(number=2), "/lines"),
    Mutation("line-procedure", visit(procedure="GABCD"), "/lines/0/procedure"),
    Mutation("line-procedure", visit(procedure="G04"), "/lines/0/procedure"),
    Mutation("line-procedure", visit(procedure="g0439"), "/lines/0/procedure"),
    Mutation("line-procedure-dental", visit(procedure="D0120"), "/lines/0/procedure"),
    Mutation("line-modifier-shape", visit(modifiers=("2",)), "/lines/0/modifiers"),
    Mutation("line-modifier-limit", visit(modifiers=("25", "59", "LT", "XS", "GA")), "/lines/0/modifiers"),
    Mutation("line-modifier-duplicate", visit(modifiers=("25", "25")), "/lines/0/modifiers"),
    Mutation("line-charge", visit(charge_cents=0), "/lines/0/charge_cents"),
    Mutation("line-charge", visit(charge_cents=-100), "/lines/0/charge_cents"),
    Mutation("line-charge-limit", visit(charge_cents=10**9), "/lines/0/charge_cents", frozenset({"total-limit"})),
    Mutation("line-units", visit(units=0), "/lines/0/units"),
    Mutation("line-units", visit(units=1.5), "/lines/0/units"),
    Mutation("line-units", visit(units=True), "/lines/0/units"),
    Mutation("line-pointer-required", visit(pointers=()), "/lines/0/pointers"),
    Mutation(
        "line-pointer-limit",
        with_lines(
            claim(diagnoses=("E119", "I10", "J069", "M1711", "Z0000")), replace(VISIT, pointers=(1, 2, 3, 4, 5))
        ),
        "/lines/0/pointers",
    ),
    Mutation("line-pointer-range", visit(pointers=(3,)), "/lines/0/pointers"),
    Mutation("line-pointer-range", visit(pointers=(0,)), "/lines/0/pointers"),
    Mutation("line-pointer-duplicate", visit(pointers=(1, 1)), "/lines/0/pointers"),
    Mutation("line-date-in-future", visit(served_on=TOMORROW), "/lines/0/served_on"),
    Mutation("line-date-in-future", visit(served_through=TOMORROW), "/lines/0/served_on"),
    Mutation("line-date-order", visit(served_through=SERVED_ON - timedelta(1)), "/lines/0/served_through"),
    Mutation("line-date-before-birth", insured(birth_on=SERVED_ON + timedelta(1)), "/lines/0/served_on"),
    Mutation("line-date-before-coverage", visit(served_on=date(2025, 12, 31)), "/lines/0/served_on"),
    Mutation(
        "line-date-old",
        visit(served_on=date(2025, 3, 1)),
        "/lines/0/served_on",
        frozenset({"line-date-before-coverage"}),
    ),
    Mutation("line-control-number-missing", visit(control_number=""), "/lines/0/control_number"),
    Mutation("line-control-number-duplicate", visit(control_number="C1-2"), "/lines/1/control_number"),
    Mutation(
        "line-duplicate",
        with_lines(CLEAN, VISIT, replace(VISIT, number=2, control_number="C1-2")),
        "/lines/1/procedure",
    ),
    Mutation("drug-ndc", drug(ndc="00003-0293-05"), "/lines/1/drug/ndc"),
    Mutation("drug-quantity", drug(quantity_thousandths=0), "/lines/1/drug/quantity_thousandths"),
    Mutation("drug-unit", drug(unit="EA"), "/lines/1/drug/unit"),
    Mutation("drug-missing", with_lines(CLEAN, VISIT, replace(CLEAN.lines[1], drug=None)), "/lines/1/drug"),
    Mutation("text-characters", insured(name=PersonName(last="MUÑOZ", first="PAT")), "/subscriber/name/last"),
    Mutation("text-characters", payer(name="A~B"), "/payer/name"),
    Mutation("text-length", claim(prior_authorization=LONG), "/prior_authorization"),
    Mutation("text-length", insured(member_id=LONG), "/subscriber/member_id"),
    Mutation("text-length", visit(control_number="L" * 31), "/lines/0/control_number"),
    Mutation("text-blanks", insured(group_number=" GROUP1"), "/subscriber/group_number"),
]


def rules_in(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.rule} {mutation.pointer}")
def test_a_mistake_is_caught_by_its_rule_where_it_is(mutation: Mutation) -> None:
    findings = scrub(mutation.claim, AS_OF, COVERAGE)
    assert rules_in(findings) == {mutation.rule} | mutation.also
    assert mutation.pointer in {finding.pointer for finding in findings if finding.rule == mutation.rule}


def test_a_service_after_the_coverage_is_caught() -> None:
    findings = scrub(CLEAN, AS_OF, Coverage(ends_on=SERVED_ON - timedelta(days=1)))
    assert [(finding.rule, finding.pointer) for finding in findings] == [
        ("line-date-after-coverage", "/lines/0/served_on"),
        ("line-date-after-coverage", "/lines/1/served_on"),
    ]


def test_every_rule_has_a_mistake_that_it_catches() -> None:
    caught = {mutation.rule for mutation in MUTATIONS} | {"line-date-after-coverage"}
    assert caught == {rule.id for rule in RULES}
    assert len(RULES) == len(caught)


@pytest.mark.parametrize(
    "clean", [CLEAN, CLEAN_OF_CHILD, CLEAN_WITH_EVERYTHING, SOLO, claim_of_lines(50), claim_of_lines(1), accident()]
)
def test_a_clean_claim_has_no_findings(clean: ProfessionalClaim) -> None:
    assert scrub(clean, AS_OF, COVERAGE) == []


@pytest.mark.parametrize(
    "clean",
    [
        insured(birth_on=SERVED_ON),
        claim(onset_on=SERVED_ON),
        claim(total_cents=999_999_999, lines=(replace(VISIT, charge_cents=999_999_999),)),
        claim(diagnoses=tuple(f"E11{n:02}" for n in range(12))),
        visit(served_on=AS_OF, served_through=AS_OF),
        visit(served_on=COVERAGE.starts_on),
        visit(modifiers=("25", "59", "LT", "XS")),
        visit(procedure="0001F"),
        with_lines(CLEAN, VISIT, replace(VISIT, number=2, modifiers=("25", "76"), control_number="C1-2")),
        rendering(taxonomy=""),
        facility(npi=""),
        claim(diagnoses=("U071", "W1830XA")),
        claim(control_number="C-1.2"),
        billing(address=replace(STREET, line1="5 BOXWOOD ROAD")),
        accident(causes=("EM",), state=""),
    ],
)
def test_what_is_just_within_the_rules_has_no_findings(clean: ProfessionalClaim) -> None:
    assert scrub(clean, AS_OF, COVERAGE) == []


def test_a_claim_of_the_older_diagnosis_codes_is_clean_before_their_end() -> None:
    served_on = date(2015, 9, 30)
    older = with_lines(
        claim(icd_revision=9, diagnoses=("0340", "V7389")),
        replace(VISIT, served_on=served_on),
    )
    assert scrub(older, date(2015, 10, 2)) == []
    assert rules_in(scrub(replace(older, icd_revision=10), date(2015, 10, 2))) == {"diagnosis-shape", "icd-revision"}


def test_the_first_and_the_last_day_of_the_coverage_are_covered() -> None:
    assert scrub(CLEAN, AS_OF, Coverage(starts_on=SERVED_ON, ends_on=SERVED_ON)) == []


def test_without_coverage_dates_no_service_is_outside_them() -> None:
    assert scrub(visit(served_on=date(2025, 12, 31)), AS_OF) == []


def test_a_finding_carries_severity_and_message_of_its_rule() -> None:
    (finding,) = scrub(claim(signature_on_file=False), AS_OF)
    (rule,) = [rule for rule in RULES if rule.id == "provider-signature"]
    assert finding == Finding(rule.id, Severity.WARNING, "/signature_on_file", rule.message)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_message_is_a_sentence_that_names_its_segment(rule: Any) -> None:
    assert rule.message.endswith(".")
    assert "(" in rule.message or rule.id.startswith("text-")
    assert not any(word in rule.message for word in ("SAMPLEPERSON", "TESTDOCTOR"))


def test_claims_of_a_batch_must_not_share_their_control_number() -> None:
    findings = scrub_batch(batch_of(CLEAN, SOLO, CLEAN), AS_OF)
    assert [(finding.rule, finding.pointer) for finding in findings] == [
        ("control-number-shared", "/claims/0/control_number"),
        ("control-number-shared", "/claims/2/control_number"),
    ]


def test_findings_of_a_batch_point_at_their_claim() -> None:
    (finding,) = scrub_batch(batch_of(CLEAN, replace(SOLO, total_cents=1)), AS_OF)
    assert (finding.rule, finding.pointer) == ("total-balance", "/claims/1/total_cents")
    assert scrub_batch(batch_of(CLEAN, SOLO), AS_OF) == []


@settings(deadline=None)
@given(st.integers(1_000_000_00, 2_999_999_99), st.integers(0, 9))
def test_one_check_digit_in_ten_makes_an_npi(stem: int, digit: int) -> None:
    accepted = [last for last in range(10) if is_npi(f"{stem}{last}")]
    assert len(accepted) == 1
    swapped = f"{stem}{accepted[0]}"
    wrong = f"{swapped[:4]}{digit}{swapped[5:]}"
    assert is_npi(wrong) == (wrong == swapped)


def test_the_text_rules_see_every_text_of_a_claim() -> None:
    seen = {text.value for text in texts_of(CLEAN_WITH_EVERYTHING)}
    assert {"9 OTHER WAY", "KIT"}.isdisjoint(seen)
    assert {"TESTDOCTOR", "PO BOX 9", "1 PAYER PLAZA", "APT 2", "M1711", "25", "00003029305", "AUTH1", "EM"} <= seen
    assert {"KIT"} <= {text.value for text in texts_of(CLEAN_OF_CHILD)}


def test_places_and_states_are_those_the_independent_validator_knows() -> None:
    lists = {
        codeset.findtext("id"): {code.text for code in codeset.iter("code")}
        for codeset in fromstring((files("pyx12") / "map" / "codes.xml").read_text(encoding="utf-8")).iter("codeset")
    }
    assert lists["pos"] == PLACES_OF_SERVICE
    assert STATES - lists["states"] == {"PW"}, "Palau, which the postal service lists"
