"""Write a batch of professional claims as an 837P file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby

from services.billing.claims.engine.claim import (
    Accident,
    Address,
    Batch,
    BillingProvider,
    Drug,
    Organization,
    Patient,
    PersonName,
    ProfessionalClaim,
    ServiceLine,
    Submitter,
    Subscriber,
)
from services.billing.claims.engine.codec import (
    Delimiters,
    Element,
    Group,
    Interchange,
    Segment,
    Transaction,
    X12Error,
    composite,
    segment,
    write,
)
from services.billing.claims.engine.values import date_text, money_text, thousandths_text

GUIDE = "005010X222A1"
MOST_CLAIMS = 5000
CLAIMS_PER_LEVEL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Say who exchanges the file and under which numbers.

    `control_number` (ISA13), `group_control_number` (GS06) and `transaction_control_number` (ST02) are 1 to
    999,999,999; the caller never gives the same one twice to a receiver. The application codes (GS02, GS03) are the
    ids of the ISA unless set. `usage` is P for production or T for test.
    """

    sender: str
    receiver: str
    control_number: int
    group_control_number: int
    transaction_control_number: int
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    application_sender: str = ""
    application_receiver: str = ""
    acknowledgment_requested: bool = False
    usage: str = "P"
    delimiters: Delimiters = field(default_factory=Delimiters)


def write_professional(batch: Batch, envelope: Envelope) -> str:
    """Write one interchange with one group and one transaction set holding all claims of the batch.

    Claims are written as they stand: `scrub` them before. Raises X12Error for a batch without claims, with more than
    5,000 or with a claim control number twice, for a control number out of range, and for a value that X12 cannot
    carry.
    """
    _require_writable(batch, envelope)
    transaction = Transaction(
        kind="837",
        control_number=f"{envelope.transaction_control_number:04}",
        version=GUIDE,
        segments=tuple(professional_segments(batch)),
    )
    group = Group(
        kind="HC",
        sender=envelope.application_sender or envelope.sender,
        receiver=envelope.application_receiver or envelope.receiver,
        date=date_text(batch.written_at.date()),
        time=f"{batch.written_at:%H%M}",
        control_number=str(envelope.group_control_number),
        version=GUIDE,
        transactions=(transaction,),
    )
    interchange = Interchange(
        sender_qualifier=envelope.sender_qualifier,
        sender=envelope.sender,
        receiver_qualifier=envelope.receiver_qualifier,
        receiver=envelope.receiver,
        date=group.date[2:],
        time=group.time,
        control_number=f"{envelope.control_number:09}",
        acknowledgment_requested="1" if envelope.acknowledgment_requested else "0",
        usage=envelope.usage,
        delimiters=envelope.delimiters,
        groups=(group,),
    )
    return write(interchange)


def _require_writable(batch: Batch, envelope: Envelope) -> None:
    if not 1 <= len(batch.claims) <= MOST_CLAIMS:
        raise X12Error(f"a batch holds 1 to {MOST_CLAIMS} claims; split it", tag="ST")
    if len({claim.control_number for claim in batch.claims}) < len(batch.claims):
        raise X12Error("two claims share a control number; each needs its own", tag="CLM", element=1)
    if batch.written_at.utcoffset() != timedelta(0):
        raise X12Error("written_at must be aware UTC", tag="BHT", element=4)
    numbers = {
        ("ISA", 13): envelope.control_number,
        ("GS", 6): envelope.group_control_number,
        ("ST", 2): envelope.transaction_control_number,
    }
    for (tag, element), number in numbers.items():
        if not 1 <= number <= 999_999_999:
            raise X12Error("a control number is 1 to 999999999", tag=tag, element=element)


def professional_segments(batch: Batch) -> Iterator[Segment]:
    """Yield what stands between ST and SE: BHT, submitter, receiver and the HL tree with the claims in their order."""
    written_on, written_time = date_text(batch.written_at.date()), f"{batch.written_at:%H%M}"
    yield segment("BHT", "0019", "00", batch.reference, written_on, written_time, batch.purpose)
    yield from _submitter(batch.submitter)
    yield _name("40", Organization(name=batch.receiver.name), "46", batch.receiver.identifier)
    level = 0
    for billing, billed in groupby(batch.claims, lambda claim: claim.billing):
        level += 1
        provider_level = level
        yield segment("HL", str(level), "", "20", "1")
        yield from _billing_provider(billing)
        for insured in _runs(billed, lambda claim: (claim.subscriber, claim.payer, claim.patient is None)):
            level += 1
            subscriber_level = level
            yield from _subscriber(insured[0], level, provider_level)
            for treated in _runs(insured, lambda claim: claim.patient):
                if treated[0].patient is not None:
                    level += 1
                    yield from _patient(treated[0].patient, level, subscriber_level)
                for claim in treated:
                    yield from _claim(claim)


def _runs(
    claims: Iterable[ProfessionalClaim], key: Callable[[ProfessionalClaim], object]
) -> Iterator[list[ProfessionalClaim]]:
    """Cut claims into runs of the same key, as long as a level may hold claims (2300 repeats 100 times)."""
    for _, same in groupby(claims, key):
        run = list(same)
        for start in range(0, len(run), CLAIMS_PER_LEVEL):
            yield run[start : start + CLAIMS_PER_LEVEL]


