"""A batch of claims becomes an 837P file and comes back whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from services.billing.claims.engine.claim import Batch, Organization, ProfessionalClaim
from services.billing.claims.engine.codec import Delimiters, Segment, X12Error, parse
from services.billing.claims.engine.professional import (
    Envelope,
    Uncovered,
    professional_segments,
    read_professional,
    survey_professional,
    write_professional,
)
from services.billing.claims.engine.values import money_text, thousandths_from
from tests.support.samples import needs_samples, sample
from tests.unit.billing.examples import (
    BILLING,
    CLEAN,
    CLEAN_OF_CHILD,
    CLEAN_WITH_EVERYTHING,
    ENVELOPE,
    HOME,
    RENDERING,
    SOLO,
    STREET,
    batch_of,
    batches,
    claim_of_lines,
    delimiters,
)


def segments_of(*claims: ProfessionalClaim) -> list[str]:
    """Return the lines of a written batch, without terminators."""
    return write_professional(batch_of(*claims), ENVELOPE).removesuffix("~").split("~")


def tagged(lines: list[str], *starts: str) -> list[str]:
    return [line for line in lines if line.startswith(starts)]


@settings(max_examples=60, deadline=None)
@given(batches(), delimiters)
def test_a_batch_reads_back_the_same_with_any_delimiters(batch: Batch, marks: Delimiters) -> None:
    text = write_professional(batch, replace(ENVELOPE, delimiters=marks))
    assert read_professional(text) == batch


@pytest.mark.parametrize("claim", [CLEAN, CLEAN_OF_CHILD, CLEAN_WITH_EVERYTHING, SOLO, claim_of_lines(50)])
def test_a_claim_reads_back_the_same(claim: ProfessionalClaim) -> None:
    assert read_professional(write_professional(batch_of(claim), ENVELOPE)) == batch_of(claim)


def test_the_claim_of_the_insured_is_written_as_the_guide_says() -> None:
    assert segments_of(CLEAN)[1:] == [
        "GS*HC*EXAMPLEPRACTICE*EXAMPLEHOUSE*20260302*0930*17*X*005010X222A1",
        "ST*837*0021*005010X222A1",
        "BHT*0019*00*BATCH1*20260302*0930*CH",
        "NM1*41*2*EXAMPLE FAMILY PRACTICE*****46*SUBMITTER1",
        "PER*IC*FRONT DESK*TE*5555550100*EX*12*EM*DESK@EXAMPLE.COM",
        "NM1*40*2*EXAMPLE CLEARINGHOUSE*****46*HOUSE1",
        "HL*1**20*1",
        "PRV*BI*PXC*207Q00000X",
        "NM1*85*2*EXAMPLE FAMILY PRACTICE*****XX*1234567893",
        "N3*100 EXAMPLE STREET",
        "N4*SPRINGFIELD*IL*627010001",
        "REF*EI*123456789",
        "HL*2*1*22*0",
        "SBR*P*18*GROUP1******CI",
        "NM1*IL*1*SAMPLEPERSON*PAT*Q**JR*MI*W00000001",
        "N3*7 SAMPLE LANE*APT 2",
        "N4*SPRINGFIELD*IL*62704",
        "DMG*D8*19800517*F",
        "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*99999",
        "CLM*C1*165.5***11:B:1*Y*A*Y*Y",
        "HI*ABK:Z0000*ABF:M1711",
        "NM1*82*1*TESTDOCTOR*LEE****XX*1003000126",
        "PRV*PE*PXC*207Q00000X",
        "LX*1",
        "SV1*HC:G0439:25*125.5*UN*1***1:2",
        "DTP*472*D8*20260220",
        "REF*6R*C1-1",
        "LX*2",
        "SV1*HC:J3301*40*UN*4***2",
        "DTP*472*D8*20260220",
        "REF*6R*C1-2",
        "LIN**N4*00003029305",
        "CTP****1.5*ML",
        "SE*33*0021",
        "GE*1*17",
        "IEA*1*000000905",
    ]


def test_the_claim_of_a_dependent_hangs_below_the_insured() -> None:
    lines = segments_of(CLEAN_OF_CHILD)
    start = lines.index("HL*2*1*22*1")
    assert lines[start : start + 10] == [
        "HL*2*1*22*1",
        "SBR*P**GROUP1******CI",
        "NM1*IL*1*SAMPLEPERSON*PAT*Q**JR*MI*W00000001",
        "NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*99999",
        "HL*3*2*23*0",
        "PAT*19",
        "NM1*QC*1*SAMPLEPERSON*KIT",
        "N3*7 SAMPLE LANE*APT 2",
        "N4*SPRINGFIELD*IL*62704",
        "DMG*D8*20150901*M",
    ]


def test_a_replacement_names_the_earlier_claim_and_everything_else_finds_its_segment() -> None:
    lines = segments_of(CLEAN_WITH_EVERYTHING)
    start = lines.index("CLM*C3*165.5***11:B:7*Y*A*Y*Y*P*AA:EM::IL")
    assert lines[start + 1 : start + 12] == [
        "DTP*431*D8*20260210",
        "DTP*439*D8*20260201",
        "REF*G1*AUTH1",
        "REF*F8*PAYERCLAIM1",
        "REF*D9*TRACE1",
        "HI*ABK:Z0000*ABF:M1711",
        "NM1*82*1*TESTDOCTOR*LEE****XX*1003000126",
        "PRV*PE*PXC*207Q00000X",
        "NM1*77*2*EXAMPLE SURGERY CENTER*****XX*1245319599",
        "N3*2 OTHER ROAD",
        "N4*SPRINGFIELD*IL*627010001",
    ]
    assert lines[lines.index("NM1*87*2") + 1] == "N3*PO BOX 9"
    assert lines[lines.index("NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*99999") + 1] == "N3*1 PAYER PLAZA"
    assert "DTP*472*RD8*20260220-20260220" in lines


def test_neighbours_share_their_levels_and_every_parent_is_right() -> None:
    sibling = replace(CLEAN_OF_CHILD, patient=replace(CLEAN_OF_CHILD.patient, relationship="G8"))
    elsewhere = replace(BILLING, name=Organization(name="EXAMPLE SECOND SITE"))
    drawn = [CLEAN, CLEAN, CLEAN_OF_CHILD, CLEAN_OF_CHILD, sibling, CLEAN, replace(CLEAN, billing=elsewhere)]
    claims = [replace(claim, control_number=f"C{number}") for number, claim in enumerate(drawn)]
    assert tagged(segments_of(*claims), "HL", "CLM") == [
        "HL*1**20*1",
        "HL*2*1*22*0",
        "CLM*C0*165.5***11:B:1*Y*A*Y*Y",
        "CLM*C1*165.5***11:B:1*Y*A*Y*Y",
        "HL*3*1*22*1",
        "HL*4*3*23*0",
        "CLM*C2*165.5***11:B:1*Y*A*Y*Y",
        "CLM*C3*165.5***11:B:1*Y*A*Y*Y",
        "HL*5*3*23*0",
        "CLM*C4*165.5***11:B:1*Y*A*Y*Y",
        "HL*6*1*22*0",
        "CLM*C5*165.5***11:B:1*Y*A*Y*Y",
        "HL*7**20*1",
        "HL*8*7*22*0",
        "CLM*C6*165.5***11:B:1*Y*A*Y*Y",
    ]


def test_a_level_holds_at_most_a_hundred_claims() -> None:
    claims = [replace(CLEAN, control_number=f"C{number}") for number in range(201)]
    batch = batch_of(*claims)
    assert len(tagged(segments_of(*claims), "HL*")) == 1 + 3
    assert read_professional(write_professional(batch, ENVELOPE)) == batch


def test_rendering_provider_and_facility_are_not_repeated_when_they_are_the_billing_provider() -> None:
    same = replace(
        SOLO,
        rendering=RENDERING,
        facility=replace(CLEAN_WITH_EVERYTHING.facility, address=STREET),
    )
    assert segments_of(same) == segments_of(SOLO)


def test_application_codes_of_the_group_may_differ_from_the_ids_of_the_interchange() -> None:
    envelope = replace(
        ENVELOPE, application_sender="APP1", application_receiver="APP2", acknowledgment_requested=True, usage="P"
    )
    text = write_professional(batch_of(CLEAN), envelope)
    (interchange,) = parse(text)
    assert (interchange.groups[0].sender, interchange.groups[0].receiver) == ("APP1", "APP2")
    assert (interchange.acknowledgment_requested, interchange.usage, interchange.sender_qualifier) == ("1", "P", "ZZ")


@pytest.mark.parametrize(
    ("batch", "place"),
    [
        (batch_of(), "ST"),
        (batch_of(CLEAN, CLEAN), "CLM01"),
        (batch_of(*[CLEAN] * 5001), "ST"),
        (replace(batch_of(CLEAN), written_at=datetime(2026, 3, 2)), "BHT04"),
        (replace(batch_of(CLEAN), written_at=datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=-5)))), "BHT04"),
    ],
)
def test_a_batch_that_cannot_be_one_transaction_is_refused(batch: Batch, place: str) -> None:
    with pytest.raises(X12Error, match=f"^{place}:"):
        write_professional(batch, ENVELOPE)


@pytest.mark.parametrize(
    ("envelope", "place"),
    [
        (replace(ENVELOPE, control_number=0), "ISA13"),
        (replace(ENVELOPE, group_control_number=10**9), "GS06"),
        (replace(ENVELOPE, transaction_control_number=-1), "ST02"),
    ],
)
def test_a_control_number_out_of_range_is_refused(envelope: Envelope, place: str) -> None:
    with pytest.raises(X12Error, match=f"^{place}: a control number is 1 to 999999999"):
        write_professional(batch_of(CLEAN), envelope)


@pytest.mark.parametrize("number", [1, 999_999_999])
def test_the_first_and_the_last_control_number_are_written(number: int) -> None:
    numbers = ("control_number", "group_control_number", "transaction_control_number")
    text = write_professional(batch_of(CLEAN), replace(ENVELOPE, **dict.fromkeys(numbers, number)))
    assert text.endswith(f"~SE*33*{number:04}~GE*1*{number}~IEA*1*{number:09}~")


def test_a_batch_holds_five_thousand_claims() -> None:
    claims = [replace(CLEAN, control_number=f"C{number}") for number in range(5000)]
    assert len(tagged(segments_of(*claims), "CLM*")) == 5000


def test_a_name_with_a_delimiter_is_refused_where_it_stands() -> None:
    spoiled = replace(CLEAN, subscriber=replace(CLEAN.subscriber, name=replace(CLEAN.subscriber.name, last="A*B")))
    with pytest.raises(X12Error, match=r"^NM103 \(segment 16\): holds the element separator; remove it$"):
        write_professional(batch_of(spoiled), ENVELOPE)


def written(change: Callable[[str], str] = str) -> str:
    return change(write_professional(batch_of(CLEAN), ENVELOPE))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("CLM*C1*165.5*", "CLM*C1*165.555*", "CLM02 (segment 19): at most 2 decimals"),
        ("*UN*4*", "*UN*FOUR*", "SV104 (segment 28): a number is digits"),
        ("***1:2~", "***1:B~", "SV107 (segment 24)"),
        ("DMG*D8*19800517", "DMG*D8*19801317", "DMG02 (segment 17): month must be in 1..12"),
        ("LX*2~", "LX*~", "LX01 (segment 27)"),
        ("CTP****1.5", "CTP****", "CTP04 (segment 32)"),
        ("BHT*0019*00*BATCH1*20260302*0930", "BHT*0019*00*BATCH1*20260302*", "BHT04 (segment 2): a time is HHMM"),
        ("NM1*PR*", "NM1*XX*", "ST: loop 2010BB is missing"),
        ("NM1*41*", "NM1*XX*", "ST: loop 1000A is missing"),
    ],
)
def test_a_value_that_its_element_cannot_hold_is_refused_where_it_stands(old: str, new: str, place: str) -> None:
    assert written().count(old) == 1
    with pytest.raises(X12Error) as refusal:
        read_professional(written().replace(old, new))
    assert str(refusal.value).startswith(place)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("~HI*", "~NTE*ADD*HELLO~HI*", "NTE (segment 20)"),
        ("SV1*HC:J3301*40*UN*4***2", "SV1*HC:J3301*40*UN*4***2**Y", "SV1 (segment 28)"),
        ("SV1*HC:J3301*40*UN*4***2", "SV1*HC:J3301*40*MJ*4***2", "SV1 (segment 28)"),
        ("SBR*P*18", "SBR*S*18", "SBR (segment 13)"),
        ("REF*EI", "REF*SY", "REF (segment 11)"),
        ("DMG*D8*19800517*F", "DMG*D8*19800517*F**:RET:1", "DMG (segment 17)"),
    ],
)
def test_content_that_a_claim_here_cannot_hold_is_refused_not_dropped(old: str, new: str, place: str) -> None:
    longer = new.count("~") - old.count("~")
    text = written(lambda text: text.replace(old, new).replace("SE*33", f"SE*{33 + longer}"))
    with pytest.raises(X12Error) as refusal:
        read_professional(text)
    assert str(refusal.value) == f"{place}: holds what a professional claim here does not"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("SE*33", "SE*25"), "SE01 (segment 35): states 25, there are 33 segments"),
        (lambda text: text.replace("005010X222A1", "005010X223A2"), "GS08: is not a professional claim file"),
        (lambda text: text.replace("ST*837", "ST*835"), "GS08: is not a professional claim file"),
        (lambda text: text + text, "ST: one transaction set is read at a time"),
    ],
)
def test_a_file_of_another_kind_or_with_wrong_counts_is_refused(change: Callable[[str], str], message: str) -> None:
    with pytest.raises(X12Error) as refusal:
        read_professional(written(change))
    assert str(refusal.value).startswith(message)


GUIDE_EXAMPLES = "x12/lfh/837_005010X222A2"
# How many lines and cents each guide example has, and how many of its segments the claim model does not hold.
EXPECTED = {
    "demo.example1.837": (4, 10_000, 0),
    "demo.example2.837": (4, 10_000, 0),
    "demo.autoaccident.837": (2, 18_500, 6),
    "demo.example7.837": (2, 52_024, 40),
    "demo.cob.example3.A.837": (3, 7_904, 11),
    "demo.cob.example3.B.837": (3, 7_904, 23),
}


def same_decimals(item: Segment) -> Segment:
    """Write the guide's 40.00 and 1.00 as we do."""
    elements = list(item.elements)
    for position in {"CLM": [1], "SV1": [1, 3]}.get(item.tag, []):
        value = elements[position]
        assert isinstance(value, str)
        elements[position] = money_text(thousandths_from(value) // 10)
    return Segment(item.tag, tuple(elements))


@needs_samples
@pytest.mark.parametrize("name", EXPECTED)
def test_the_guide_examples_are_read_and_rebuilt_where_the_model_covers_them(name: str) -> None:
    (interchange,) = parse(sample(f"{GUIDE_EXAMPLES}/{name}").read_text(encoding="ascii"))
    (transaction,) = interchange.groups[0].transactions
    survey = survey_professional(transaction)
    (claim,) = survey.batch.claims
    assert (len(claim.lines), claim.total_cents, len(survey.uncovered)) == EXPECTED[name]
    assert claim.total_cents == sum(line.charge_cents for line in claim.lines)
    if not survey.uncovered:
        rebuilt = tuple(professional_segments(survey.batch))
        assert rebuilt == tuple(map(same_decimals, transaction.segments))


@needs_samples
def test_the_loops_of_another_payer_do_not_leak_into_the_claim() -> None:
    (interchange,) = parse(sample(f"{GUIDE_EXAMPLES}/demo.cob.example3.B.837").read_text(encoding="ascii"))
    survey = survey_professional(interchange.groups[0].transactions[0])
    (claim,) = survey.batch.claims
    assert (claim.payer.payer_id, claim.subscriber.member_id) == ("567890", "222334444")
    assert Uncovered(segment=38, tag="CAS") in survey.uncovered


@needs_samples
def test_a_sample_with_a_false_segment_count_is_refused_at_its_trailer() -> None:
    text = sample("x12/imsweb/837_5010/x12_no_errors.txt").read_text(encoding="ascii")
    with pytest.raises(X12Error) as refusal:
        read_professional(text)
    assert str(refusal.value) == "SE01 (segment 43): states 25, there are 41 segments"


def test_the_address_of_the_patient_stays_apart_from_that_of_the_insured() -> None:
    child = replace(CLEAN_OF_CHILD, patient=replace(CLEAN_OF_CHILD.patient, address=replace(HOME, line1="9 OTHER WAY")))
    batch = batch_of(CLEAN, child)
    assert read_professional(write_professional(batch, ENVELOPE)) == batch
