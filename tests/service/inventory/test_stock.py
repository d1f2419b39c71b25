"""Places, receipts, issues, adjustments and what the books say of them."""

from datetime import UTC, datetime, timedelta

import pytest

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.inventory import Shelf, created, drift, location, open_shelf


@pytest.fixture
async def shelf(inventory: Harness) -> Shelf:
    return await open_shelf(await inventory.practice())


async def test_a_receipt_puts_each_lot_on_the_shelf_in_fefo_order(shelf: Shelf):
    item = await shelf.item()
    late = await shelf.receive(item, 5, "LATE", expires_on="2028-01-31")
    never = await shelf.receive(item, 7, "NEVER", expires_on=None)
    early = await shelf.receive(item, 3, " EARLY ", expires_on="2027-03-31")
    lines = (await shelf.practice.get(f"/v1/stock?item_id={item}&place_id={shelf.place_id}")).json()["items"]
    assert [(line["lot_id"], line["on_hand"]) for line in lines] == [(early, 3), (late, 5), (never, 7)]
    assert [line["lot_code"] for line in lines] == ["EARLY", "LATE", "NEVER"]
    assert await shelf.summary(item) == {"item_id": item, "on_hand": 15, "usable": 15, "expired": 0, "held": 0}
    assert await drift(shelf.practice) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": 0}, "/lines/0/quantity"),
        ({"quantity": 1.5}, "/lines/0/quantity"),
        ({"quantity": "3"}, "/lines/0/quantity"),
        ({"unit_cost_micros": 0.1}, "/lines/0/unit_cost_micros"),
        ({"item_id": str(new_id())}, "/lines/0/item_id"),
        ({"place_id": str(new_id())}, "/lines/0/place_id"),
        ({"lot_code": "X" * 21}, "/lines/0/lot_code"),
        ({"lot_code": " "}, "/lines/0/lot_code"),
        ({"lot_code": None}, "/lines/0/lot_code"),
        ({"expires_on": "2027-01-31"}, "/lines/0/expires_on"),
    ],
)
async def test_a_line_that_can_never_be_received_is_refused_by_field(shelf: Shelf, change, pointer):
    item = await shelf.item()
    reply = await shelf.try_receive({"item_id": item, "quantity": 3, "lot_code": "A1", **change})
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await shelf.practice.sql("select * from movements") == []


async def test_a_receipt_needs_a_key_because_it_moves_value(shelf: Shelf):
    item = await shelf.item()
    line = {"item_id": item, "place_id": shelf.place_id, "lot_code": "A1", "quantity": 1, "unit_cost_micros": 1}
    assert (await shelf.practice.post("/v1/receipts", {"lines": [line]})).status_code == 400
    assert await shelf.on_hand() == {}


async def test_a_lot_may_be_received_until_midnight_of_its_last_day_at_the_practice(shelf: Shelf):
    item = await shelf.item()
    line = {"item_id": item, "quantity": 1, "lot_code": "A1", "expires_on": "2027-06-30"}
    _set(shelf, datetime(2027, 7, 1, 3, 59, 59, tzinfo=UTC))
    assert (await shelf.try_receive(line)).status_code == 201
    shelf.practice.clock.advance(seconds=1)
    assert (await shelf.try_receive(line)).json()["errors"][0]["rule"] == "lot-expired"


async def test_a_lot_is_used_until_midnight_of_its_last_day_and_not_after(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 3, expires_on="2027-06-30")
    _set(shelf, datetime(2027, 7, 1, 3, 59, 59, tzinfo=UTC))
    assert (await shelf.issue(item)).status_code == 201
    shelf.practice.clock.advance(seconds=1)
    refused = await shelf.issue(item)
    assert refused.status_code == 409
    assert {key: refused.json()[key] for key in ("code", "on_hand", "usable", "granted")} == {
        "code": "not-enough-stock", "on_hand": 2, "usable": 0, "granted": 0,
    }  # fmt: skip
    assert await shelf.summary(item) == {"item_id": item, "on_hand": 2, "usable": 0, "expired": 2, "held": 0}


