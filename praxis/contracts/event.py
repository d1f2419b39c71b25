"""Events: CloudEvents 1.0 structured JSON around a frozen payload that carries the aggregate's full public state.

No patient name, contact, free text or clinical value may be a field of a payload: ids, codes, times, quantities, money.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

EVENTS: dict[str, type["Event"]] = {}


class Part(BaseModel):
    """A nested piece of an event payload."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """Payload of one event version. `TYPE` is its subject, `AGGREGATE` the field that holds the aggregate's id.

    `revision` counts the aggregate's changes from 1; a consumer that has seen a newer one ignores an older one.
    """

    TYPE: ClassVar[str] = ""
    AGGREGATE: ClassVar[str] = ""

    revision: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.TYPE and "TYPE" in cls.__dict__:
            EVENTS[cls.TYPE] = cls

    @property
    def aggregate_id(self) -> UUID:
        """Return the id of the thing this event is about."""
        value = getattr(self, self.AGGREGATE)
        assert isinstance(value, UUID)
        return value


def publisher_of(event_type: str) -> str:
    """Return the service that alone may publish `praxis.<service>.<noun>.<verb>.v<n>`."""
    return event_type.split(".")[1]


class Envelope(BaseModel):
    """A received event before its payload is read; unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str
    id: UUID
    source: str
    type: str
    subject: UUID
    time: datetime
    practice: UUID
    sequence: int
    producersequence: int
    correlationid: UUID
    causationid: UUID | None = None
    traceparent: str | None = None
    data: dict[str, Any]


def envelope_members(
    event: Event,
    *,
    event_id: UUID,
    practice_id: UUID,
    at: datetime,
    correlation_id: UUID,
    causation_id: UUID | None,
    traceparent: str,
) -> dict[str, Any]:
    """Return the CloudEvents members of `event`, JSON-ready, without the producersequence that the relay adds."""
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": f"praxis/{publisher_of(event.TYPE)}",
        "type": event.TYPE,
        "subject": str(event.aggregate_id),
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": f"urn:praxis:schema:{event.TYPE}",
        "practice": str(practice_id),
        "sequence": str(event.revision),
        "correlationid": str(correlation_id),
        "causationid": str(causation_id) if causation_id else None,
        "traceparent": traceparent,
        "data": event.model_dump(mode="json"),
    }
