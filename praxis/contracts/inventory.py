"""Events of inventory: what a visit used up and what was missing."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from praxis.contracts.event import Event, Part


class ConsumedLine(Part):
    """Net quantity of one lot used by the visit, in the item's base unit, at the lot's cost per base unit."""

    item_id: UUID
    lot_id: UUID
    expires_on: date | None = None
    quantity: int
    unit_cost_micros: int
    hcpcs_code: str | None = None


class Shortfall(Part):
    """What the kit asked for and stock could not give, in the item's base unit."""

    item_id: UUID
    quantity: int


class StockConsumedV1(Event):
    """The net use of supplies by one visit, whole at each revision (revision = revision of the visit)."""

    TYPE: ClassVar[str] = "praxis.inventory.stock.consumed.v1"
    AGGREGATE: ClassVar[str] = "usage_id"

    usage_id: UUID
    visit_id: UUID
    location_id: UUID
    lines: tuple[ConsumedLine, ...]
    shortfalls: tuple[Shortfall, ...] = ()
    cost_cents: int
    currency: str
    occurred_at: datetime


class StockRanShortV1(Event):
    """A visit needed more of an item than was there; the visit went on."""

    TYPE: ClassVar[str] = "praxis.inventory.stock.ran-short.v1"
    AGGREGATE: ClassVar[str] = "item_id"

    item_id: UUID
    visit_id: UUID
    location_id: UUID
    requested: int
    granted: int
