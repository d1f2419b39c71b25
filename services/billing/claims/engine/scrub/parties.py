"""Rules for everyone the claim names: providers, payer, insured and patient."""

from services.billing.claims.engine.claim import Address, Organization, PersonName, ProfessionalClaim
from services.billing.claims.engine.scrub.codes import (
    FILING_INDICATORS,
    FULL_POSTAL_CODE,
    POST_OFFICE_BOX,
    POSTAL_CODE,
    RELATIONSHIPS,
    STATES,
    TAX_ID,
    TAXONOMY,
    is_npi,
)
from services.billing.claims.engine.scrub.rule import (
    Case,
    Rule,
    error,
    on_claim,
    on_each_address,
    on_patient,
    warning,
)

OLDEST_PATIENT_YEARS = 120


def _is_named(name: Organization | PersonName) -> bool:
    if isinstance(name, Organization):
        return bool(name.name.strip())
    return bool(name.last.strip() and name.first.strip())


def _at_street(address: Address) -> bool:
    return not POST_OFFICE_BOX.search(f"{address.line1} {address.line2}")


def _own_rendering_npi(claim: ProfessionalClaim) -> bool:
    if claim.rendering is None or not isinstance(claim.billing.name, Organization):
        return True
    return claim.rendering.npi != claim.billing.npi


def _born_by(case: Case) -> bool:
    return case.treated.birth_on is None or case.treated.birth_on <= case.as_of


def _of_plausible_age(case: Case) -> bool:
    born = case.treated.birth_on
    return born is None or case.as_of.year - born.year <= OLDEST_PATIENT_YEARS


def _no_needless_demographics(claim: ProfessionalClaim) -> bool:
    insured = claim.subscriber
    return claim.patient is None or (insured.birth_on is None and not insured.gender and insured.address is None)


