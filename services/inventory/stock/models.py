"""Tables of stock."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.inventory.db import Base


class Location(Base):
    """A location of scheduling as copied from its events; revision 0 is one that has only been mentioned."""

    __tablename__ = "locations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str | None] = mapped_column(Text)
    time_zone: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(Text)


class Place(Base):
    """A room, cabinet, refrigerator or shelf of a location."""

    __tablename__ = "places"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class Lot(Base):
    """A maker's lot bought at one price; of an item without lots, one delivery."""

    __tablename__ = "lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    item_id: Mapped[UUID]
    lot_code: Mapped[str | None] = mapped_column(Text)
    expires_on: Mapped[date | None] = mapped_column(Date)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    unit_cost_micros: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Movement(Base):
    """Units of a lot that went from one account to another; never changed, only reversed."""

    __tablename__ = "movements"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    quantity: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    source_place_id: Mapped[UUID | None]
    target: Mapped[str] = mapped_column(Text)
    target_place_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)
    document_id: Mapped[UUID]
    document_revision: Mapped[int] = mapped_column(BigInteger)
    line: Mapped[int] = mapped_column(Integer)
    reverses: Mapped[UUID | None]


class Balance(Base):
    """Units of a lot on hand in a place; the database keeps it from the movements, nobody else can."""

    __tablename__ = "balances"

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    on_hand: Mapped[int] = mapped_column(BigInteger)


class Reversal(Base):
    """How much of a movement has been taken back; kept by the database like balances."""

    __tablename__ = "reversals"

    movement_id: Mapped[UUID] = mapped_column(primary_key=True)
    original: Mapped[int] = mapped_column(BigInteger)
    reversed: Mapped[int] = mapped_column(BigInteger)
