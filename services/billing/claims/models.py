"""Tables of claims."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.db import Base


class ServiceLocation(Base):
    """A location as last announced; `place_of_service` is the CMS two-digit code."""

    __tablename__ = "service_locations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    place_of_service: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)


class ClaimNumber(Base):
    """The last number given to a claim (CLM01) or an interchange (ISA13) of the practice."""

    __tablename__ = "claim_numbers"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


class Claim(Base):
    """What one signed version of a charge sheet asks of a payer."""

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    control_number: Mapped[str] = mapped_column(Text)
    visit_id: Mapped[UUID]
    charge_sheet_id: Mapped[UUID]
    sheet_version: Mapped[int] = mapped_column(Integer)
    patient_id: Mapped[UUID]
    coverage_id: Mapped[UUID]
    payer_id: Mapped[UUID]
    location_id: Mapped[UUID]
    practitioner_id: Mapped[UUID | None]
    service_on: Mapped[date] = mapped_column(Date)
    diagnoses_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    interchange_number: Mapped[int | None] = mapped_column(BigInteger)
    x12_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    x12_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    correlation_id: Mapped[UUID]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ClaimLine(Base):
    """A service line of a claim; never changed."""

    __tablename__ = "claim_lines"

    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    hcpcs_code: Mapped[str] = mapped_column(Text)
    modifiers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    units: Mapped[int] = mapped_column(Integer)
    diagnosis_pointers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    charge_cents: Mapped[int] = mapped_column(BigInteger)
