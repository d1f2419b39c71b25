"""Write interchanges as text."""

from services.billing.claims.engine.codec.model import (
    BLANKS,
    BODY_TAG,
    ISA_WIDTHS,
    Delimiters,
    Element,
    Group,
    Interchange,
    Segment,
    Transaction,
    X12Error,
    segment,
)

PADDED_ISA_ELEMENTS = frozenset({2, 4, 6, 8})


def write(*interchanges: Interchange) -> str:
    """Write interchanges one after the other, with a fixed-width ISA and computed counts.

    Raises X12Error, naming segment (ISA is 1) and element, for a value that holds one of the delimiters or a
    character outside the X12 extended set (printable ASCII).
    """
    return "".join(map(_interchange, interchanges))


def _interchange(interchange: Interchange) -> str:
    if interchange.tail.strip(BLANKS):
        raise X12Error("only blanks may follow the interchange", tag="IEA")
    marks = interchange.delimiters
    lines = [_isa(interchange)]
    for item in interchange.acknowledgments:
        lines.append(_body_line(item, len(lines) + 1, marks))
    for group in interchange.groups:
        _write_group(lines, group, marks)
    trailer = segment("IEA", str(len(interchange.groups)), interchange.control_number)
    lines.append(_line(trailer, len(lines) + 1, marks))
    return (marks.segment + marks.line_break).join(lines) + marks.segment + interchange.tail


def _isa(interchange: Interchange) -> str:
    marks = interchange.delimiters
    values = (
        interchange.authorization_qualifier,
        interchange.authorization,
        interchange.security_qualifier,
        interchange.security,
        interchange.sender_qualifier,
        interchange.sender,
        interchange.receiver_qualifier,
        interchange.receiver,
        interchange.date,
        interchange.time,
        marks.repetition,
        interchange.version,
        interchange.control_number,
        interchange.acknowledgment_requested,
        interchange.usage,
        marks.component,
    )
    for position, (value, width) in enumerate(zip(values, ISA_WIDTHS, strict=True), 1):
        if len(value) > width or (len(value) < width and position not in PADDED_ISA_ELEMENTS):
            raise X12Error(f"must be {width} characters long", tag="ISA", segment=1, element=position)
        if position not in (11, 16):
            _require_carried(value, marks, "ISA", 1, position)
    return marks.element.join(("ISA", *(value.ljust(width) for value, width in zip(values, ISA_WIDTHS, strict=True))))


def _write_group(lines: list[str], group: Group, marks: Delimiters) -> None:
    header = segment(
        "GS",
        group.kind,
        group.sender,
        group.receiver,
        group.date,
        group.time,
        group.control_number,
        group.agency,
        group.version,
    )
    lines.append(_line(header, len(lines) + 1, marks))
    for transaction in group.transactions:
        _write_transaction(lines, transaction, marks)
    trailer = segment("GE", str(len(group.transactions)), group.control_number)
    lines.append(_line(trailer, len(lines) + 1, marks))


def _write_transaction(lines: list[str], transaction: Transaction, marks: Delimiters) -> None:
    header = segment("ST", transaction.kind, transaction.control_number, transaction.version)
    lines.append(_line(header, len(lines) + 1, marks))
    for number, item in enumerate(transaction.segments, len(lines) + 1):
        lines.append(_body_line(item, number, marks))
    trailer = segment("SE", str(len(transaction.segments) + 2), transaction.control_number)
    lines.append(_line(trailer, len(lines) + 1, marks))


def _body_line(item: Segment, number: int, marks: Delimiters) -> str:
    if not BODY_TAG.fullmatch(item.tag):
        raise X12Error("is not the tag of a segment inside an envelope", segment=number)
    return _line(item, number, marks)


def _line(item: Segment, number: int, marks: Delimiters) -> str:
    """Join a segment. Counting the marks in the joined line costs a fifth of looking into every value."""
    components = 0
    values = [item.tag]
    for element in item.elements:
        if isinstance(element, str):
            values.append(element)
        elif isinstance(element, tuple) and len(element) > 1:
            components += len(element) - 1
            values.append(marks.component.join(element))
        else:
            return _checked_line(item, number, marks)
    line = marks.element.join(values)
    if (
        line.isascii()
        and line.isprintable()
        and line.count(marks.element) == len(item.elements)
        and line.count(marks.component) == components
        and marks.segment not in line
        and marks.repetition not in line
    ):
        return line
    return _checked_line(item, number, marks)


def _checked_line(item: Segment, number: int, marks: Delimiters) -> str:
    values = [_element(element, marks, item.tag, number, position) for position, element in enumerate(item.elements, 1)]
    return marks.element.join((item.tag, *values))


def _element(element: Element, marks: Delimiters, tag: str, number: int, position: int) -> str:
    if isinstance(element, str):
        _require_carried(element, marks, tag, number, position)
        return element
    if isinstance(element, tuple):
        if len(element) < 2:
            raise X12Error("a composite of one component is a plain element", tag=tag, segment=number, element=position)
        for component in element:
            _require_carried(component, marks, tag, number, position)
        return marks.component.join(element)
    if len(element.items) < 2 or not marks.repeats:
        raise X12Error(
            "a repetition needs two or more occurrences and a repetition separator in ISA11",
            tag=tag,
            segment=number,
            element=position,
        )
    return marks.repetition.join(_element(item, marks, tag, number, position) for item in element.items)


def _require_carried(value: str, marks: Delimiters, tag: str, number: int, position: int) -> None:
    reserved = {
        "element separator": marks.element,
        "component separator": marks.component,
        "segment terminator": marks.segment,
    }
    if marks.repeats:
        reserved["repetition separator"] = marks.repetition
    for name, mark in reserved.items():
        if mark in value:
            raise X12Error(f"holds the {name}; remove it", tag=tag, segment=number, element=position)
    if not (value.isascii() and value.isprintable()):
        raise X12Error("holds a character outside printable ASCII", tag=tag, segment=number, element=position)
