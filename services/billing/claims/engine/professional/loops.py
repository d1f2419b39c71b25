"""Cut an 837P transaction into its loops and find segments in them."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from services.billing.claims.engine.codec import Segment, Transaction, X12Error

T = TypeVar("T")
OTHER_LOOP = "another loop"
LEVELS = {"20": "2000A", "22": "2000B", "23": "2000C"}
NAMES = {
    ("header", "41"): "1000A",
    ("header", "40"): "1000B",
    ("level", "85"): "2010AA",
    ("level", "87"): "2010AB",
    ("level", "IL"): "2010BA",
    ("level", "PR"): "2010BB",
    ("level", "QC"): "2010CA",
    ("claim", "82"): "2310B",
    ("claim", "77"): "2310C",
}
STARTS = {"CLM": "2300", "LX": "2400", "LIN": "2410", "SVD": OTHER_LOOP, "LQ": OTHER_LOOP}
AREAS = {"HL": "level", "CLM": "claim", "LX": "line"}


class Found:
    """Read the elements of a segment; all of them are empty when the segment is not there."""

    def __init__(self, number: int, item: Segment) -> None:
        self._number = number
        self._item = item

    def text(self, position: int, component: int = 1) -> str:
        """Return one component of an element, "" when it is not there."""
        return self._item.value(position, component)

    def texts(self, position: int) -> tuple[str, ...]:
        """Return the components of an element, none when it is empty."""
        components = self._item.components(position)
        return components if any(components) else ()

    def positions(self) -> range:
        """Return the positions of all elements."""
        return range(1, len(self._item.elements) + 1)

    def read(self, position: int, convert: Callable[[str], T]) -> T:
        """Convert an element."""
        return self.convert(position, lambda: convert(self.text(position)))

    def optional(self, position: int, convert: Callable[[str], T]) -> T | None:
        """Convert an element, None when it is empty."""
        return self.read(position, convert) if self.text(position) else None

    def convert(self, position: int, conversion: Callable[[], T]) -> T:
        """Run a conversion; raises X12Error naming this element when it raises ValueError."""
        try:
            return conversion()
        except ValueError as error:
            raise X12Error(str(error), tag=self._item.tag, segment=self._number, element=position) from error


class Loop:
    """Find segments of a loop by tag and first element."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._segments: list[tuple[int, Segment]] = []

    def add(self, number: int, item: Segment) -> None:
        """Append the segment that stands `number` from ST = 1."""
        self._segments.append((number, item))

    def find(self, tag: str, *qualifiers: str) -> Found:
        """Find the first segment of this tag whose first element is one of the qualifiers, if any are given."""
        for number, item in self._segments:
            if item.tag == tag and (not qualifiers or item.value(1) in qualifiers):
                return Found(number, item)
        return Found(self._number, Segment(tag))

    def has(self, tag: str) -> bool:
        """Tell whether the loop has such a segment."""
        return any(item.tag == tag for _, item in self._segments)


def loops_of(transaction: Transaction) -> Iterator[tuple[str, Loop]]:
    """Cut the segments into loops, in order. The same NM1 opens different loops before CLM, after CLM and after LX."""
    area, name, loop = "header", "BHT", Loop(1)
    for number, item in enumerate(transaction.segments, 2):
        if item.tag == "SBR" and area != "level":
            area, opened = "another payer", OTHER_LOOP
        else:
            area = AREAS.get(item.tag, area)
            opened = _opened(item, area)
        if opened:
            yield name, loop
            name, loop = opened, Loop(number)
        loop.add(number, item)
    yield name, loop


def _opened(item: Segment, area: str) -> str:
    if item.tag == "HL":
        return LEVELS.get(item.value(3), OTHER_LOOP)
    if item.tag == "NM1":
        return NAMES.get((area, item.value(1)), OTHER_LOOP)
    return STARTS.get(item.tag, "")