RULES: tuple[Rule, ...] = (
    error(
        "billing-name",
        "Billing provider name (2010AA NM103, NM104) is required: the organisation, or last and first name of "
        "the person.",
        on_claim("/billing/name", lambda claim: _is_named(claim.billing.name)),
    ),
    error(
        "billing-npi",
        "Billing provider NPI (2010AA NM109) must be 10 digits whose check digit holds; copy it from the NPI registry.",
        on_claim("/billing/npi", lambda claim: is_npi(claim.billing.npi)),
    ),
    error(
        "billing-tax-id",
        "Billing provider EIN (2010AA REF*EI) must be 9 digits without a hyphen.",
        on_claim("/billing/tax_id", lambda claim: bool(TAX_ID.fullmatch(claim.billing.tax_id))),
    ),
    error(
        "billing-taxonomy",
        "Billing provider taxonomy (2000A PRV03) must be a 10-character code that ends in a letter, such as "
        "207Q00000X.",
        on_claim(
            "/billing/taxonomy",
            lambda claim: not claim.billing.taxonomy or bool(TAXONOMY.fullmatch(claim.billing.taxonomy)),
        ),
    ),
    warning(
        "billing-taxonomy-missing",
        "Billing provider taxonomy (2000A PRV03) is left out and many payers need it; add the code the payer "
        "has on file.",
        on_claim("/billing/taxonomy", lambda claim: bool(claim.billing.taxonomy)),
    ),
    error(
        "billing-street",
        "Billing provider address (2010AA N3) must be a street, not a post office box; put the box in the "
        "pay-to address.",
        on_claim("/billing/address/line1", lambda claim: _at_street(claim.billing.address)),
    ),
    error(
        "billing-postal-code",
        "Billing provider postal code (2010AA N403) must be the full ZIP+4, 9 digits without a hyphen.",
        on_claim(
            "/billing/address/postal_code",
            lambda claim: bool(FULL_POSTAL_CODE.fullmatch(claim.billing.address.postal_code)),
        ),
    ),
    error(
        "rendering-required",
        "A rendering provider (2310B) is required when an organisation bills; name the person who did the work.",
        on_claim(
            "/rendering",
            lambda claim: claim.rendering is not None or not isinstance(claim.billing.name, Organization),
        ),
    ),
    error(
        "rendering-name",
        "Rendering provider name (2310B NM103, NM104) is required: last and first name of the person.",
        on_claim("/rendering/name", lambda claim: claim.rendering is None or _is_named(claim.rendering.name)),
    ),
    error(
        "rendering-npi",
        "Rendering provider NPI (2310B NM109) must be 10 digits whose check digit holds; copy it from the NPI "
        "registry.",
        on_claim("/rendering/npi", lambda claim: claim.rendering is None or is_npi(claim.rendering.npi)),
    ),
    error(
        "rendering-npi-of-group",
        "Rendering provider NPI (2310B NM109) must be the person's own, not that of the billing organisation.",
        on_claim("/rendering/npi", _own_rendering_npi),
    ),
    error(
        "rendering-taxonomy",
        "Rendering provider taxonomy (2310B PRV03) must be a 10-character code that ends in a letter, or left out.",
        on_claim(
            "/rendering/taxonomy",
            lambda claim: (
                claim.rendering is None
                or not claim.rendering.taxonomy
                or bool(TAXONOMY.fullmatch(claim.rendering.taxonomy))
            ),
        ),
    ),
    error(
        "facility-name",
        "Service facility name (2310C NM103) is required when a facility is given.",
        on_claim("/facility/name", lambda claim: claim.facility is None or bool(claim.facility.name.strip())),
    ),
    error(
        "facility-npi",
        "Service facility NPI (2310C NM109) must be 10 digits whose check digit holds, or left out.",
        on_claim(
            "/facility/npi",
            lambda claim: claim.facility is None or not claim.facility.npi or is_npi(claim.facility.npi),
        ),
    ),
    error(
        "facility-postal-code",
        "Service facility postal code (2310C N403) must be the full ZIP+4, 9 digits without a hyphen.",
        on_claim(
            "/facility/address/postal_code",
            lambda claim: (
                claim.facility is None or bool(FULL_POSTAL_CODE.fullmatch(claim.facility.address.postal_code))
            ),
        ),
    ),
    warning(
        "facility-repeats-billing",
        "Service facility (2310C) has the billing provider's address, so it will not be written; leave it out.",
        on_claim("/facility", lambda claim: claim.facility is None or claim.facility.address != claim.billing.address),
    ),
    error(
        "payer-name",
        "Payer name (2010BB NM103) is required.",
        on_claim("/payer/name", lambda claim: bool(claim.payer.name.strip())),
    ),
    error(
        "payer-id",
        "Payer id (2010BB NM109) is required, at least 2 characters; take it from the clearinghouse's payer list.",
        on_claim("/payer/payer_id", lambda claim: len(claim.payer.payer_id.strip()) > 1),
    ),
    error(
        "filing-indicator",
        "Claim filing indicator (SBR09) must be a code of the guide, such as CI, BL, HM, MB or MC.",
        on_claim("/payer/filing_indicator", lambda claim: claim.payer.filing_indicator in FILING_INDICATORS),
    ),
    error(
        "subscriber-name",
        "Insured's name (2010BA NM103, NM104) must have last and first name as on the insurance card.",
        on_claim("/subscriber/name", lambda claim: _is_named(claim.subscriber.name)),
    ),
    error(
        "member-id",
        "Member id (2010BA NM109) is required, at least 2 characters, as on the insurance card.",
        on_claim("/subscriber/member_id", lambda claim: len(claim.subscriber.member_id.strip()) > 1),
    ),
    warning(
        "subscriber-demographics",
        "The insured's address, birth date and gender (2010BA) are for an insured who is the patient; leave "
        "them out here.",
        on_claim("/subscriber", _no_needless_demographics),
    ),
    error(
        "patient-name",
        "Patient's name (2010CA NM103, NM104) must have last and first name.",
        on_claim("/patient/name", lambda claim: claim.patient is None or _is_named(claim.patient.name)),
    ),
    error(
        "patient-relationship",
        "Relationship of the patient to the insured (PAT01) must be 01, 19, 20, 21, 39, 40, 53 or G8.",
        on_claim(
            "/patient/relationship", lambda claim: claim.patient is None or claim.patient.relationship in RELATIONSHIPS
        ),
    ),
    error(
        "patient-birth-date",
        "Patient's birth date (DMG02) is required.",
        on_patient("birth_on", lambda case: case.treated.birth_on is not None),
    ),
    error(
        "patient-birth-in-future",
        "Patient's birth date (DMG02) must not be later than the day of the claim.",
        on_patient("birth_on", _born_by),
    ),
    warning(
        "patient-age",
        "Patient's birth date (DMG02) makes the patient older than 120 years; check the century.",
        on_patient("birth_on", _of_plausible_age),
    ),
    error(
        "patient-gender",
        "Patient's gender (DMG03) must be F, M or U.",
        on_patient("gender", lambda case: case.treated.gender in {"F", "M", "U"}),
    ),
    error(
        "patient-address",
        "Patient's address (N3, N4) is required.",
        on_patient("address", lambda case: case.treated.address is not None),
    ),
    error(
        "address-complete",
        "An address needs a first line (N301) and a city of at least 2 letters (N401).",
        on_each_address("line1", lambda address: bool(address.line1.strip()) and len(address.city.strip()) > 1),
    ),
    error(
        "address-state",
        "State (N402) must be the two-letter postal code of a state or territory.",
        on_each_address("state", lambda address: address.state in STATES),
    ),
    error(
        "address-postal-code",
        "Postal code (N403) must be 5 or 9 digits without a hyphen.",
        on_each_address("postal_code", lambda address: bool(POSTAL_CODE.fullmatch(address.postal_code))),
    ),
)
