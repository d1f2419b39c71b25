"""The codec keeps what it reads, and refuses what it cannot carry."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.claims.engine.codec import (
    Delimiters,
    Element,
    Group,
    Interchange,
    Repeated,
    Segment,
    Transaction,
    X12Error,
    composite,
    parse,
    scan,
    segment,
    write,
)
from tests.support.samples import needs_samples, sample, samples
from tests.unit.billing.examples import delimiters

SOUND = Interchange(
    sender="SENDER",
    receiver="RECEIVER",
    date="260302",
    time="0930",
    control_number="000000905",
    groups=(
        Group(
            kind="HC",
            sender="S",
            receiver="R",
            date="20260302",
            time="0930",
            control_number="17",
            version="005010X222A1",
            transactions=(
                Transaction(
                    kind="837",
                    control_number="0021",
                    version="005010X222A1",
                    segments=(
                        Segment("BHT", ("0019", "00", "BATCH1")),
                        Segment("SV1", (("HC", "G0439", "25"), "125.5")),
                        Segment("EB", ("1", Repeated(("30", ("A", "B"))), "")),
                    ),
                ),
            ),
        ),
    ),
)
TEXT = write(SOUND)


def mapped(text: str, old: str, new: str) -> str:
    """Change a text that surely has what is changed."""
    assert text.count(old) == 1
    return text.replace(old, new)


@st.composite
def interchanges(draw: st.DrawFn) -> Interchange:
    marks = draw(delimiters)
    taken = {marks.element, marks.repetition, marks.component, marks.segment}
    values = st.text("".join(chr(code) for code in range(32, 127) if chr(code) not in taken), max_size=6)
    single = values | st.lists(values, min_size=2, max_size=3).map(tuple)
    elements: st.SearchStrategy[Element] = single | st.lists(single, min_size=2, max_size=3).map(
        lambda items: Repeated(tuple(items))
    )
    tags = st.sampled_from(["BHT", "NM1", "N3", "HL", "SV1", "STC"])
    segments = st.builds(Segment, tags, st.lists(elements, max_size=4).map(tuple))
    bodies = st.lists(segments, max_size=4).map(tuple)
    transactions = st.builds(
        Transaction, kind=st.just("837"), control_number=st.just("0001"), version=st.just("X"), segments=bodies
    )
    groups = st.builds(replace, st.just(SOUND.groups[0]), transactions=st.lists(transactions, max_size=2).map(tuple))
    return replace(
        SOUND,
        delimiters=marks,
        groups=tuple(draw(st.lists(groups, max_size=2))),
        acknowledgments=tuple(draw(st.lists(st.just(Segment("TA1", ("000000001", "260302"))), max_size=1))),
        tail=draw(st.sampled_from(["", "\n", "\r\n\n"])),
    )


@settings(deadline=None)
@given(st.lists(interchanges(), min_size=1, max_size=3))
def test_what_is_written_reads_back_the_same_with_any_delimiters(drawn: list[Interchange]) -> None:
    text = write(*drawn)
    assert parse(text) == tuple(drawn)
    assert write(*parse(text)) == text


@settings(deadline=None)
@given(interchanges(), st.data())
def test_a_value_that_holds_a_delimiter_is_refused_where_it_stands(drawn: Interchange, data: st.DataObject) -> None:
    marks = drawn.delimiters
    mark = data.draw(st.sampled_from([marks.element, marks.repetition, marks.component, marks.segment]))
    spoiled = Segment("N3", ("GOOD", data.draw(st.sampled_from([f"A{mark}", ("A", mark), Repeated((mark, "A"))]))))
    transaction = replace(SOUND.groups[0].transactions[0], segments=(Segment("NM1", ("41",)), spoiled))
    group = replace(SOUND.groups[0], transactions=(transaction,))
    with pytest.raises(X12Error) as refusal:
        write(replace(drawn, acknowledgments=(), groups=(group,)))
    assert (refusal.value.tag, refusal.value.element, refusal.value.segment) == ("N3", 2, 5)


def test_the_isa_has_its_fixed_width_and_the_trailers_count() -> None:
    assert TEXT.startswith(
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*0930*^*00501*000000905*0*P*:~GS*"
    )
    assert TEXT.endswith("~EB*1*30^A:B*~SE*5*0021~GE*1*17~IEA*1*000000905~")


@pytest.mark.parametrize("value", ["JOSÉ", "A\nB", "\x07", "\ufeff"])
def test_a_character_outside_printable_ascii_is_refused(value: str) -> None:
    bad = replace(SOUND, acknowledgments=(Segment("TA1", ("1", value)),))
    with pytest.raises(X12Error, match=r"^TA102 \(segment 2\): holds a character outside printable ASCII$"):
        write(bad)


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(X12Error) as refusal:
        write(replace(SOUND, acknowledgments=(Segment("TA1", ("SECRET*NAME",)),)))
    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"sender": "S" * 16}, 6),
        ({"control_number": "905"}, 13),
        ({"date": "20260302"}, 9),
        ({"receiver": "A:B"}, 8),
        ({"usage": ""}, 15),
    ],
)
def test_an_isa_that_cannot_keep_its_width_is_refused(changes: dict[str, str], element: int) -> None:
    with pytest.raises(X12Error) as refusal:
        write(replace(SOUND, **changes))
    assert (refusal.value.tag, refusal.value.element) == ("ISA", element)


@pytest.mark.parametrize("tag", ["SE", "ISA", "nm1", "N", "NM12", "N*", ""])
def test_a_tag_that_would_break_the_envelope_is_refused(tag: str) -> None:
    with pytest.raises(X12Error, match="is not the tag of a segment"):
        write(replace(SOUND, acknowledgments=(Segment(tag),)))


@pytest.mark.parametrize("element", [("LONE",), (), Repeated(("ONE",)), Repeated((("A",), "B"))])
def test_an_element_with_two_spellings_is_refused(element: Element) -> None:
    with pytest.raises(X12Error, match=r"^TA101"):
        write(replace(SOUND, acknowledgments=(Segment("TA1", (element,)),)))


def test_text_after_the_interchange_is_refused() -> None:
    with pytest.raises(X12Error, match="only blanks"):
        write(replace(SOUND, tail="\nmore"))


@pytest.mark.parametrize(
    "marks",
    [
        {"element": ":"},
        {"element": "A"},
        {"component": "1"},
        {"segment": "é"},
        {"segment": "~~"},
        {"component": " "},
        {"element": "\n"},
        {"segment": " "},
        {"line_break": "x"},
    ],
)
def test_delimiters_that_cannot_separate_are_refused(marks: dict[str, str]) -> None:
    with pytest.raises(X12Error, match=r"^ISA"):
        Delimiters(**marks)


def test_nothing_repeats_where_isa11_is_a_letter() -> None:
    marks = Delimiters(repetition="U")
    segments = (Segment("NM1", ("ULURU", "A^B")),)
    group = replace(SOUND.groups[0], transactions=(replace(SOUND.groups[0].transactions[0], segments=segments),))
    older = replace(SOUND, delimiters=marks, groups=(group,))
    assert parse(write(older)) == (older,)
    with pytest.raises(X12Error, match="repetition"):
        write(replace(older, acknowledgments=(Segment("TA1", (Repeated(("A", "B")),)),)))


def test_a_segment_is_read_by_position_and_component() -> None:
    service = Segment("SV1", (("HC", "G0439"), "40", Repeated((("X", "Y"), "Z"))))
    assert [service.value(1), service.value(1, 2), service.value(1, 3), service.value(2)] == ["HC", "G0439", "", "40"]
    assert (service.value(3, 2), service.value(9), service.components(9)) == ("Y", "", ())


def test_made_segments_and_composites_end_in_a_value() -> None:
    assert segment("NM1", "41", "", "X", "", "") == Segment("NM1", ("41", "", "X"))
    assert segment("SE", "") == Segment("SE")
    assert composite("AA", "", "", "IL") == ("AA", "", "", "IL")
    assert (composite("1", "", ""), composite("", ""), composite()) == ("1", "", "")


@pytest.mark.parametrize(
    ("old", "new", "defect"),
    [
        ("SE*5*", "SE*6*", "SE01 (segment 7): states 6, there are 5 segments"),
        ("SE*5*", "SE*FIVE*", "SE01 (segment 7): states no number, there are 5 segments"),
        ("SE*5*0021", "SE*5*0022", "SE02 (segment 7): differs from the control number it closes"),
        ("GE*1*17", "GE*2*17", "GE01 (segment 8): states 2, there are 1 transaction sets"),
        ("GE*1*17", "GE*1*18", "GE02 (segment 8): differs from the control number it closes"),
        ("IEA*1*", "IEA*3*", "IEA01 (segment 9): states 3, there are 1 groups"),
        ("IEA*1*000000905", "IEA*1*000000906", "IEA02 (segment 9): differs from the control number it closes"),
        ("~SE*5*0021", "", "SE (segment 7): is missing"),
        ("~GE*1*17", "", "GE (segment 8): is missing"),
        ("~IEA*1*000000905~", "~", "IEA: is missing"),
        ("GS*HC*S*R*20260302*0930*17*X*005010X222A1~", "", "ST (segment 2): needs a GS before it"),
        ("ST*837*0021*005010X222A1~", "", "BHT (segment 3): stands outside ST and SE"),
        ("~SE*5*0021", "~SE*5*0021~SE*5*0021", "SE (segment 8): closes nothing"),
        ("~GE*1*17", "~GE*1*17~GE*1*17", "GE (segment 9): closes nothing"),
        ("*X*005010X222A1~ST", "*X~ST", "GS (segment 2): needs exactly 8 elements"),
        ("~SV1*", "~NOTATAG*", "(segment 5): is not a segment"),
        ("SENDER         *", "SENDER*", "ISA06 (segment 1): must be 15 characters long"),
    ],
)
def test_an_envelope_that_contradicts_itself_is_noted_and_refused(old: str, new: str, defect: str) -> None:
    text = mapped(TEXT, old, new)
    assert defect in " | ".join(map(str, scan(text).defects))
    with pytest.raises(X12Error):
        parse(text)


def test_wrong_counts_leave_the_content_readable() -> None:
    reading = scan(mapped(TEXT, "SE*5*", "SE*99*"))
    assert reading.interchanges == (SOUND,)
    assert len(reading.defects) == 1


@pytest.mark.parametrize("text", ["", "   ", "ST*837*0001~SE*2*0001~", "ISA", "ISA*00*  *00~", "ISA" + "*" * 15])
def test_a_text_without_a_whole_isa_is_refused(text: str) -> None:
    with pytest.raises(X12Error, match=r"^ISA"):
        scan(text)


@pytest.mark.parametrize(
    "spoiled",
    [
        "\ufeff" + TEXT,
        "\n  " + TEXT,
        TEXT.replace("~", "~\n   "),
        TEXT.replace("~", "~\r\n"),
        TEXT.replace("~", "\n"),
        TEXT.replace("~", "\r\n"),
        TEXT.replace("~SE", "~~\n~SE"),
        TEXT.removesuffix("~"),
        TEXT.removesuffix("~") + "\n\n",
    ],
)
def test_sloppy_layout_is_read_over(spoiled: str) -> None:
    (read,) = parse(spoiled)
    assert read.groups == SOUND.groups


def test_an_unpadded_isa_is_read_and_written_padded() -> None:
    unpadded = mapped(TEXT, "SENDER         *", "SENDER*")
    assert write(*scan(unpadded).interchanges) == TEXT


def test_interchanges_with_different_delimiters_share_a_file() -> None:
    other = replace(SOUND, delimiters=Delimiters("|", "!", ">", "\n"), tail="\n\n")
    assert parse(write(other, SOUND)) == (other, SOUND)


CONTRADICTING = {
    "imsweb/837_5010/x12_999_accepted.txt": "IEA02",
    "imsweb/837_5010/x12_no_errors.txt": "SE01",
    "lfh/271_005010X279A1/subscriber-health-benefit-check-error.271": "SE02",
    "staedi/x12_interchange_ack_TA1.txt": "IEA01",
}


@needs_samples
@pytest.mark.parametrize("name", [path.as_posix().partition("/x12/")[2] for path in samples("x12", "**/*.*")])
def test_every_sound_sample_is_written_again_byte_for_byte(name: str) -> None:
    with sample(f"x12/{name}").open(encoding="ascii", newline="") as file:
        text = file.read()
    if name in CONTRADICTING:
        assert str(scan(text).defects[0]).startswith(CONTRADICTING[name])
    else:
        assert write(*parse(text)) == text
