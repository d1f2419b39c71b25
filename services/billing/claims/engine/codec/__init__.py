"""Read and write X12 interchanges of any transaction set.

The codec keeps what it reads, trailing empty elements and components included, so that writing an interchange again
gives the same bytes; the counts in SE01, GE01 and IEA01 are always computed, never copied.
"""

from services.billing.claims.engine.codec.model import (
    Delimiters,
    Element,
    Group,
    Interchange,
    Reading,
    Repeated,
    Segment,
    Transaction,
    X12Error,
    composite,
    segment,
)
from services.billing.claims.engine.codec.read import parse, scan
from services.billing.claims.engine.codec.write import write

__all__ = [
    "Delimiters",
    "Element",
    "Group",
    "Interchange",
    "Reading",
    "Repeated",
    "Segment",
    "Transaction",
    "X12Error",
    "composite",
    "parse",
    "scan",
    "segment",
    "write",
]
