"""Tables of appointments and of what they occupy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.scheduling.db import Base


class Appointment(Base):
    """An agreed time for a patient. It is never deleted; `correlation_id` is the story it starts."""

    __tablename__ = "appointments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    correlation_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    patient_id: Mapped[UUID]
    visit_type_id: Mapped[UUID]
    visit_type_code: Mapped[str] = mapped_column(Text)
    location_id: Mapped[UUID]
    practitioner_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    local_start: Mapped[datetime] = mapped_column(DateTime)
    time_zone: Mapped[str] = mapped_column(Text)
    tzdata_version: Mapped[str] = mapped_column(Text)
    cancellation_reason: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Occupancy(Base):
    """The time for which an appointment holds one resource; gone when the appointment is cancelled or missed."""

    __tablename__ = "occupancies"

    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
