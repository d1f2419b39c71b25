"""Tables of patients."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Computed, Date, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.scheduling.db import Base


class Patient(Base):
    """A patient; `family_key` and `given_key` are the normalised names, `mrn_key` the number in capitals."""

    __tablename__ = "patients"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    mrn: Mapped[str] = mapped_column(Text)
    mrn_key: Mapped[str] = mapped_column(Text, Computed("upper(mrn)"))
    family_name: Mapped[str] = mapped_column(Text)
    given_name: Mapped[str] = mapped_column(Text)
    family_key: Mapped[str] = mapped_column(Text)
    given_key: Mapped[str] = mapped_column(Text)
    birth_on: Mapped[date] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    confirmed_new: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
