"""Tables of clinical tasks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.scheduling.db import Base


class Task(Base):
    """Something to do for the patient of a visit; `result_sealed` is the sealed JSON of its result as last corrected."""

    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    visit_id: Mapped[UUID]
    patient_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    required: Mapped[bool] = mapped_column(Boolean)
    waiver_reason: Mapped[str | None] = mapped_column(Text)
    result_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[UUID | None]


class ReplacedResult(Base):
    """A sealed result as it was before a correction; `revision` is that of the task when it still counted."""

    __tablename__ = "task_results"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    result_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    replaced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    replaced_by: Mapped[UUID]
