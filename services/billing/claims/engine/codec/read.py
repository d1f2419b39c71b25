"""Read text as interchanges, tolerantly; envelopes that contradict themselves are noted, not repaired."""

import re

from services.billing.claims.engine.codec.model import (
    BLANKS,
    BODY_TAG,
    ISA_WIDTHS,
    Composite,
    Delimiters,
    Element,
    Group,
    Interchange,
    Reading,
    Repeated,
    Segment,
    Transaction,
    X12Error,
)

LONGEST_ISA = 160


def parse(text: str) -> tuple[Interchange, ...]:
    """Read sound interchanges, one or more.

    Raises X12Error for the first thing that is wrong with an envelope: a missing segment, a count or control number
    that differs.
    """
    reading = scan(text)
    if reading.defects:
        raise reading.defects[0]
    return reading.interchanges


def scan(text: str) -> Reading:
    """Read interchanges whose trailers may be wrong or missing, with the defects in the order of the text.

    A byte order mark, line breaks, indentation, blank segments and an unpadded ISA are read over. Raises X12Error
    when the text does not start with an ISA that declares its delimiters.
    """
    interchanges: list[Interchange] = []
    defects: list[X12Error] = []
    start = _next_start(text, 1 if text.startswith("\ufeff") else 0)
    while start < len(text) or not interchanges:
        header, marks, body = _header(text, start)
        end = _end_of_interchange(text, body, marks)
        following = _next_start(text, end)
        assembly = _Assembly(header)
        for number, item in enumerate(_segments(text[body:end], marks), 2):
            assembly.take(number, item)
        assembly.finish()
        defects += assembly.defects
        interchanges.append(assembly.interchange(marks, text[end:following]))
        start = following
    return Reading(tuple(interchanges), tuple(defects))


def _next_start(text: str, position: int) -> int:
    while position < len(text) and text[position] in BLANKS:
        position += 1
    return position


def _header(text: str, start: int) -> tuple[list[str], Delimiters, int]:
    """Return the elements of the ISA, its delimiters and where the segment after it begins."""
    if not text.startswith("ISA", start) or len(text) < start + 4:
        raise X12Error("an interchange starts with ISA; send the whole file", tag="ISA", segment=1)
    fields = text[start : start + LONGEST_ISA].split(text[start + 3], 16)
    if len(fields) < 17 or len(fields[16]) < 2:
        raise X12Error("is cut short: 16 elements and a segment terminator are needed", tag="ISA", segment=1)
    body = start + len(text[start + 3].join(fields[:16])) + 3
    line_break = re.compile(r"[\r\n]*").match(text, body)
    marks = Delimiters(
        element=text[start + 3],
        repetition=fields[11],
        component=fields[16][0],
        segment=fields[16][1],
        line_break=line_break[0] if line_break else "",
    )
    return [*fields[1:16], fields[16][0]], marks, body


def _end_of_interchange(text: str, body: int, marks: Delimiters) -> int:
    terminator = re.escape(marks.segment)
    trailer = re.compile(rf"{terminator}\s*IEA{re.escape(marks.element)}[^{terminator}]*(?:{terminator}|$)")
    found = trailer.search(text, body - 1)
    return found.end() if found else len(text)


def _segments(text: str, marks: Delimiters) -> list[Segment]:
    inner = re.compile("[" + re.escape(marks.component + (marks.repetition if marks.repeats else "")) + "]")
    segments = []
    for raw in text.split(marks.segment):
        line = raw.lstrip(BLANKS).rstrip("\r\n")
        if line:
            tag, *values = line.split(marks.element)
            plain = inner.search(line) is None
            segments.append(Segment(tag, tuple(values) if plain else tuple(_element(value, marks) for value in values)))
    return segments


def _element(value: str, marks: Delimiters) -> Element:
    if marks.repeats and marks.repetition in value:
        return Repeated(tuple(_occurrence(item, marks) for item in value.split(marks.repetition)))
    return _occurrence(value, marks)


def _occurrence(value: str, marks: Delimiters) -> str | Composite:
    return tuple(value.split(marks.component)) if marks.component in value else value


