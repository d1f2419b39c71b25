"""Tables of charge sheets."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.db import Base


class ChargeSheet(Base):
    """What a visit is charged for; `version` counts how often it was begun anew after a signed one was voided.

    `self_pay_reason` says why the patient owes a signed charge; null before the signature and once a payer is asked.
    """

    __tablename__ = "charge_sheets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text)
    visit_id: Mapped[UUID]
    visit_revision: Mapped[int] = mapped_column(BigInteger)
    visit_type_code: Mapped[str] = mapped_column(Text)
    patient_id: Mapped[UUID]
    location_id: Mapped[UUID]
    practitioner_id: Mapped[UUID | None]
    served_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    diagnoses_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    self_pay_reason: Mapped[str | None] = mapped_column(Text)
    correlation_id: Mapped[UUID]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ChargeLine(Base):
    """A service of one version of a sheet; priced when signed, and then never changed."""

    __tablename__ = "charge_lines"

    charge_sheet_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    hcpcs_code: Mapped[str] = mapped_column(Text)
    modifiers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    units: Mapped[int] = mapped_column(Integer)
    diagnosis_pointers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    charge_cents: Mapped[int | None] = mapped_column(BigInteger)


class SignedCharge(Base):
    """The signature under one version of a sheet, as things stood then; never changed.

    `signed_by` is the user, `rendered_by` the staff member who signed and whom the claim names.
    """

    __tablename__ = "signed_charges"

    charge_sheet_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    service_on: Mapped[date] = mapped_column(Date)
    signed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    signed_by: Mapped[UUID]
    rendered_by: Mapped[UUID]
    coverage_id: Mapped[UUID | None]
    self_pay_reason: Mapped[str | None] = mapped_column(Text)
    diagnoses_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)


class VisitSupplies(Base):
    """The net supplies of a visit and their cost, as inventory last announced them."""

    __tablename__ = "visit_supplies"

    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    cost_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
