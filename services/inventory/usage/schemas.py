"""What people send and get about kits and usage. Quantities are whole base units of the item."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from praxis.kit.http import Answer, Body
from services.inventory.usage.domain import Mode

KitCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
TriggerCode = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,60}$")]
"""Code of a visit type or of a task, compared as it is."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class KitLine(Body):
    """Units of an item; only supplies and reagents can be `auto`, the rest waits to be confirmed."""

    item_id: UUID
    quantity: Quantity
    mode: Mode


KitLines = Annotated[tuple[KitLine, ...], Field(min_length=1, max_length=100)]
Triggers = Annotated[frozenset[TriggerCode], Field(max_length=100)]


class AddKit(Body):
    """A new kit, valid from now or from a past time. A visit uses it once per trigger: its type, and each task done."""

    code: KitCode
    name: Name
    lines: KitLines
    triggers: Triggers = frozenset()
    valid_from: AwareDatetime | None = None


class ChangeKit(Body):
    """The whole kit as it is from now on; visits completed before keep the version of their time."""

    name: Name
    lines: KitLines
    triggers: Triggers = frozenset()


class KitLineOut(Answer):
    """Units of an item in a kit."""

    item_id: UUID
    quantity: int
    mode: Mode


class KitOut(Answer):
    """A kit in its present version."""

    id: UUID
    revision: int
    code: str
    name: str
    valid_from: datetime
    lines: list[KitLineOut]
    triggers: list[str]


class UsageLineOut(Answer):
    """Net units of one lot that a visit used up."""

    item_id: UUID
    lot_id: UUID
    lot_code: str | None
    expires_on: date | None
    quantity: int
    unit_cost_micros: int


class QuantityOut(Answer):
    """Units of an item."""

    item_id: UUID
    quantity: int


class UsageOut(Answer):
    """What a visit used up; `shortfalls` stock could not give, `to_confirm` waits for somebody to name the lot."""

    id: UUID
    visit_id: UUID
    revision: int
    location_id: UUID
    occurred_at: datetime
    lines: list[UsageLineOut]
    shortfalls: list[QuantityOut]
    to_confirm: list[QuantityOut]
    cost_cents: int
    currency: str