class _Assembly:
    """Fold the segments after an ISA into groups and transactions."""

    def __init__(self, header: list[str]) -> None:
        self.defects: list[X12Error] = []
        self._header = [value.rstrip() for value in header]
        self._acknowledgments: list[Segment] = []
        self._groups: list[Group] = []
        self._transactions: list[Transaction] = []
        self._body: list[Segment] = []
        self._group: Segment | None = None
        self._set: Segment | None = None
        self._ended = False
        for position, (value, width) in enumerate(zip(header, ISA_WIDTHS, strict=True), 1):
            if len(value) != width:
                self._note(f"must be {width} characters long", Segment("ISA"), 1, position)

    def take(self, number: int, item: Segment) -> None:
        envelope = {"GS": self._open_group, "ST": self._open_set, "SE": self._close_set, "GE": self._close_group}
        if item.tag in envelope:
            envelope[item.tag](number, item)
        elif item.tag == "IEA":
            self._close(number, item)
        elif not BODY_TAG.fullmatch(item.tag):
            self._note("is not a segment; the segment terminator may be missing before it", Segment(""), number)
        elif self._set is not None:
            self._body.append(item)
        elif item.tag == "TA1" and self._group is None:
            self._acknowledgments.append(item)
        else:
            self._note("stands outside ST and SE", item, number)

    def finish(self) -> None:
        """Close what the text left open."""
        if not self._ended:
            self._note("is missing", Segment("IEA"))
            self._end_group("GE")

    def interchange(self, marks: Delimiters, tail: str) -> Interchange:
        header = self._header
        return Interchange(
            authorization_qualifier=header[0],
            authorization=header[1],
            security_qualifier=header[2],
            security=header[3],
            sender_qualifier=header[4],
            sender=header[5],
            receiver_qualifier=header[6],
            receiver=header[7],
            date=header[8],
            time=header[9],
            version=header[11],
            control_number=header[12],
            acknowledgment_requested=header[13],
            usage=header[14],
            delimiters=marks,
            acknowledgments=tuple(self._acknowledgments),
            groups=tuple(self._groups),
            tail=tail,
        )

    def _open_group(self, number: int, item: Segment) -> None:
        self._end_group("GE", number)
        if len(item.elements) != 8:
            self._note("needs exactly 8 elements", item, number)
        self._group = item

    def _open_set(self, number: int, item: Segment) -> None:
        self._end_set("SE", number)
        if self._group is None:
            self._note("needs a GS before it", item, number)
        self._set = item

    def _close_set(self, number: int, item: Segment) -> None:
        if self._set is None:
            self._note("closes nothing", item, number)
            return
        self._compare(item, number, len(self._body) + 2, "segments", self._set.value(2))
        self._end_set()

    def _close_group(self, number: int, item: Segment) -> None:
        self._end_set("SE", number)
        if self._group is None:
            self._note("closes nothing", item, number)
            return
        self._compare(item, number, len(self._transactions), "transaction sets", self._group.value(6))
        self._end_group()

    def _close(self, number: int, item: Segment) -> None:
        self._end_group("GE", number)
        self._compare(item, number, len(self._groups), "groups", self._header[12])
        self._ended = True

    def _compare(self, item: Segment, number: int, count: int, what: str, control_number: str) -> None:
        stated = item.value(1)
        if stated != str(count):
            claimed = stated if stated.isdecimal() else "no number"
            self._note(f"states {claimed}, there are {count} {what}", item, number, 1)
        if item.value(2) != control_number:
            self._note("differs from the control number it closes", item, number, 2)

    def _end_set(self, missing: str = "", number: int = 0) -> None:
        header, self._set = self._set, None
        if header is None:
            return
        if missing:
            self._note("is missing", Segment(missing), number)
        kind, control_number, version = header.value(1), header.value(2), header.value(3)
        body, self._body = tuple(self._body), []
        self._transactions.append(Transaction(kind=kind, control_number=control_number, version=version, segments=body))

    def _end_group(self, missing: str = "", number: int = 0) -> None:
        self._end_set("SE" if missing else "", number)
        header, self._group = self._group, None
        transactions, self._transactions = tuple(self._transactions), []
        if header is None:
            return
        if missing:
            self._note("is missing", Segment(missing), number)
        self._groups.append(
            Group(
                kind=header.value(1),
                sender=header.value(2),
                receiver=header.value(3),
                date=header.value(4),
                time=header.value(5),
                control_number=header.value(6),
                agency=header.value(7),
                version=header.value(8),
                transactions=transactions,
            )
        )

    def _note(self, reason: str, item: Segment, number: int = 0, element: int = 0) -> None:
        self.defects.append(X12Error(reason, tag=item.tag, segment=number, element=element))
