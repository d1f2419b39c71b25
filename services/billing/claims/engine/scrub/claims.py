"""Rules for the claim itself: amounts, codes of the CLM segment, accident and diagnoses."""

from datetime import date

from services.billing.claims.engine.claim import ProfessionalClaim
from services.billing.claims.engine.scrub.codes import (
    ACCIDENT_CAUSES,
    CONTROL_NUMBER,
    EXTERNAL_CAUSE,
    ICD_9_CM,
    ICD_10_CM,
    PLACES_OF_SERVICE,
    STATES,
)
from services.billing.claims.engine.scrub.rule import Case, Rule, error, on_case, on_claim, warning

MOST_CENTS = 999_999_999
MOST_DIAGNOSES = 12
ICD_10_STARTS_ON = date(2015, 10, 1)


def _first_service(claim: ProfessionalClaim) -> date:
    return min((line.served_on for line in claim.lines), default=date.max)


def _accident_causes_known(claim: ProfessionalClaim) -> bool:
    causes = claim.accident.causes if claim.accident else ("OA",)
    return 1 <= len(causes) <= 2 and len(set(causes)) == len(causes) and ACCIDENT_CAUSES.issuperset(causes)


def _accident_state_known(claim: ProfessionalClaim) -> bool:
    if claim.accident is None:
        return True
    return claim.accident.state in (STATES if "AA" in claim.accident.causes else STATES | {""})


def _accident_day_sound(case: Case) -> bool:
    if case.claim.accident is None:
        return True
    day = case.claim.accident.occurred_on
    return day is not None and day <= min(case.as_of, _first_service(case.claim))


def _diagnoses_shaped(case: Case) -> list[str]:
    shape = ICD_9_CM if case.claim.icd_revision == 9 else ICD_10_CM
    return [f"/diagnoses/{index}" for index, code in enumerate(case.claim.diagnoses) if not shape.fullmatch(code)]


def _revision_fits(claim: ProfessionalClaim) -> bool:
    revisions = {10 if line.served_on >= ICD_10_STARTS_ON else 9 for line in claim.lines}
    return revisions <= {claim.icd_revision}


RULES: tuple[Rule, ...] = (
    error(
        "control-number",
        "Claim control number (CLM01) must be 1 to 20 letters, digits, dots or hyphens, because the "
        "remittance brings it back.",
        on_claim("/control_number", lambda claim: bool(CONTROL_NUMBER.fullmatch(claim.control_number))),
    ),
    error(
        "total-balance",
        "Total charge (CLM02) must equal the sum of the line charges (SV102); correct the line that differs "
        "or the total.",
        on_claim("/total_cents", lambda claim: claim.total_cents == sum(line.charge_cents for line in claim.lines)),
    ),
    error(
        "total-limit",
        "Total charge (CLM02) must not pass 9,999,999.99; split the lines over several claims.",
        on_claim("/total_cents", lambda claim: claim.total_cents <= MOST_CENTS),
    ),
    error(
        "place-of-service",
        "Place of service (CLM05-1) must be a two-digit code of the CMS list, such as 11 for the office.",
        on_claim("/place_of_service", lambda claim: claim.place_of_service in PLACES_OF_SERVICE),
    ),
    error(
        "frequency",
        "Claim frequency (CLM05-3) must be 1 for an original, 7 for a replacement or 8 for a void.",
        on_claim("/frequency", lambda claim: claim.frequency in {"1", "7", "8"}),
    ),
    error(
        "replacement-reference",
        "A replacement or void (CLM05-3 is 7 or 8) needs the payer's number of the earlier claim (REF*F8), "
        "found in the 277 or 835.",
        on_claim(
            "/payer_claim_number", lambda claim: claim.frequency not in {"7", "8"} or bool(claim.payer_claim_number)
        ),
    ),
    warning(
        "original-reference",
        "An original claim (CLM05-3 is 1) names no earlier claim (REF*F8); set frequency 7 or leave the number out.",
        on_claim("/payer_claim_number", lambda claim: claim.frequency != "1" or not claim.payer_claim_number),
    ),
    warning(
        "provider-signature",
        "Provider signature on file (CLM06) is N and most payers then refuse; set Y once the signature is on file.",
        on_claim("/signature_on_file", lambda claim: claim.signature_on_file),
    ),
    error(
        "assignment-code",
        "Assignment (CLM07) must be A for assigned, B for laboratory services only or C for not assigned.",
        on_claim("/assignment", lambda claim: claim.assignment in {"A", "B", "C"}),
    ),
    error(
        "benefits-assignment",
        "Benefits assignment (CLM08) must be Y, N, or W when the patient refuses to assign.",
        on_claim("/benefits_assignment", lambda claim: claim.benefits_assignment in {"Y", "N", "W"}),
    ),
    error(
        "release-code",
        "Release of information (CLM09) must be Y for a signed statement or I for informed consent.",
        on_claim("/release_of_information", lambda claim: claim.release_of_information in {"Y", "I"}),
    ),
    error(
        "patient-signature-source",
        "Patient signature source (CLM10) must be P, when the provider signed for the patient, or left out.",
        on_claim("/patient_signature_source", lambda claim: claim.patient_signature_source in {"", "P"}),
    ),
    error(
        "accident-cause",
        "Related causes (CLM11) must be one or two different codes of AA for a car, EM for work, OA for "
        "another accident.",
        on_claim("/accident/causes", _accident_causes_known),
    ),
    error(
        "accident-state",
        "A car accident (CLM11 is AA) needs the state where it happened (CLM11-4) as its two-letter postal code.",
        on_claim("/accident/state", _accident_state_known),
    ),
    error(
        "accident-date",
        "Accident date (DTP*439) must be given and must not be later than the first service.",
        on_case("/accident/occurred_on", _accident_day_sound),
    ),
    error(
        "onset-date",
        "Onset of the illness (DTP*431) must not be later than the first service; correct it or leave it out.",
        on_claim("/onset_on", lambda claim: claim.onset_on is None or claim.onset_on <= _first_service(claim)),
    ),
    error(
        "diagnosis-required",
        "A principal diagnosis (HI01) is required; add the condition that the visit was mainly for.",
        on_claim("/diagnoses", lambda claim: bool(claim.diagnoses)),
    ),
    error(
        "diagnosis-limit",
        "Diagnoses (HI) must not be more than 12; keep those that the lines point at.",
        on_claim("/diagnoses", lambda claim: len(claim.diagnoses) <= MOST_DIAGNOSES),
    ),
    error(
        "diagnosis-shape",
        "Diagnosis (HI) must be shaped like an ICD-10-CM code without its dot: a letter, a digit and 1 to 5 "
        "more characters.",
        _diagnoses_shaped,
    ),
    error(
        "diagnosis-duplicate",
        "Diagnoses (HI) must differ from one another; point the lines at the first and remove the second.",
        on_claim("/diagnoses", lambda claim: len(set(claim.diagnoses)) == len(claim.diagnoses)),
    ),
    error(
        "diagnosis-external-cause",
        "Principal diagnosis (HI01) must be a condition, not an external cause (V00 to Y99); list the injury first.",
        on_claim(
            "/diagnoses/0",
            lambda claim: claim.icd_revision != 10 or not any(map(EXTERNAL_CAUSE.match, claim.diagnoses[:1])),
        ),
    ),
    error(
        "icd-revision",
        "Diagnoses (HI) must be ICD-10 for services from 2015-10-01 and ICD-9 before; split a claim that "
        "spans the day.",
        on_claim("/icd_revision", _revision_fits),
    ),
)
