"""Clean claims of a fictional practice, and ways to draw many of them."""

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from services.billing.claims.engine.claim import (
    Accident,
    Address,
    Batch,
    BillingProvider,
    Contact,
    Drug,
    Organization,
    Patient,
    Payer,
    PersonName,
    ProfessionalClaim,
    Receiver,
    RenderingProvider,
    ServiceFacility,
    ServiceLine,
    Submitter,
    Subscriber,
)
from services.billing.claims.engine.codec import Delimiters
from services.billing.claims.engine.professional import Envelope

AS_OF = date(2026, 3, 2)
SERVED_ON = date(2026, 2, 20)

STREET = Address(line1="100 EXAMPLE STREET", city="SPRINGFIELD", state="IL", postal_code="627010001")
HOME = Address(line1="7 SAMPLE LANE", line2="APT 2", city="SPRINGFIELD", state="IL", postal_code="62704")
BILLING = BillingProvider(
    name=Organization(name="EXAMPLE FAMILY PRACTICE"),
    npi="1234567893",
    taxonomy="207Q00000X",
    tax_id="123456789",
    address=STREET,
)
RENDERING = RenderingProvider(name=PersonName(last="TESTDOCTOR", first="LEE"), npi="1003000126", taxonomy="207Q00000X")
PAYER = Payer(name="EXAMPLE HEALTH PLAN", payer_id="99999", filing_indicator="CI")
SUBSCRIBER = Subscriber(
    name=PersonName(last="SAMPLEPERSON", first="PAT", middle="Q", suffix="JR"),
    member_id="W00000001",
    group_number="GROUP1",
    birth_on=date(1980, 5, 17),
    gender="F",
    address=HOME,
)
INSURED_OF_CHILD = replace(SUBSCRIBER, birth_on=None, gender="", address=None)
CHILD = Patient(
    name=PersonName(last="SAMPLEPERSON", first="KIT"),
    relationship="19",
    birth_on=date(2015, 9, 1),
    gender="M",
    address=HOME,
)
VISIT = ServiceLine(
    number=1,
    procedure="G0439",
    modifiers=("25",),
    charge_cents=12_550,
    units=1,
    pointers=(1, 2),
    served_on=SERVED_ON,
    control_number="C1-1",
)
INJECTION = ServiceLine(
    number=2,
    procedure="J3301",
    charge_cents=4_000,
    units=4,
    pointers=(2,),
    served_on=SERVED_ON,
    control_number="C1-2",
    drug=Drug(ndc="00003029305", quantity_thousandths=1_500, unit="ML"),
)
CLEAN = ProfessionalClaim(
    control_number="C1",
    total_cents=16_550,
    place_of_service="11",
    diagnoses=("Z0000", "M1711"),
    billing=BILLING,
    payer=PAYER,
    subscriber=SUBSCRIBER,
    rendering=RENDERING,
    lines=(VISIT, INJECTION),
)
CLEAN_OF_CHILD = replace(CLEAN, control_number="C2", subscriber=INSURED_OF_CHILD, patient=CHILD)
CLEAN_WITH_EVERYTHING = replace(
    CLEAN,
    control_number="C3",
    frequency="7",
    payer_claim_number="PAYERCLAIM1",
    patient_signature_source="P",
    accident=Accident(causes=("AA", "EM"), state="IL", occurred_on=date(2026, 2, 1)),
    onset_on=date(2026, 2, 10),
    prior_authorization="AUTH1",
    trace_number="TRACE1",
    billing=replace(BILLING, pay_to=replace(STREET, line1="PO BOX 9")),
    payer=replace(PAYER, address=replace(STREET, line1="1 PAYER PLAZA")),
    facility=ServiceFacility(
        name="EXAMPLE SURGERY CENTER", npi="1245319599", address=replace(STREET, line1="2 OTHER ROAD")
    ),
    lines=(replace(VISIT, served_through=SERVED_ON), INJECTION),
)
SOLO = replace(
    CLEAN,
    control_number="C4",
    billing=replace(BILLING, name=PersonName(last="TESTDOCTOR", first="LEE"), npi="1003000126"),
    rendering=None,
)
ENVELOPE = Envelope(
    sender="EXAMPLEPRACTICE",
    receiver="EXAMPLEHOUSE",
    control_number=905,
    group_control_number=17,
    transaction_control_number=21,
    usage="T",
)


def batch_of(*claims: ProfessionalClaim) -> Batch:
    """Put claims into a batch of the fictional practice."""
    return Batch(
        reference="BATCH1",
        written_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        submitter=Submitter(
            name="EXAMPLE FAMILY PRACTICE",
            identifier="SUBMITTER1",
            contact=Contact(name="FRONT DESK", phone="5555550100", extension="12", email="DESK@EXAMPLE.COM"),
        ),
        receiver=Receiver(name="EXAMPLE CLEARINGHOUSE", identifier="HOUSE1"),
        claims=claims,
    )


def with_lines(claim: ProfessionalClaim, *lines: ServiceLine) -> ProfessionalClaim:
    """Give a claim other lines and the total that fits them."""
    return replace(claim, lines=lines, total_cents=sum(line.charge_cents for line in lines))


def claim_of_lines(count: int) -> ProfessionalClaim:
    """Make a clean claim of so many lines."""
    lines = (
        replace(VISIT, number=number, modifiers=("76",), control_number=f"C1-{number}")
        for number in range(1, count + 1)
    )
    return with_lines(CLEAN, *lines)


