"""Tables of payers, fees and providers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.db import Base


class Payer(Base):
    """Who may be asked to pay; `payer_id` is the id under which claims reach it."""

    __tablename__ = "payers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    payer_id: Mapped[str] = mapped_column(Text)
    filing_indicator: Mapped[str] = mapped_column(Text)
    timely_filing_days: Mapped[int] = mapped_column(Integer)
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class FeeSchedule(Base):
    """Prices valid from a day; of one payer, or the practice's default when it names none."""

    __tablename__ = "fee_schedules"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    payer_id: Mapped[UUID | None]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class FeeItem(Base):
    """The price of one unit of a code; an empty `modifier` prices the code without one."""

    __tablename__ = "fee_items"

    fee_schedule_id: Mapped[UUID] = mapped_column(primary_key=True)
    hcpcs_code: Mapped[str] = mapped_column(Text, primary_key=True)
    modifier: Mapped[str] = mapped_column(Text, primary_key=True)
    charge_cents: Mapped[int] = mapped_column(BigInteger)


class BillingProvider(Base):
    """Under which identity the practice bills."""

    __tablename__ = "billing_providers"

    revision: Mapped[int] = mapped_column(BigInteger)
    organization_name: Mapped[str] = mapped_column(Text)
    npi: Mapped[str] = mapped_column(Text)
    ein_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    ein_ending: Mapped[str] = mapped_column(Text)
    taxonomy_code: Mapped[str] = mapped_column(Text)
    address: Mapped[dict[str, Any]] = mapped_column(JSONB)
    contact: Mapped[dict[str, Any]] = mapped_column(JSONB)
    submitter_id: Mapped[str] = mapped_column(Text)
    receiver_name: Mapped[str] = mapped_column(Text)
    receiver_id: Mapped[str] = mapped_column(Text)
    usage_indicator: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RenderingProvider(Base):
    """A staff member as last announced; only providers have a name and an NPI here."""

    __tablename__ = "rendering_providers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    family_name: Mapped[str | None] = mapped_column(Text)
    given_name: Mapped[str | None] = mapped_column(Text)
    npi: Mapped[str | None] = mapped_column(Text)
    taxonomy_code: Mapped[str | None] = mapped_column(Text)
