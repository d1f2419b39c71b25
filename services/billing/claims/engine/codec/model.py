"""What an X12 text is made of: delimiters, segments and the ISA, GS and ST envelopes."""

import re
from dataclasses import dataclass
from typing import NamedTuple

ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
BODY_TAG = re.compile(r"(?!(?:ISA|GS|ST|SE|GE|IEA)$)[A-Z][A-Z0-9]{1,2}")
BLANKS = " \t\r\n"


class X12Error(ValueError):
    """Text that is not sound X12, or a value that X12 cannot carry.

    `segment` counts from 1 at the start of the envelope in hand (0: none in particular), `tag` names that segment,
    `element` is the position in it (0: the whole segment). The message never repeats a value, because claims carry
    health data.
    """

    def __init__(self, reason: str, *, tag: str = "", segment: int = 0, element: int = 0) -> None:
        place = f"{tag}{element:02d}" if element else tag
        where = f"{place} (segment {segment})" if segment else place
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.tag = tag
        self.segment = segment
        self.element = element


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four marks an ISA declares, and the line break that follows each segment terminator ("" for none).

    A letter or digit as `repetition` (the U of older versions) means that nothing repeats.
    """

    element: str = "*"
    repetition: str = "^"
    component: str = ":"
    segment: str = "~"
    line_break: str = ""

    def __post_init__(self) -> None:
        marks = (self.element, self.component, self.segment, self.repetition)
        if len(set(marks)) < len(marks) or any(len(mark) != 1 or not mark.isascii() for mark in marks):
            raise X12Error("the four delimiters must be different single ASCII characters", tag="ISA")
        if any(mark.isalnum() for mark in marks[:3]) or any(mark in BLANKS for mark in marks if mark != self.segment):
            raise X12Error("a delimiter cannot be a letter, a digit or a blank; the usual ones are * ^ : ~", tag="ISA")
        if self.segment in " \t" or self.line_break.strip("\r\n"):
            raise X12Error("a segment ends in a visible mark or a line break", tag="ISA")

    @property
    def repeats(self) -> bool:
        """Tell whether elements may repeat."""
        return not self.repetition.isalnum()


Composite = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Hold the occurrences of a repeating element, two or more."""

    items: tuple[str | Composite, ...]


Element = str | Composite | Repeated


class Segment(NamedTuple):
    """Hold a segment: its tag and its elements, element 01 first. A composite is a tuple of two or more components."""

    tag: str
    elements: tuple[Element, ...] = ()

    def components(self, position: int) -> Composite:
        """Return the components of the element at `position` (from 1), of its first occurrence if it repeats."""
        element = self.elements[position - 1] if position <= len(self.elements) else ()
        if isinstance(element, Repeated):
            element = element.items[0]
        return (element,) if isinstance(element, str) else element

    def value(self, position: int, component: int = 1) -> str:
        """Return one component of the element at `position`, "" when the segment does not reach so far."""
        parts = self.components(position)
        return parts[component - 1] if component <= len(parts) else ""


def segment(tag: str, *elements: Element) -> Segment:
    """Make a segment without the empty elements at its end, as the standard wants it written."""
    used = len(elements)
    while used and not elements[used - 1]:
        used -= 1
    return Segment(tag, elements[:used])


def composite(*components: str) -> Element:
    """Make a composite without the empty components at its end; a lone component is a plain element."""
    used = len(components)
    while used and not components[used - 1]:
        used -= 1
    return components[:used] if used > 1 else "".join(components[:used])


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Hold what stands between ST and SE. `version` is ST03, "" where the guide leaves it out (835)."""

    kind: str
    control_number: str
    version: str = ""
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Hold a functional group; `date` is CCYYMMDD, `time` HHMM or longer, as in GS04 and GS05."""

    kind: str
    sender: str
    receiver: str
    date: str
    time: str
    control_number: str
    version: str
    agency: str = "X"
    transactions: tuple[Transaction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interchange:
    """Hold an interchange; ISA11 and ISA16 come from `delimiters`.

    `date` is YYMMDD and `time` HHMM. `acknowledgments` are the TA1 segments before the first group, `tail` the blank
    text after IEA. Values are kept without the padding that fills the ISA.
    """

    sender: str
    receiver: str
    date: str
    time: str
    control_number: str
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    authorization_qualifier: str = "00"
    authorization: str = ""
    security_qualifier: str = "00"
    security: str = ""
    version: str = "00501"
    acknowledgment_requested: str = "0"
    usage: str = "P"
    delimiters: Delimiters = Delimiters()
    acknowledgments: tuple[Segment, ...] = ()
    groups: tuple[Group, ...] = ()
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what a text holds, and each place where its envelopes contradict themselves, in order."""

    interchanges: tuple[Interchange, ...]
    defects: tuple[X12Error, ...]
