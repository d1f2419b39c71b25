"""Tables of coverages."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.db import Base


class Patient(Base):
    """A patient by id, as last announced."""

    __tablename__ = "patients"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    merged_into: Mapped[UUID | None]


class Coverage(Base):
    """A patient's membership with a payer; who the payer knows as insured is sealed."""

    __tablename__ = "coverages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    patient_id: Mapped[UUID]
    rank: Mapped[str] = mapped_column(Text)
    payer_id: Mapped[UUID]
    member_id_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    member_id_index: Mapped[bytes] = mapped_column(LargeBinary)
    group_number: Mapped[str] = mapped_column(Text)
    relationship: Mapped[str] = mapped_column(Text)
    insured_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