async def test_the_same_lot_with_another_expiry_is_refused_whole(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 3, expires_on="2027-06-30")
    line = {"item_id": item, "lot_code": "A1", "quantity": 1}
    reply = await shelf.try_receive({**line, "lot_code": "B1"}, {**line, "expires_on": "2027-07-31"})
    assert (reply.status_code, reply.json()["code"]) == (409, "lot-expiry-differs")
    assert reply.json()["known_expires_on"] == "2027-06-30"
    assert reply.json()["errors"][0]["pointer"] == "/lines/1/expires_on"
    both = await shelf.try_receive({**line, "lot_code": "C1"}, {**line, "lot_code": "C1", "expires_on": None})
    assert both.json()["code"] == "lot-expiry-differs"
    assert list((await shelf.on_hand()).values()) == [3]


async def test_the_database_itself_keeps_one_expiry_per_lot_code(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 3, expires_on="2027-06-30")
    with pytest.raises(Exception, match="lots_one_expiry"):
        await shelf.practice.sql(
            "insert into lots (id, revision, item_id, lot_code, expires_on, received_at, unit_cost_micros, status, changed_at) "
            "values ($1, 1, $2, 'A1', '2027-07-31', $3, 7, 'available', $3)", new_id(), item, shelf.practice.clock.now(),
        )  # fmt: skip


async def test_a_lot_bought_again_joins_the_first_and_another_price_is_kept_apart(shelf: Shelf):
    item = await shelf.item()
    first = await shelf.receive(item, 3)
    again = await shelf.receive(item, 2)
    dearer = await shelf.receive(item, 1, unit_cost_micros=300_000)
    assert first == again != dearer
    assert await shelf.on_hand() == {(first, shelf.place_id): 5, (dearer, shelf.place_id): 1}
    lot = (await shelf.practice.get(f"/v1/lots/{dearer}")).json()
    assert (lot["lot_code"], lot["unit_cost_micros"]) == ("A1", 300_000)


async def test_an_item_without_lots_keeps_each_delivery_at_its_price(shelf: Shelf):
    item = await shelf.item("TISSUE", kind="office", tracking="none")
    older = await shelf.receive(item, 2, None, expires_on=None)
    shelf.practice.clock.advance(hours=1)
    newer = await shelf.receive(item, 2, None, expires_on=None)
    issued = (await shelf.issue(item, 3)).json()
    assert [(line["lot_id"], line["quantity"]) for line in issued["lines"]] == [(older, 2), (newer, 1)]