def _submitter(submitter: Submitter) -> Iterator[Segment]:
    contact = submitter.contact
    reach = ["TE", contact.phone]
    if contact.extension:
        reach += ["EX", contact.extension]
    if contact.email:
        reach += ["EM", contact.email]
    yield _name("41", Organization(name=submitter.name), "46", submitter.identifier)
    yield segment("PER", "IC", contact.name, *reach)


def _billing_provider(billing: BillingProvider) -> Iterator[Segment]:
    if billing.taxonomy:
        yield segment("PRV", "BI", "PXC", billing.taxonomy)
    name = _name("85", billing.name, "XX", billing.npi)
    yield name
    yield from _address(billing.address)
    yield segment("REF", "EI", billing.tax_id)
    if billing.pay_to is not None:
        yield segment("NM1", "87", name.elements[1])
        yield from _address(billing.pay_to)


def _subscriber(claim: ProfessionalClaim, level: int, parent: int) -> Iterator[Segment]:
    subscriber, payer = claim.subscriber, claim.payer
    children, relationship = ("0", "18") if claim.patient is None else ("1", "")
    yield segment("HL", str(level), str(parent), "22", children)
    yield segment("SBR", "P", relationship, subscriber.group_number, "", "", "", "", "", payer.filing_indicator)
    yield _name("IL", subscriber.name, "MI", subscriber.member_id)
    yield from _person(subscriber)
    yield _name("PR", Organization(name=payer.name), "PI", payer.payer_id)
    if payer.address is not None:
        yield from _address(payer.address)


def _patient(patient: Patient, level: int, parent: int) -> Iterator[Segment]:
    yield segment("HL", str(level), str(parent), "23", "0")
    yield segment("PAT", patient.relationship)
    yield _name("QC", patient.name)
    yield from _person(patient)


def _claim(claim: ProfessionalClaim) -> Iterator[Segment]:
    yield segment(
        "CLM",
        claim.control_number,
        money_text(claim.total_cents),
        "",
        "",
        composite(claim.place_of_service, "B", claim.frequency),
        "Y" if claim.signature_on_file else "N",
        claim.assignment,
        claim.benefits_assignment,
        claim.release_of_information,
        claim.patient_signature_source,
        _causes(claim.accident),
    )
    if claim.onset_on is not None:
        yield _day("431", claim.onset_on)
    if claim.accident is not None and claim.accident.occurred_on is not None:
        yield _day("439", claim.accident.occurred_on)
    references = {"G1": claim.prior_authorization, "F8": claim.payer_claim_number, "D9": claim.trace_number}
    for qualifier, number in references.items():
        if number:
            yield segment("REF", qualifier, number)
    if claim.diagnoses:
        first, later = ("ABK", "ABF") if claim.icd_revision == 10 else ("BK", "BF")
        yield segment("HI", (first, claim.diagnoses[0]), *((later, code) for code in claim.diagnoses[1:]))
    yield from _places(claim)
    for line in claim.lines:
        yield from _line(line)


def _causes(accident: Accident | None) -> Element:
    if accident is None:
        return ""
    return composite(*(*accident.causes, "", "", "")[:3], accident.state)


def _places(claim: ProfessionalClaim) -> Iterator[Segment]:
    """Yield who rendered and where, each only when it differs from the billing provider."""
    if claim.rendering is not None and claim.rendering.npi != claim.billing.npi:
        yield _name("82", claim.rendering.name, "XX", claim.rendering.npi)
        if claim.rendering.taxonomy:
            yield segment("PRV", "PE", "PXC", claim.rendering.taxonomy)
    if claim.facility is not None and claim.facility.address != claim.billing.address:
        yield _name("77", Organization(name=claim.facility.name), "XX", claim.facility.npi)
        yield from _address(claim.facility.address)


def _line(line: ServiceLine) -> Iterator[Segment]:
    procedure = composite("HC", line.procedure, *line.modifiers)
    pointers = composite(*map(str, line.pointers))
    yield segment("LX", str(line.number))
    yield segment("SV1", procedure, money_text(line.charge_cents), "UN", str(line.units), "", "", pointers)
    yield _day("472", line.served_on, line.served_through)
    if line.control_number:
        yield segment("REF", "6R", line.control_number)
    if line.drug is not None:
        yield from _drug(line.drug)


def _drug(drug: Drug) -> Iterator[Segment]:
    yield segment("LIN", "", "N4", drug.ndc)
    yield segment("CTP", "", "", "", thousandths_text(drug.quantity_thousandths), drug.unit)


def _name(entity: str, name: Organization | PersonName, qualifier: str = "", identifier: str = "") -> Segment:
    known = (qualifier, identifier) if identifier else ()
    if isinstance(name, Organization):
        return segment("NM1", entity, "2", name.name, "", "", "", "", *known)
    return segment("NM1", entity, "1", name.last, name.first, name.middle, "", name.suffix, *known)


def _person(person: Subscriber | Patient) -> Iterator[Segment]:
    if person.address is not None:
        yield from _address(person.address)
    if person.birth_on is not None or person.gender:
        born = date_text(person.birth_on) if person.birth_on is not None else ""
        yield segment("DMG", "D8", born, person.gender)


def _address(address: Address) -> Iterator[Segment]:
    yield segment("N3", address.line1, address.line2)
    yield segment("N4", address.city, address.state, address.postal_code)


def _day(qualifier: str, first: date, last: date | None = None) -> Segment:
    if last is None:
        return segment("DTP", qualifier, "D8", date_text(first))
    return segment("DTP", qualifier, "RD8", f"{date_text(first)}-{date_text(last)}")
