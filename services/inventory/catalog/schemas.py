"""What people send and get about items and packs."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from praxis.kit.http import Answer, Body
from services.inventory.catalog.domain import ItemKind, ItemStatus, StorageClass, Tracking

Sku = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,39}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
BaseUnit = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
Hcpcs = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z][0-9]{3}[0-9A-Z]$")]
Gtin = Annotated[str, StringConstraints(pattern=r"^[0-9]{8,14}$")]
Factor = Annotated[int, Field(strict=True, ge=2, le=1_000_000)]


class AddItem(Body):
    """A new item. Kind, base unit and tracking stay for good: every past quantity is counted in them."""

    sku: Sku
    name: Name
    kind: ItemKind
    base_unit: BaseUnit
    tracking: Tracking
    hcpcs_code: Hcpcs | None = None
    gtin: Gtin | None = None
    storage_class: StorageClass = "room"


class ChangeItem(Body):
    """The whole new state of what may change of an item."""

    name: Name
    hcpcs_code: Hcpcs | None = None
    gtin: Gtin | None = None
    storage_class: StorageClass
    status: ItemStatus


class ItemOut(Answer):
    """An item; `gtin` has 14 digits."""

    id: UUID
    revision: int
    sku: str
    name: str
    kind: ItemKind
    base_unit: str
    tracking: Tracking
    hcpcs_code: str | None
    gtin: str | None
    storage_class: StorageClass
    status: ItemStatus


class AddPack(Body):
    """A way in which an item is sold: `factor` base units in one."""

    name: Name
    factor: Factor
    gtin: Gtin | None = None


class PackOut(Answer):
    """A pack of an item; `gtin` has 14 digits."""

    id: UUID
    item_id: UUID
    name: str
    factor: int
    gtin: str | None
