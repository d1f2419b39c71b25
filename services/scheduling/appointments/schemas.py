"""What people send and get about appointments."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, NaiveDatetime, model_validator

from praxis.kit.http import Answer, Body
from services.scheduling.appointments.domain import CancellationReason, Status


class _When(Body):
    """A start: either an instant (`starts_at`, with offset) or wall time at the location (`local_start`, without).

    `fold` 0 or 1 chooses between the two showings of a wall time that the clocks repeat.
    """

    starts_at: AwareDatetime | None = None
    local_start: NaiveDatetime | None = None
    fold: Annotated[int, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _require_one_start(self) -> Self:
        if (self.starts_at is None) == (self.local_start is None):
            raise ValueError("send either starts_at (with offset) or local_start (without)")
        return self

    @property
    def pointer(self) -> str:
        """Return the JSON pointer of the start that was sent."""
        return "/starts_at" if self.starts_at else "/local_start"


class BookAppointment(_When):
    """A new appointment; it lasts as long as its visit type."""

    patient_id: UUID
    visit_type_id: UUID
    location_id: UUID
    practitioner_id: UUID
    room_id: UUID | None = None


class RescheduleAppointment(_When):
    """Another time, and other resources where named; what is not named stays."""

    location_id: UUID | None = None
    practitioner_id: UUID | None = None
    room_id: UUID | None = None


class CancelAppointment(Body):
    """Why the appointment will not take place."""

    reason: CancellationReason


class AppointmentOut(Answer):
    """An appointment. `local_start` is the wall time that people agreed on, in `time_zone` as `tzdata_version` has it."""

    id: UUID
    revision: int
    status: Status
    patient_id: UUID
    visit_type_id: UUID
    visit_type_code: str
    location_id: UUID
    practitioner_id: UUID
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    time_zone: str
    tzdata_version: str
    cancellation_reason: CancellationReason | None
    channel: str
    correlation_id: UUID
    visit_id: UUID | None
    """The visit it was checked in to; one that ended without being completed no longer counts."""
