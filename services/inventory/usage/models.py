"""Tables of kits and usage."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.inventory.db import Base


class Kit(Base):
    """A named set of items that is used up together."""

    __tablename__ = "kits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class KitVersion(Base):
    """What a kit was from `valid_from` until before `valid_to`; its number is the kit's revision that began it."""

    __tablename__ = "kit_versions"

    kit_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class KitLine(Base):
    """Units of an item in a version of a kit."""

    __tablename__ = "kit_lines"

    kit_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_kind: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(BigInteger)


class KitTrigger(Base):
    """A visit type or task code that uses up a version of a kit; repeats its period so that one code has one kit."""

    __tablename__ = "kit_triggers"

    kit_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Usage(Base):
    """What one visit used up, at the newest revision of the visit that was heard; revision 0 before any."""

    __tablename__ = "usages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID]
    revision: Mapped[int] = mapped_column(BigInteger)
    location_id: Mapped[UUID]
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cost_cents: Mapped[int] = mapped_column(BigInteger)
    announced: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class UsageNeed(Base):
    """What the kits asked for at one revision of a visit, and how much of it the visit got; kept for every revision."""

    __tablename__ = "usage_needs"

    usage_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(Text, primary_key=True)
    requested: Mapped[int] = mapped_column(BigInteger)
    granted: Mapped[int] = mapped_column(BigInteger)


class Shortage(Base):
    """How often an item ran short."""

    __tablename__ = "shortages"

    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
