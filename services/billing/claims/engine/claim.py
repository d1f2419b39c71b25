"""A professional claim as an 837P carries it (005010X222A1).

Values are plain and unchecked: `scrub` says what is wrong with them, the writer refuses only what X12 cannot carry.
An empty string or None means that the guide's segment is left out.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Name a non-person (NM102 = 2)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """Name a person (NM102 = 1)."""

    last: str
    first: str = ""
    middle: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Hold a United States address; `postal_code` is 5 or 9 digits without a hyphen (N3, N4)."""

    line1: str
    line2: str = ""
    city: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Hold whom to call (PER); `phone` is 10 digits."""

    name: str
    phone: str
    extension: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Name who sends the file (1000A)."""

    name: str
    identifier: str
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Name who gets the file (1000B)."""

    name: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProvider:
    """Hold who bills (2000A, 2010AA); codes without punctuation, `pay_to` only when it differs (2010AB)."""

    name: Organization | PersonName
    npi: str
    taxonomy: str = ""
    tax_id: str
    address: Address
    pay_to: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderingProvider:
    """Hold who did the work (2310B)."""

    name: Organization | PersonName
    npi: str
    taxonomy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacility:
    """Hold where the work was done (2310C)."""

    name: str
    npi: str = ""
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Hold who is asked to pay (2010BB); `filing_indicator` is SBR09."""

    name: str
    payer_id: str
    filing_indicator: str
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Hold the insured (2000B, 2010BA).

    Birth date, gender and address are for the insured who is the patient; for the insured of a dependent the guide
    leaves them out.
    """

    name: PersonName
    member_id: str
    group_number: str = ""
    birth_on: date | None = None
    gender: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Hold the patient who is not the insured (2000C, 2010CA); `relationship` is PAT01."""

    name: PersonName
    relationship: str
    birth_on: date | None = None
    gender: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accident:
    """Hold why the patient was hurt: one or two of AA, EM, OA (CLM11), and the day (DTP*439); AA needs `state`."""

    causes: tuple[str, ...]
    state: str = ""
    occurred_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """Hold the drug of a line (2410): 11-digit NDC without hyphens; `unit` is F2, GR, ME, ML or UN."""

    ndc: str
    quantity_thousandths: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """Hold a service line (2400); `pointers` count the claim's diagnoses from 1, `units` are SV103 = UN.

    `served_through` makes the date a range, also when it is the same day. `control_number` is REF*6R, which comes
    back in the 835.
    """

    number: int
    procedure: str
    modifiers: tuple[str, ...] = ()
    charge_cents: int
    units: int
    pointers: tuple[int, ...]
    served_on: date
    served_through: date | None = None
    control_number: str = ""
    drug: Drug | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfessionalClaim:
    """Hold one claim (2300) with everyone it names.

    No `patient` means that the insured is the patient (SBR02 = 18). `frequency` is 1 original, 7 replacement or 8
    void; 7 and 8 need `payer_claim_number` (REF*F8). `diagnoses` are codes without the dot, the first one principal,
    of ICD revision `icd_revision` (10, or 9 before 2015-10-01). `prior_authorization` is REF*G1, `trace_number`
    REF*D9.
    """

    control_number: str
    total_cents: int
    place_of_service: str
    frequency: str = "1"
    payer_claim_number: str = ""
    signature_on_file: bool = True
    assignment: str = "A"
    benefits_assignment: str = "Y"
    release_of_information: str = "Y"
    patient_signature_source: str = ""
    accident: Accident | None = None
    onset_on: date | None = None
    prior_authorization: str = ""
    trace_number: str = ""
    icd_revision: int = 10
    diagnoses: tuple[str, ...]
    billing: BillingProvider
    payer: Payer
    subscriber: Subscriber
    patient: Patient | None = None
    rendering: RenderingProvider | None = None
    facility: ServiceFacility | None = None
    lines: tuple[ServiceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Hold the claims of one transaction set, in the order they are written.

    `reference` (BHT03, at most 30 characters) names the batch at the submitter; `purpose` is BHT06, CH for claims
    that ask for payment, RP for reports. `written_at` is aware UTC and kept to the minute.
    """

    reference: str
    written_at: datetime
    submitter: Submitter
    receiver: Receiver
    claims: tuple[ProfessionalClaim, ...]
    purpose: str = "CH"
