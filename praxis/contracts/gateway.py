"""Events of the gateway, which owns practices and users."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from praxis.contracts.event import Event


class PracticeOpenedV1(Event):
    """A practice exists; every service starts to keep books for it. `time_zone` is an IANA name."""

    TYPE: ClassVar[str] = "praxis.gateway.practice.opened.v1"
    AGGREGATE: ClassVar[str] = "practice_id"

    practice_id: UUID
    time_zone: str
    currency: str
    opened_at: datetime
