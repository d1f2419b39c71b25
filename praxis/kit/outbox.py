"""The outbox: what a command announces, written in its own transaction; the record that the bus merely carries."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from praxis.contracts.event import Event


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event waiting to be written: `envelope` lacks only the producersequence."""

    event_id: UUID
    event: Event
    correlation_id: UUID
    envelope: str


def signed_body(envelope: str, producersequence: int) -> bytes:
    """Return the exact bytes that are signed and published for a stored envelope."""
    return orjson.dumps({**orjson.loads(envelope), "producersequence": producersequence})


def columns(announcements: list[Announcement]) -> tuple[list[Any], ...]:
    """Return the announcements as parallel arrays for one insert."""
    return (
        [a.event_id for a in announcements],
        [a.event.TYPE for a in announcements],
        [a.event.aggregate_id for a in announcements],
        [a.correlation_id for a in announcements],
        [a.envelope for a in announcements],
    )
