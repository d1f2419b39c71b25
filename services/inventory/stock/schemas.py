"""What people send and get about places, lots and stock. Quantities are whole base units of the item."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from praxis.kit.http import Answer, Body
from services.inventory.stock.domain import Account, AdjustmentReason, Document, LotStatus, PlaceKind

Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
SignedQuantity = Annotated[int, Field(strict=True, ge=-1_000_000_000, le=1_000_000_000)]
Micros = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000_000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
LotCode = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,20}$")]
"""Up to 20 printable ASCII characters, compared as they are (GS1 application identifier 10)."""


class AddPlace(Body):
    """A new place at a location, within another place of it when `parent_id` is given."""

    location_id: UUID
    kind: PlaceKind = "stock"
    name: Name
    parent_id: UUID | None = None


class PlaceOut(Answer):
    """A place."""

    id: UUID
    location_id: UUID
    kind: PlaceKind
    name: str
    parent_id: UUID | None


class ReceiptLine(Body):
    """Units of one lot that arrived. `unit_cost_micros` is paid per base unit, in millionths of the currency unit."""

    item_id: UUID
    place_id: UUID
    lot_code: LotCode | None = None
    expires_on: date | None = None
    quantity: Quantity
    unit_cost_micros: Micros


class ReceiveStock(Body):
    """A delivery."""

    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=200)]


class MovedOut(Answer):
    """One movement that a document caused."""

    movement_id: UUID
    item_id: UUID
    lot_id: UUID
    place_id: UUID
    quantity: int


class ReceiptOut(Answer):
    """A posted delivery: one entry per line, in the order sent."""

    id: UUID
    lines: list[MovedOut]


class AdjustStock(Body):
    """A correction of one lot in one place: positive adds, negative takes away."""

    lot_id: UUID
    place_id: UUID
    quantity: SignedQuantity
    reason: AdjustmentReason


class AdjustmentOut(Answer):
    """A posted correction and what is there now."""

    id: UUID
    movement_id: UUID
    on_hand: int


class IssueLine(Body):
    """Units to take from one place."""

    item_id: UUID
    place_id: UUID
    quantity: Quantity


class IssueStock(Body):
    """Units to take off the shelf for use; all lines or none."""

    lines: Annotated[tuple[IssueLine, ...], Field(min_length=1, max_length=50)]


class IssueOut(Answer):
    """What was taken from which lot, first expired first within an item."""

    id: UUID
    lines: list[MovedOut]


class LotOut(Answer):
    """A lot."""

    id: UUID
    revision: int
    item_id: UUID
    lot_code: str | None
    expires_on: date | None
    received_at: datetime
    unit_cost_micros: int
    status: LotStatus


class StockLineOut(Answer):
    """Units of one lot in one place."""

    item_id: UUID
    lot_id: UUID
    lot_code: str | None
    expires_on: date | None
    status: LotStatus
    place_id: UUID
    on_hand: int
    unit_cost_micros: int


class StockSummaryOut(Answer):
    """Where an item stands: `on_hand` is usable plus expired plus held (lot not available, or in quarantine)."""

    item_id: UUID
    on_hand: int
    usable: int
    expired: int
    held: int


class MovementOut(Answer):
    """A movement."""

    id: UUID
    item_id: UUID
    lot_id: UUID
    quantity: int
    source: Account
    source_place_id: UUID | None
    target: Account
    target_place_id: UUID | None
    reason: str
    occurred_at: datetime
    recorded_at: datetime
    document: Document
    document_id: UUID
    reverses: UUID | None
