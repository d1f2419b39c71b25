"""Tables of visits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.scheduling.db import Base


class Visit(Base):
    """A patient's stay. `correlation_id` is the appointment's story, or the visit's own for a walk-in.

    `ended_at` and `end_reason` are those of a visit that was not held to its end.
    `recorded_afterwards` marks one that was over when it was entered; `external_reference` is what another system calls it.
    """

    __tablename__ = "visits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    correlation_id: Mapped[UUID]
    stage: Mapped[str] = mapped_column(Text)
    appointment_id: Mapped[UUID | None]
    patient_id: Mapped[UUID]
    visit_type_id: Mapped[UUID]
    visit_type_code: Mapped[str] = mapped_column(Text)
    needs_room: Mapped[bool] = mapped_column(Boolean)
    location_id: Mapped[UUID]
    practitioner_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    recorded_afterwards: Mapped[bool] = mapped_column(Boolean)
    external_reference: Mapped[str | None] = mapped_column(Text)
    checked_in_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_reason: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class FlowStep(Base):
    """One change of a visit, never changed itself: there is one for each revision."""

    __tablename__ = "visit_flow"

    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    step: Mapped[str] = mapped_column(Text)
    room_id: Mapped[UUID | None]
    practitioner_id: Mapped[UUID]
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor_id: Mapped[UUID]


class PerformedTask(Base):
    """What was done in a visit as of one of its revisions; an amendment writes a new list and keeps the old one."""

    __tablename__ = "performed_tasks"

    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    quantity: Mapped[int] = mapped_column(Integer)