async def test_an_inactive_item_is_issued_but_not_received(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 1)
    body = {"name": "Old", "storage_class": "room", "status": "inactive"}
    assert (await shelf.practice.put(f"/v1/items/{item}", body, revision=1)).status_code == 200
    refused = await shelf.try_receive({"item_id": item, "quantity": 1, "lot_code": "A1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "item-inactive")
    assert (await shelf.issue(item)).status_code == 201


async def test_an_issue_takes_the_earliest_expiry_first_over_several_lots(shelf: Shelf):
    item = await shelf.item()
    late = await shelf.receive(item, 5, "LATE", expires_on="2028-01-31")
    early = await shelf.receive(item, 3, "EARLY", expires_on="2027-03-31")
    issued = await shelf.issue(item, 4)
    assert issued.status_code == 201
    assert [(line["lot_id"], line["quantity"]) for line in issued.json()["lines"]] == [(early, 3), (late, 1)]
    assert await shelf.on_hand() == {(late, shelf.place_id): 4}


async def test_an_issue_is_granted_whole_or_not_at_all(shelf: Shelf):
    plenty, scarce = await shelf.item("A"), await shelf.item("B")
    await shelf.receive(plenty, 100)
    await shelf.receive(scarce, 1)
    before = await shelf.on_hand()
    refused = await shelf.issue_lines((plenty, 1), (scarce, 2))
    assert (refused.status_code, refused.json()["on_hand"], refused.json()["granted"]) == (409, 1, 0)
    assert refused.json()["errors"][0]["pointer"] == "/lines/1/quantity"
    twice = await shelf.issue_lines((plenty, 100), (plenty, 20))
    assert (twice.status_code, twice.json()["requested"]) == (409, 120)
    assert await shelf.on_hand() == before


async def test_stock_of_another_place_is_not_taken(shelf: Shelf):
    item = await shelf.item()
    elsewhere = await shelf.place()
    await shelf.receive(item, 5)
    assert (await shelf.issue(item, 1, place_id=elsewhere)).json()["on_hand"] == 0
    assert (await shelf.issue(item, 1, place_id=str(new_id()))).status_code == 422


async def test_a_held_lot_is_passed_over_until_it_is_released(shelf: Shelf):
    item = await shelf.item()
    early = await shelf.receive(item, 3, "EARLY", expires_on="2027-03-31")
    late = await shelf.receive(item, 3, "LATE")
    held = await shelf.practice.post(f"/v1/lots/{early}/hold", headers={"if-match": '"1"'})
    assert (held.json()["status"], held.headers["etag"]) == ("hold", '"2"')
    assert [line["lot_id"] for line in (await shelf.issue(item, 1)).json()["lines"]] == [late]
    assert (await shelf.summary(item))["held"] == 3
    again = (await shelf.practice.post(f"/v1/lots/{early}/hold")).json()
    assert (again["code"], again["state"], again["allowed"]) == ("transition-refused", "hold", ["available"])
    assert again["detail"] == "The lot's state is hold, which allows only: available."
    assert (await shelf.practice.post(f"/v1/lots/{early}/release", headers={"if-match": '"1"'})).status_code == 412
    assert (await shelf.practice.post(f"/v1/lots/{early}/release")).status_code == 200
    assert [line["lot_id"] for line in (await shelf.issue(item, 1)).json()["lines"]] == [early]


async def test_stock_in_quarantine_is_never_issued(shelf: Shelf):
    item = await shelf.item()
    cage = await shelf.place("Cage", kind="quarantine")
    await shelf.receive(item, 5, place_id=cage)
    refused = await shelf.issue(item, 1, place_id=cage)
    assert (refused.status_code, refused.json()["on_hand"], refused.json()["usable"]) == (409, 5, 0)
    assert (await shelf.summary(item))["held"] == 5


@pytest.mark.parametrize(
    ("quantity", "reason", "account", "left"),
    [(-2, "count", "adjust", 3), (-5, "expired", "waste", 0), (4, "found", "adjust", 9)],
)
async def test_an_adjustment_says_why_and_goes_to_its_account(shelf: Shelf, quantity, reason, account, left):
    item = await shelf.item()
    lot = await shelf.receive(item, 5)
    body = {"lot_id": lot, "place_id": shelf.place_id, "quantity": quantity, "reason": reason}
    reply = await shelf.practice.post("/v1/adjustments", body, key=str(new_id()))
    assert (reply.status_code, reply.json()["on_hand"]) == (201, left)
    [newest, _] = (await shelf.practice.get(f"/v1/movements?lot_id={lot}")).json()["items"]
    assert newest["id"] == reply.json()["movement_id"]
    assert {newest["source"], newest["target"]} == {"place", account}
    assert (newest["reason"], newest["quantity"], newest["document"]) == (reason, abs(quantity), "adjustment")
    assert sum((await shelf.on_hand()).values()) == left
    assert await drift(shelf.practice) == []


async def test_an_adjustment_cannot_take_more_than_is_there(shelf: Shelf):
    lot = await shelf.receive(await shelf.item(), 5)
    body = {"lot_id": lot, "place_id": shelf.place_id, "quantity": -6, "reason": "lost"}
    refused = await shelf.practice.post("/v1/adjustments", body, key=str(new_id()))
    assert (refused.status_code, refused.json()["code"], refused.json()["on_hand"]) == (409, "not-enough-stock", 5)
    for change in ({"lot_id": str(new_id())}, {"place_id": str(new_id())}, {"quantity": 0}, {"reason": "because"}):
        reply = await shelf.practice.post("/v1/adjustments", {**body, **change}, key=str(new_id()))
        assert [error["pointer"] for error in reply.json()["errors"]] == [f"/{next(iter(change))}"]
    assert await shelf.on_hand() == {(lot, shelf.place_id): 5}


async def test_movements_are_listed_newest_first_in_pages(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 9)
    for _ in range(3):
        await shelf.issue(item)
    path, seen = f"/v1/movements?item_id={item}&limit=3", []
    first = (await shelf.practice.get(path)).json()
    seen = first["items"] + (await shelf.practice.get(f"{path}&cursor={first['next']}")).json()["items"]
    assert [movement["reason"] for movement in seen] == ["issued", "issued", "issued", "received"]
    assert [movement["id"] for movement in seen] == sorted((movement["id"] for movement in seen), reverse=True)


async def test_stock_is_listed_in_pages_without_gap_or_repeat(shelf: Shelf):
    item = await shelf.item()
    for number in range(5):
        await shelf.receive(item, 1, f"L{number}", expires_on=None if number == 1 else f"2027-0{9 - number}-01")
    path, seen = f"/v1/stock?item_id={item}&limit=2", []
    page = (await shelf.practice.get(path)).json()
    while page["next"]:
        seen += page["items"]
        page = (await shelf.practice.get(f"{path}&cursor={page['next']}")).json()
    assert [line["lot_code"] for line in seen + page["items"]] == ["L4", "L3", "L2", "L0", "L1"]


async def test_places_form_a_tree_within_one_location(shelf: Shelf):
    drawer = await shelf.place("Drawer", parent_id=shelf.place_id)
    assert (await shelf.practice.get(f"/v1/places/{drawer}")).json()["parent_id"] == shelf.place_id
    elsewhere = {"location_id": new_id(), "name": "Drawer", "parent_id": shelf.place_id}
    refused = await shelf.practice.post("/v1/places", elsewhere)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/parent_id")
    again = await shelf.practice.post("/v1/places", {"location_id": shelf.location_id, "name": "Drawer"})
    assert (again.status_code, again.json()["code"]) == (409, "place-name-taken")
    listed = (await shelf.practice.get(f"/v1/places?location_id={shelf.location_id}")).json()["items"]
    assert [place["name"] for place in listed] == ["Drawer", "Room 1"]


async def test_a_place_may_come_before_its_location_and_the_newest_revision_completes_it(inventory: Harness):
    practice = await inventory.practice()
    location_id = new_id()
    await created(practice, "/v1/places", {"location_id": location_id, "name": "Room 1"})
    await practice.deliver(location(location_id, 3, status="inactive"))
    await practice.deliver(location(location_id, 2, code="OLD"))
    [row] = await practice.sql("select revision, code, status from locations where id = $1", location_id)
    assert tuple(row) == (3, "MAIN", "inactive")


async def test_another_practice_sees_no_stock_and_cannot_name_it(inventory: Harness):
    here, there = await open_shelf(await inventory.practice()), await open_shelf(await inventory.practice())
    item = await here.item()
    lot = await here.receive(item, 5)
    for path in (f"/v1/stock/{item}", f"/v1/lots/{lot}", f"/v1/places/{here.place_id}"):
        assert (await there.practice.get(path)).status_code == 404
    for path in ("/v1/stock", "/v1/movements", f"/v1/places?location_id={here.location_id}"):
        assert (await there.practice.get(path)).json()["items"] == []
    refused = await there.issue(item, 1, place_id=here.place_id)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/lines/0/item_id", "/lines/0/place_id"]
    assert (await there.practice.post(f"/v1/lots/{lot}/hold")).status_code == 404
    assert await here.on_hand() == {(lot, here.place_id): 5}


@pytest.mark.parametrize("role", ["provider", "biller", "receptionist"])
async def test_who_may_not_move_stock_moves_none(shelf: Shelf, role):
    for path in ("/v1/receipts", "/v1/issues", "/v1/adjustments"):
        assert (await shelf.practice.post(path, {}, role=role, key=str(new_id()))).status_code == 403


def _set(shelf: Shelf, at: datetime) -> None:
    shelf.practice.clock.advance(seconds=(at - shelf.practice.clock.now()) / timedelta(seconds=1))