# No mark below occurs in the values that the strategies draw.
MARKS = "*^:~|!>+;=%[]_{}\\<#$`\"&'"
delimiters = st.builds(
    lambda marks, terminator, line_break: Delimiters(marks[0], marks[1], marks[2], terminator or marks[3], line_break),
    st.permutations(MARKS),
    st.sampled_from(["", "", "\n", "\x1d"]),
    st.sampled_from(["", "\n", "\r\n"]),
)
words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=10)
days = st.dates(date(2016, 1, 1), SERVED_ON)
addresses = st.builds(
    Address,
    line1=words,
    line2=st.just("") | words,
    city=words,
    state=st.sampled_from(["IL", "CA", "PR"]),
    postal_code=st.from_regex(r"[1-9][0-9]{8}", fullmatch=True),
)
people = st.builds(PersonName, last=words, first=words, middle=st.just("") | words, suffix=st.sampled_from(["", "JR"]))
billing_providers = st.builds(
    BillingProvider,
    name=people | st.builds(Organization, name=words),
    npi=st.sampled_from(["1234567893", "1245319599"]),
    taxonomy=st.sampled_from(["", "207Q00000X"]),
    tax_id=st.from_regex(r"[0-9]{9}", fullmatch=True),
    address=addresses,
    pay_to=st.none() | addresses,
)
payers = st.builds(
    Payer, name=words, payer_id=words, filing_indicator=st.sampled_from(["CI", "MB"]), address=st.none() | addresses
)
genders = st.sampled_from(["F", "M", "U"])
insured_patients = st.builds(
    Subscriber,
    name=people,
    member_id=words,
    group_number=st.just("") | words,
    birth_on=st.dates(date(1920, 1, 1), date(2015, 1, 1)),
    gender=genders,
    address=addresses,
)
dependents = st.builds(
    Patient,
    name=people,
    relationship=st.sampled_from(["01", "19", "G8"]),
    birth_on=st.dates(date(1920, 1, 1), date(2015, 1, 1)),
    gender=genders,
    address=addresses,
)
drugs = st.builds(
    Drug,
    ndc=st.from_regex(r"[0-9]{11}", fullmatch=True),
    quantity_thousandths=st.integers(1, 9_999_999),
    unit=st.sampled_from(["ML", "UN", "F2"]),
)


@st.composite
def service_lines(draw: st.DrawFn, number: int, diagnoses: int) -> ServiceLine:
    """Draw a line of a claim with so many diagnoses."""
    return ServiceLine(
        number=number,
        procedure=draw(st.sampled_from(["G0402", "G0439", "J3301", "A4550"])),
        modifiers=tuple(draw(st.lists(st.sampled_from(["25", "59", "LT", "XS"]), unique=True))),
        charge_cents=draw(st.integers(1, 999_999)),
        units=draw(st.integers(1, 999)),
        pointers=tuple(draw(st.lists(st.integers(1, diagnoses), min_size=1, max_size=4, unique=True))),
        served_on=draw(days),
        served_through=draw(st.none() | st.just(SERVED_ON)),
        control_number=draw(st.just("") | words),
        drug=draw(st.none() | drugs),
    )


@st.composite
def professional_claims(draw: st.DrawFn) -> ProfessionalClaim:
    """Draw a claim that the guide allows, of the insured or of a dependent."""
    diagnoses = draw(st.lists(st.sampled_from(["Z0000", "M1711", "E119", "I10", "J069"]), min_size=1, unique=True))
    lines = [draw(service_lines(number, len(diagnoses))) for number in range(1, draw(st.integers(1, 4)) + 1)]
    insured, patient = draw(insured_patients), draw(st.none() | dependents)
    if patient is not None:
        insured = replace(insured, birth_on=None, gender="", address=None)
    frequency = draw(st.sampled_from("178"))
    accident = st.builds(Accident, causes=st.just(("AA",)), state=st.just("IL"), occurred_on=days)
    facility = st.builds(ServiceFacility, name=words, npi=st.sampled_from(["", "1245319599"]), address=addresses)
    return ProfessionalClaim(
        control_number=draw(words),
        total_cents=sum(line.charge_cents for line in lines),
        place_of_service=draw(st.sampled_from(["11", "22"])),
        frequency=frequency,
        payer_claim_number="" if frequency == "1" else draw(words),
        signature_on_file=draw(st.booleans()),
        assignment=draw(st.sampled_from("ABC")),
        benefits_assignment=draw(st.sampled_from("YNW")),
        release_of_information=draw(st.sampled_from("YI")),
        patient_signature_source=draw(st.sampled_from(["", "P"])),
        accident=draw(st.none() | accident),
        onset_on=draw(st.none() | days),
        prior_authorization=draw(st.just("") | words),
        trace_number=draw(st.just("") | words),
        diagnoses=tuple(diagnoses),
        billing=draw(billing_providers),
        payer=draw(payers),
        subscriber=insured,
        patient=patient,
        rendering=draw(st.none() | st.just(RENDERING)),
        facility=draw(st.none() | facility),
        lines=tuple(lines),
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Draw a batch in which neighbours often share provider, insured and patient."""
    claims = draw(st.lists(professional_claims(), min_size=1, max_size=4))
    shared = [
        replace(claim, billing=claims[0].billing, subscriber=claims[0].subscriber, payer=claims[0].payer)
        if claim.patient is not None and claims[0].patient is not None
        else claim
        for claim in claims
    ]
    elsewhere = [
        replace(claim, facility=None) if claim.facility and claim.facility.address == claim.billing.address else claim
        for claim in shared  # A facility at the billing provider's own address is not written.
    ]
    return batch_of(*(replace(claim, control_number=f"C{number}") for number, claim in enumerate(elsewhere)))
