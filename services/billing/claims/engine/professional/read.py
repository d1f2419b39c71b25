"""Read an 837P transaction back into a batch, and say what of it a batch cannot hold."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

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
from services.billing.claims.engine.codec import Element, Segment, Transaction, X12Error, parse, segment
from services.billing.claims.engine.professional.loops import OTHER_LOOP, Loop, loops_of
from services.billing.claims.engine.professional.write import professional_segments
from services.billing.claims.engine.values import (
    cents_from,
    date_from,
    minute_from,
    thousandths_from,
    whole_from,
)

GUIDE_FAMILY = "005010X222"
CLOSED_BY = {
    "2000A": ("2010AA", "2010AB", "2000B", "2010BA", "2010BB", "2000C", "2010CA"),
    "2000B": ("2010BA", "2010BB", "2000C", "2010CA"),
    "2000C": ("2010CA",),
}
DECIMALS = frozenset({("CLM", 2), ("SV1", 2), ("SV1", 4), ("CTP", 4)})


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Point at a segment that a batch cannot hold in full; `segment` counts from ST = 1."""

    segment: int
    tag: str


@dataclass(frozen=True, slots=True)
class Survey:
    """Hold what could be read, and every segment that writing the batch again would not give back."""

    batch: Batch
    uncovered: tuple[Uncovered, ...]


def read_professional(text: str) -> Batch:
    """Read a file of one 837P transaction set without losing anything.

    Raises X12Error for unsound envelopes, for another kind of file, for values that are not what their element holds,
    and for the first segment that a batch cannot hold.
    """
    transactions = [
        (group, transaction)
        for interchange in parse(text)
        for group in interchange.groups
        for transaction in group.transactions
    ]
    if len(transactions) != 1:
        raise X12Error("one transaction set is read at a time", tag="ST")
    group, transaction = transactions[0]
    if transaction.kind != "837" or not group.version.startswith(GUIDE_FAMILY):
        raise X12Error(f"is not a professional claim file ({GUIDE_FAMILY})", tag="GS", element=8)
    survey = survey_professional(transaction)
    for lost in survey.uncovered:
        raise X12Error("holds what a professional claim here does not", tag=lost.tag, segment=lost.segment)
    return survey.batch


def survey_professional(transaction: Transaction) -> Survey:
    """Read what a batch can hold of an 837P transaction set.

    Raises X12Error (segments count from ST = 1) when a loop that every claim needs is missing or a value is not what
    its element holds.
    """
    header, scopes = _scopes(transaction)
    batch = _batch(header, tuple(_claim(scope) for scope in scopes))
    return Survey(batch, tuple(_uncovered(transaction, batch)))


def _uncovered(transaction: Transaction, batch: Batch) -> Iterator[Uncovered]:
    """Yield what is in the transaction and not in the batch written again, compared as multisets of segments."""
    written = Counter(map(_normal, professional_segments(batch)))
    for number, item in enumerate(transaction.segments, 2):
        written[_normal(item)] -= 1
        if written[_normal(item)] < 0:
            yield Uncovered(number, item.tag)


