"""Tables of the catalogue."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.inventory.db import Base


class Item(Base):
    """A thing the practice keeps, counted in its base unit."""

    __tablename__ = "items"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    sku: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    base_unit: Mapped[str] = mapped_column(Text)
    tracking: Mapped[str] = mapped_column(Text)
    hcpcs_code: Mapped[str | None] = mapped_column(Text)
    gtin: Mapped[str | None] = mapped_column(Text)
    storage_class: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ItemPack(Base):
    """A pack that holds `factor` base units of an item."""

    __tablename__ = "item_packs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    factor: Mapped[int] = mapped_column(Integer)
    gtin: Mapped[str | None] = mapped_column(Text)
