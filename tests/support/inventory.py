"""Builders for tests of inventory: a stocked shelf in a few lines, and visits as scheduling announces them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from praxis.contracts.scheduling import LocationChangedV1, PerformedTask, VisitAmendedV1, VisitCompletedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import PracticeUnderTest


@dataclass
class Shelf:
    """A practice with one location and one place of stock, and what is done there."""

    practice: PracticeUnderTest
    location_id: UUID
    place_id: str

    async def item(self, sku: str = "GLOVE-M", **fields: Any) -> str:
        """Add an item and return its id; a lot-tracked supply unless told otherwise."""
        body = {"sku": sku, "name": f"Item {sku}", "kind": "supply", "base_unit": "each", "tracking": "lot", **fields}
        return (await created(self.practice, "/v1/items", body))["id"]

    async def place(self, name: str = "Room 2", **fields: Any) -> str:
        """Add another place and return its id."""
        body = {"location_id": self.location_id, "name": name, **fields}
        return (await created(self.practice, "/v1/places", body))["id"]

    async def receive(self, item_id: str, quantity: int, lot: str | None = "A1", **fields: Any) -> str:
        """Receive one line and return its lot's id."""
        reply = await self.try_receive({"item_id": item_id, "quantity": quantity, "lot_code": lot, **fields})
        assert reply.status_code == 201, reply.text
        return reply.json()["lines"][0]["lot_id"]

    async def try_receive(self, *lines: dict[str, Any]) -> httpx.Response:
        """Post a receipt and return the reply; place, price and expiry need not be given."""
        common = {"place_id": self.place_id, "unit_cost_micros": 250_000, "expires_on": "2027-12-31"}
        body = {"lines": [{**common, **line} for line in lines]}
        return await self.practice.post("/v1/receipts", body, key=str(new_id()))

    async def issue(
        self, item_id: str, quantity: Any = 1, key: str | None = None, place_id: str | None = None
    ) -> httpx.Response:
        """Issue units of one item."""
        return await self.issue_lines((item_id, quantity), key=key, place_id=place_id)

    async def issue_lines(
        self, *lines: tuple[str, Any], key: str | None = None, place_id: str | None = None
    ) -> httpx.Response:
        """Issue several lines (item, quantity) from one place."""
        body = {"lines": [{"item_id": i, "place_id": place_id or self.place_id, "quantity": q} for i, q in lines]}
        return await self.practice.post("/v1/issues", body, key=key or str(new_id()), role="medical_assistant")

    async def kit(
        self, *lines: tuple[str, int], code: str = "kit", triggers: tuple[str, ...] = ("wellness",), **fields: Any
    ) -> dict[str, Any]:
        """Add a kit of auto lines (item, quantity) valid since the start of 2027."""
        body = {
            "code": code,
            "name": "Kit",
            "lines": auto(*lines),
            "triggers": list(triggers),
            "valid_from": "2027-01-01T00:00:00Z",
        }
        return await created(self.practice, "/v1/kits", {**body, **fields})

    async def on_hand(self) -> dict[tuple[str, str], int]:
        """Return what is on hand, per lot and place."""
        page = (await self.practice.get("/v1/stock?limit=200")).json()
        return {(line["lot_id"], line["place_id"]): line["on_hand"] for line in page["items"]}

    async def summary(self, item_id: str) -> dict[str, Any]:
        """Return the summary of an item."""
        return (await self.practice.get(f"/v1/stock/{item_id}")).json()

    async def usage(self, visit_id: UUID) -> dict[str, Any]:
        """Return the one usage record of a visit."""
        [usage] = (await self.practice.get(f"/v1/usages?visit_id={visit_id}")).json()["items"]
        return usage

    def completed(
        self, visit_id: UUID, revision: int = 1, *, tasks: dict[str, int] | None = None, **fields: Any
    ) -> VisitCompletedV1:
        """Return the event of a visit that was completed here just now."""
        return VisitCompletedV1(**self._visit(visit_id, revision, tasks or {}, fields))

    def amended(
        self, visit_id: UUID, revision: int, *, tasks: dict[str, int] | None = None, **fields: Any
    ) -> VisitAmendedV1:
        """Return the event of a visit that was corrected."""
        return VisitAmendedV1(**self._visit(visit_id, revision, tasks or {}, fields))

    def _visit(self, visit_id: UUID, revision: int, tasks: dict[str, int], fields: dict[str, Any]) -> dict[str, Any]:
        now: datetime = self.practice.clock.now()
        return {
            "visit_id": visit_id,
            "revision": revision,
            "patient_id": new_id(),
            "visit_type_code": "wellness",
            "location_id": self.location_id,
            "checked_in_at": now,
            "completed_at": now,
            "tasks": tuple(PerformedTask(code=code, quantity=quantity) for code, quantity in tasks.items()),
            **fields,
        }


def auto(*lines: tuple[str, int]) -> list[dict[str, Any]]:
    """Return kit lines (item, quantity) that are used up unseen."""
    return [{"item_id": item_id, "quantity": quantity, "mode": "auto"} for item_id, quantity in lines]


async def created(practice: PracticeUnderTest, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post something that is created and return it."""
    reply = await practice.post(path, body)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def open_shelf(practice: PracticeUnderTest) -> Shelf:
    """Return a shelf at a location that scheduling has announced."""
    location_id = new_id()
    await practice.deliver(location(location_id))
    place = await created(practice, "/v1/places", {"location_id": location_id, "name": "Room 1"})
    return Shelf(practice, location_id, place["id"])


def location(location_id: UUID, revision: int = 1, **fields: Any) -> LocationChangedV1:
    """Return the event of an active location."""
    values = {"code": "MAIN", "time_zone": "America/New_York", "place_of_service": "11", "status": "active", **fields}
    return LocationChangedV1(location_id=location_id, revision=revision, **values)


async def drift(practice: PracticeUnderTest) -> list[Any]:
    """Return every lot and place whose balance is not the sum of its movements; always empty."""
    return await practice.sql("""
        with entries as (
            select lot_id, target_place_id as place_id, quantity from movements where target = 'place'
            union all select lot_id, source_place_id, -quantity from movements where source = 'place'
        ), sums as (select lot_id, place_id, sum(quantity) as total from entries group by lot_id, place_id)
        select * from sums full join balances using (lot_id, place_id) where total is distinct from on_hand
    """)