def _normal(item: Segment) -> Segment:
    """Write equal decimals alike, 1 and 1.00, and drop empty elements at the end."""
    elements: list[Element] = list(item.elements)
    for position, element in enumerate(elements, 1):
        if (item.tag, position) in DECIMALS and isinstance(element, str):
            try:
                elements[position - 1] = str(thousandths_from(element))
            except ValueError:
                continue
    return segment(item.tag, *elements)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Gather the loops that make one claim, and those of its lines."""

    loops: dict[str, Loop]
    lines: list[dict[str, Loop]]


def _scopes(transaction: Transaction) -> tuple[dict[str, Loop], list[_Scope]]:
    """Return the loops of the header, and for each claim its own with those of the levels above it."""
    header: dict[str, Loop] = {}
    levels: dict[str, Loop] = {}
    scopes: list[_Scope] = []
    for name, loop in loops_of(transaction):
        for closed in CLOSED_BY.get(name, ()):
            levels.pop(closed, None)
        if name == "2300":
            scopes.append(_Scope({**levels, name: loop}, []))
        elif name == "2400" and scopes:
            scopes[-1].lines.append({name: loop})
        elif name == "2410" and scopes and scopes[-1].lines:
            scopes[-1].lines[-1].setdefault(name, loop)
        elif name.startswith("2310") and scopes:
            scopes[-1].loops.setdefault(name, loop)
        elif name.startswith("20"):
            levels[name] = loop
        elif name != OTHER_LOOP:
            header.setdefault(name, loop)
    return header, scopes


def _needed(loops: dict[str, Loop], name: str) -> Loop:
    if name not in loops:
        raise X12Error(f"loop {name} is missing", tag="ST")
    return loops[name]


def _batch(loops: dict[str, Loop], claims: tuple[ProfessionalClaim, ...]) -> Batch:
    bht = _needed(loops, "BHT").find("BHT")
    submitter, receiver = _needed(loops, "1000A"), _needed(loops, "1000B").find("NM1")
    name, contact = submitter.find("NM1"), submitter.find("PER")
    reach = {contact.text(position): contact.text(position + 1) for position in (3, 5, 7)}
    return Batch(
        reference=bht.text(3),
        written_at=bht.convert(4, lambda: minute_from(bht.text(4), bht.text(5))),
        purpose=bht.text(6),
        submitter=Submitter(
            name=name.text(3),
            identifier=name.text(9),
            contact=Contact(
                name=contact.text(2),
                phone=reach.get("TE", ""),
                extension=reach.get("EX", ""),
                email=reach.get("EM", ""),
            ),
        ),
        receiver=Receiver(name=receiver.text(3), identifier=receiver.text(9)),
        claims=claims,
    )


def _claim(scope: _Scope) -> ProfessionalClaim:
    loop = scope.loops["2300"]
    clm = loop.find("CLM")
    codes = loop.find("HI", "ABK", "BK")
    return ProfessionalClaim(
        control_number=clm.text(1),
        total_cents=clm.read(2, cents_from),
        place_of_service=clm.text(5),
        frequency=clm.text(5, 3),
        payer_claim_number=loop.find("REF", "F8").text(2),
        signature_on_file=clm.text(6) == "Y",
        assignment=clm.text(7),
        benefits_assignment=clm.text(8),
        release_of_information=clm.text(9),
        patient_signature_source=clm.text(10),
        accident=_accident(loop),
        onset_on=loop.find("DTP", "431").optional(3, date_from),
        prior_authorization=loop.find("REF", "G1").text(2),
        trace_number=loop.find("REF", "D9").text(2),
        icd_revision=9 if codes.text(1) == "BK" else 10,
        diagnoses=tuple(codes.text(position, 2) for position in codes.positions()),
        billing=_billing(scope.loops),
        payer=_payer(scope.loops),
        subscriber=_subscriber(scope.loops),
        patient=_patient(scope.loops),
        rendering=_rendering(scope.loops),
        facility=_facility(scope.loops),
        lines=tuple(_line(loops) for loops in scope.lines),
    )


def _accident(loop: Loop) -> Accident | None:
    clm = loop.find("CLM")
    occurred_on = loop.find("DTP", "439").optional(3, date_from)
    if not clm.texts(11) and occurred_on is None:
        return None
    causes = tuple(filter(None, clm.texts(11)[:3]))
    return Accident(causes=causes, state=clm.text(11, 4), occurred_on=occurred_on)


def _billing(loops: dict[str, Loop]) -> BillingProvider:
    loop = _needed(loops, "2010AA")
    return BillingProvider(
        name=_entity(loop),
        npi=loop.find("NM1").text(9),
        taxonomy=_needed(loops, "2000A").find("PRV", "BI").text(3),
        tax_id=loop.find("REF", "EI").text(2),
        address=_required_address(loop),
        pay_to=_address(loops["2010AB"]) if "2010AB" in loops else None,
    )


def _payer(loops: dict[str, Loop]) -> Payer:
    loop = _needed(loops, "2010BB")
    name = loop.find("NM1")
    indicator = _needed(loops, "2000B").find("SBR").text(9)
    return Payer(name=name.text(3), payer_id=name.text(9), filing_indicator=indicator, address=_address(loop))


def _subscriber(loops: dict[str, Loop]) -> Subscriber:
    loop = _needed(loops, "2010BA")
    return Subscriber(
        name=_person_name(loop),
        member_id=loop.find("NM1").text(9),
        group_number=_needed(loops, "2000B").find("SBR").text(3),
        birth_on=loop.find("DMG").optional(2, date_from),
        gender=loop.find("DMG").text(3),
        address=_address(loop),
    )


def _patient(loops: dict[str, Loop]) -> Patient | None:
    if "2010CA" not in loops:
        return None
    loop = loops["2010CA"]
    return Patient(
        name=_person_name(loop),
        relationship=_needed(loops, "2000C").find("PAT").text(1),
        birth_on=loop.find("DMG").optional(2, date_from),
        gender=loop.find("DMG").text(3),
        address=_address(loop),
    )


def _rendering(loops: dict[str, Loop]) -> RenderingProvider | None:
    if "2310B" not in loops:
        return None
    loop = loops["2310B"]
    return RenderingProvider(name=_entity(loop), npi=loop.find("NM1").text(9), taxonomy=loop.find("PRV", "PE").text(3))


def _facility(loops: dict[str, Loop]) -> ServiceFacility | None:
    if "2310C" not in loops:
        return None
    loop = loops["2310C"]
    name = loop.find("NM1")
    return ServiceFacility(name=name.text(3), npi=name.text(9), address=_required_address(loop))


def _line(loops: dict[str, Loop]) -> ServiceLine:
    loop = loops["2400"]
    service, served = loop.find("SV1"), loop.find("DTP", "472")
    first, _, last = served.text(3).partition("-")
    return ServiceLine(
        number=loop.find("LX").read(1, whole_from),
        procedure=service.text(1, 2),
        modifiers=service.texts(1)[2:],
        charge_cents=service.read(2, cents_from),
        units=service.read(4, whole_from),
        pointers=service.convert(7, lambda: tuple(map(whole_from, service.texts(7)))),
        served_on=served.convert(3, lambda: date_from(first)),
        served_through=served.convert(3, lambda: date_from(last)) if last else None,
        control_number=loop.find("REF", "6R").text(2),
        drug=_drug(loops["2410"]) if "2410" in loops else None,
    )


def _drug(loop: Loop) -> Drug:
    quantity = loop.find("CTP")
    return Drug(
        ndc=loop.find("LIN").text(3), quantity_thousandths=quantity.read(4, thousandths_from), unit=quantity.text(5)
    )


def _entity(loop: Loop) -> Organization | PersonName:
    name = loop.find("NM1")
    return Organization(name=name.text(3)) if name.text(2) == "2" else _person_name(loop)


def _person_name(loop: Loop) -> PersonName:
    name = loop.find("NM1")
    return PersonName(last=name.text(3), first=name.text(4), middle=name.text(5), suffix=name.text(7))


def _address(loop: Loop) -> Address | None:
    return _required_address(loop) if loop.has("N3") or loop.has("N4") else None


def _required_address(loop: Loop) -> Address:
    street, place = loop.find("N3"), loop.find("N4")
    return Address(
        line1=street.text(1),
        line2=street.text(2),
        city=place.text(1),
        state=place.text(2),
        postal_code=place.text(3),
    )
