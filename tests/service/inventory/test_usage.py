"""Kits, and what visits use up: in any order of arrival, once, and never more than there is."""

import asyncio
from datetime import datetime
from uuid import UUID

import orjson
import pytest

from praxis.contracts.gateway import PracticeOpenedV1
from praxis.contracts.inventory import StockConsumedV1, StockRanShortV1
from praxis.kit.ids import new_id
from praxis.kit.problems import Unavailable
from praxis.kit.testing import Harness, PracticeUnderTest
from tests.support.inventory import Shelf, auto, drift, open_shelf


@pytest.fixture
async def shelf(inventory: Harness) -> Shelf:
    return await open_shelf(await inventory.practice())


async def consumed(shelf: Shelf) -> list[StockConsumedV1]:
    """Return what was announced as consumed."""
    return await shelf.practice.announced(StockConsumedV1)


def lines_of(event: StockConsumedV1) -> dict[str, int]:
    """Return lot -> units of an announcement."""
    return {str(line.lot_id): line.quantity for line in event.lines}


async def test_a_completed_visit_uses_up_its_kit_first_expired_first_and_announces_cost(shelf: Shelf):
    glove = await shelf.item(hcpcs_code="A4927")
    late = await shelf.receive(glove, 5, "LATE", unit_cost_micros=335_000)
    early = await shelf.receive(glove, 2, "EARLY", expires_on="2027-03-31", unit_cost_micros=333_333)
    await shelf.kit((glove, 3))
    visit, story = new_id(), new_id()
    await shelf.practice.deliver(shelf.completed(visit), story=story)
    [event] = await consumed(shelf)
    assert lines_of(event) == {early: 2, late: 1}
    # 2 x 0.333333 + 0.335 = 1.001666, rounded once; each line rounded by itself would make 101 cents.
    assert (event.cost_cents, event.currency, event.visit_id, event.revision) == (100, "USD", visit, 1)
    assert {line.hcpcs_code for line in event.lines} == {"A4927"}
    usage = await shelf.usage(visit)
    assert (usage["id"], usage["cost_cents"]) == (str(event.usage_id), 100)
    assert [(line["lot_code"], line["quantity"]) for line in usage["lines"]] == [("EARLY", 2), ("LATE", 1)]
    assert await shelf.on_hand() == {(late, shelf.place_id): 4}
    [row] = await shelf.practice.sql("select correlation_id from outbox where subject = $1", StockConsumedV1.TYPE)
    assert row["correlation_id"] == story


async def test_tasks_use_up_their_own_kits_as_often_as_they_were_done(shelf: Shelf):
    glove, strip = await shelf.item(), await shelf.item("STRIP", kind="reagent")
    await shelf.receive(glove, 10)
    await shelf.receive(strip, 10)
    await shelf.kit((glove, 2))
    await shelf.kit((strip, 1), (glove, 1), code="glucose", triggers=("poct-glucose", "poct-ketones"))
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit, tasks={"poct-glucose": 3, "vitals": 1}))
    assert {line["item_id"]: line["quantity"] for line in (await shelf.usage(visit))["lines"]} == {glove: 5, strip: 3}


async def test_five_deliveries_of_one_completion_use_up_one_kit(shelf: Shelf):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 10)
    await shelf.kit((glove, 3))
    event = shelf.completed(new_id())
    event_id = await shelf.practice.deliver(event)
    for _ in range(2):
        await shelf.practice.deliver(event, event_id=event_id)
        await shelf.practice.deliver(event)
    assert await shelf.on_hand() == {(lot, shelf.place_id): 7}
    assert len(await consumed(shelf)) == 1


async def test_an_amendment_takes_more_or_gives_back_to_the_latest_lot(shelf: Shelf):
    glove = await shelf.item()
    early = await shelf.receive(glove, 2, "EARLY", expires_on="2027-03-31")
    late = await shelf.receive(glove, 8, "LATE")
    await shelf.kit((glove, 1), triggers=("dressing",))
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit, 1, tasks={"dressing": 4}))
    await shelf.practice.deliver(shelf.amended(visit, 2, tasks={"dressing": 6}))
    await shelf.practice.deliver(shelf.amended(visit, 3, tasks={"dressing": 1}))
    assert [lines_of(event) for event in await consumed(shelf)] == [
        {early: 2, late: 2},
        {early: 2, late: 4},
        {early: 1},
    ]
    assert [event.revision for event in await consumed(shelf)] == [1, 2, 3]
    assert await shelf.on_hand() == {(early, shelf.place_id): 1, (late, shelf.place_id): 8}
    assert await drift(shelf.practice) == []


async def test_an_amendment_heard_before_the_completion_stands(shelf: Shelf):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 10)
    await shelf.kit((glove, 1), triggers=("dressing",))
    visit = new_id()
    await shelf.practice.deliver(shelf.amended(visit, 2, tasks={"dressing": 1}))
    await shelf.practice.deliver(shelf.completed(visit, 1, tasks={"dressing": 5}))
    assert await shelf.on_hand() == {(lot, shelf.place_id): 9}
    assert [event.revision for event in await consumed(shelf)] == [2]


async def test_an_amendment_to_nothing_heard_first_keeps_the_completion_from_using_anything(shelf: Shelf):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 10)
    await shelf.kit((glove, 1), triggers=("dressing",))
    visit = new_id()
    await shelf.practice.deliver(shelf.amended(visit, 2))
    await shelf.practice.deliver(shelf.completed(visit, 1, tasks={"dressing": 5}))
    assert await shelf.on_hand() == {(lot, shelf.place_id): 10}
    assert await consumed(shelf) == []


async def test_revisions_heard_at_the_same_moment_end_at_the_newest(shelf: Shelf):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 100)
    await shelf.kit((glove, 1), triggers=("dressing",))
    visits = [new_id() for _ in range(4)]
    events = [shelf.amended(visit, n, tasks={"dressing": 10 - n}) for n in range(1, 5) for visit in visits]
    await asyncio.gather(*(shelf.practice.deliver(event) for event in events))
    assert await shelf.on_hand() == {(lot, shelf.place_id): 100 - 4 * 6}
    assert {(await shelf.usage(visit))["revision"] for visit in visits} == {4}
    assert await drift(shelf.practice) == []


async def test_an_amendment_that_leaves_nothing_announces_an_empty_use(shelf: Shelf):
    glove = await shelf.item()
    await shelf.receive(glove, 10)
    await shelf.kit((glove, 3))
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit))
    await shelf.practice.deliver(shelf.amended(visit, 2, visit_type_code="phone-call"))
    assert [(lines_of(event), event.cost_cents) for event in await consumed(shelf)][1] == ({}, 0)
    await shelf.practice.deliver(shelf.amended(visit, 3))
    await shelf.practice.deliver(shelf.amended(visit, 4, completed_at=None))
    assert sum((await shelf.on_hand()).values()) == 10


async def test_a_visit_without_a_kit_announces_nothing(shelf: Shelf):
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit, tasks={"vitals": 1}))
    assert await consumed(shelf) == []
    assert (await shelf.usage(visit))["lines"] == []


async def test_one_short_item_of_three_is_a_shortfall_and_the_rest_is_used(shelf: Shelf):
    glove, gown, strip = [await shelf.item(sku) for sku in ("GLOVE", "GOWN", "STRIP")]
    for item, units in ((glove, 10), (gown, 1), (strip, 10)):
        await shelf.receive(item, units)
    await shelf.kit((glove, 2), (gown, 3), (strip, 1))
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit))
    usage = await shelf.usage(visit)
    assert {line["item_id"]: line["quantity"] for line in usage["lines"]} == {glove: 2, gown: 1, strip: 1}
    assert usage["shortfalls"] == [{"item_id": gown, "quantity": 2}]
    [event] = await consumed(shelf)
    assert [(str(short.item_id), short.quantity) for short in event.shortfalls] == [(gown, 2)]
    [short] = await shelf.practice.announced(StockRanShortV1)
    assert (str(short.item_id), short.requested, short.granted, short.revision) == (gown, 3, 1, 1)


async def test_an_item_that_stays_short_is_announced_again_only_when_something_changed(shelf: Shelf):
    glove = await shelf.item()
    await shelf.kit((glove, 5))
    visit, other = new_id(), new_id()
    await shelf.practice.deliver(shelf.completed(visit, 1))
    await shelf.practice.deliver(shelf.amended(visit, 2))
    await shelf.practice.deliver(shelf.completed(other, 1))
    await shelf.receive(glove, 2)
    await shelf.practice.deliver(shelf.amended(visit, 3))
    short = await shelf.practice.announced(StockRanShortV1)
    assert [(event.visit_id, event.granted, event.revision) for event in short] == [
        (visit, 0, 1), (other, 0, 2), (visit, 2, 3),
    ]  # fmt: skip


async def test_only_the_visits_own_location_is_used_from_every_place_of_it(shelf: Shelf):
    glove = await shelf.item()
    cupboard = await shelf.place("Cupboard")
    elsewhere = await shelf.place("Annex", location_id=new_id())
    early = await shelf.receive(glove, 2, "EARLY", place_id=cupboard, expires_on="2027-03-31")
    late = await shelf.receive(glove, 2, "LATE")
    far = await shelf.receive(glove, 9, "FAR", place_id=elsewhere, expires_on="2027-02-28")
    await shelf.kit((glove, 5))
    await shelf.practice.deliver(shelf.completed(new_id()))
    [event] = await consumed(shelf)
    assert lines_of(event) == {early: 2, late: 2}
    assert await shelf.on_hand() == {(far, elsewhere): 9}


@pytest.mark.parametrize("gone_bad", ["held", "expired"])
async def test_what_comes_back_of_an_unusable_lot_goes_to_quarantine(shelf: Shelf, gone_bad):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 5, expires_on="2027-02-01")
    await shelf.kit((glove, 3))
    visits = [new_id(), new_id()]
    await shelf.practice.deliver(shelf.completed(visits[0]))
    if gone_bad == "held":
        await shelf.practice.post(f"/v1/lots/{lot}/hold")
    else:
        shelf.practice.clock.advance(days=1)
    await shelf.practice.deliver(shelf.amended(visits[0], 2, visit_type_code="phone-call"))
    places = (await shelf.practice.get(f"/v1/places?location_id={shelf.location_id}")).json()["items"]
    [cage] = [place["id"] for place in places if place["kind"] == "quarantine"]
    assert await shelf.on_hand() == {(lot, shelf.place_id): 2, (lot, cage): 3}
    assert await drift(shelf.practice) == []


async def test_a_lot_that_was_good_when_the_visit_ended_is_used_though_it_is_heard_of_later(shelf: Shelf):
    glove = await shelf.item()
    lot = await shelf.receive(glove, 5, expires_on="2027-02-01")
    await shelf.kit((glove, 1))
    event = shelf.completed(new_id())
    shelf.practice.clock.advance(days=1)
    await shelf.practice.deliver(event)
    await shelf.practice.deliver(shelf.completed(new_id()))
    assert [lines_of(event) for event in await consumed(shelf)] == [{lot: 1}, {}]


async def test_a_visit_uses_the_kit_as_it_was_when_it_ended(shelf: Shelf):
    glove = await shelf.item()
    await shelf.receive(glove, 100)
    kit = await shelf.kit((glove, 3))
    yesterday = shelf.completed(new_id())
    shelf.practice.clock.advance(days=1)
    changed = {"name": "Kit", "lines": auto((glove, 7)), "triggers": ["wellness"]}
    assert (await shelf.practice.put(f"/v1/kits/{kit['id']}", changed, revision=1)).status_code == 200
    await shelf.practice.deliver(yesterday)
    await shelf.practice.deliver(shelf.completed(new_id()))
    assert [sum(lines_of(event).values()) for event in await consumed(shelf)] == [3, 7]
    emptied = {"name": "Kit", "lines": auto((glove, 7))}
    assert (await shelf.practice.put(f"/v1/kits/{kit['id']}", emptied, revision=2)).json()["triggers"] == []
    await shelf.practice.deliver(shelf.completed(new_id()))
    assert len(await consumed(shelf)) == 2


async def test_lines_to_confirm_take_no_stock_and_wait_in_the_usage(shelf: Shelf):
    vaccine = await shelf.item("FLU", kind="vaccine")
    await shelf.receive(vaccine, 5)
    await shelf.kit(lines=[{"item_id": vaccine, "quantity": 1, "mode": "confirm"}])
    visit = new_id()
    await shelf.practice.deliver(shelf.completed(visit))
    usage = await shelf.usage(visit)
    assert (usage["to_confirm"], usage["shortfalls"], usage["lines"]) == ([{"item_id": vaccine, "quantity": 1}], [], [])
    assert sum((await shelf.on_hand()).values()) == 5
    assert await consumed(shelf) == []


@pytest.mark.parametrize("kind", ["vaccine", "drug", "office"])
async def test_nothing_but_supplies_and_reagents_is_used_up_unseen(shelf: Shelf, kind):
    item = await shelf.item(kind=kind)
    body = {"code": "kit", "name": "Kit", "lines": auto((item, 1))}
    refused = await shelf.practice.post("/v1/kits", body)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/lines/0/mode"]
    assert await shelf.practice.sql("select * from kits") == []


async def test_a_code_uses_up_one_kit_at_a_time(shelf: Shelf):
    glove = await shelf.item()
    first = await shelf.kit((glove, 1))
    body = {"code": "other", "name": "Other", "lines": auto((glove, 1)), "triggers": ["wellness"]}
    assert (await shelf.practice.post("/v1/kits", body)).json()["code"] == "trigger-taken"
    assert (await shelf.practice.post("/v1/kits", {**body, "code": "kit"})).json()["code"] == "kit-code-taken"
    freed = {"name": "Kit", "lines": auto((glove, 1))}
    assert (await shelf.practice.put(f"/v1/kits/{first['id']}", freed, revision=1)).status_code == 200
    assert (await shelf.practice.post("/v1/kits", body)).status_code == 201


async def test_a_kit_is_shown_and_changed_by_its_newest_revision(shelf: Shelf):
    glove = await shelf.item()
    kit = await shelf.kit((glove, 2), triggers=("b", "a"))
    assert (kit["revision"], kit["triggers"], kit["lines"]) == (1, ["a", "b"], auto((glove, 2)))
    path = f"/v1/kits/{kit['id']}"
    assert (await shelf.practice.get(path)).json() == (await shelf.practice.get("/v1/kits")).json()["items"][0] == kit
    body = {"name": "New", "lines": auto((glove, 4)), "triggers": ["a"]}
    assert (await shelf.practice.put(path, body)).status_code == 428
    changed = await shelf.practice.put(path, body, revision=1)
    assert (changed.headers["etag"], changed.json()["lines"], changed.json()["triggers"]) == (
        '"2"',
        auto((glove, 4)),
        ["a"],
    )
    assert (await shelf.practice.put(path, body, revision=1)).status_code == 412


async def test_a_kit_does_not_begin_in_the_future(shelf: Shelf):
    body = {"code": "kit", "name": "Kit", "lines": auto((await shelf.item(), 1)), "valid_from": "2027-02-02T00:00:00Z"}
    refused = await shelf.practice.post("/v1/kits", body)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/valid_from"]


async def test_another_practice_sees_no_kit_and_no_usage(inventory: Harness):
    here, there = await open_shelf(await inventory.practice()), await open_shelf(await inventory.practice())
    glove = await here.item()
    await here.receive(glove, 5)
    kit = await here.kit((glove, 1))
    visit = new_id()
    await here.practice.deliver(here.completed(visit))
    await there.practice.deliver(there.completed(visit))
    usage = await here.usage(visit)
    assert (await there.practice.get(f"/v1/kits/{kit['id']}")).status_code == 404
    assert (await there.usage(visit))["lines"] == []
    unknown = await there.practice.get(f"/v1/usages/{new_id()}")
    assert unknown.status_code == 404
    assert (await here.practice.get(f"/v1/usages/{usage['id']}")).json() == usage
    assert await consumed(there) == []


async def test_events_of_inventory_hold_no_free_text(shelf: Shelf):
    glove = await shelf.item("GLOVE", name="Secret Glove Name")
    await shelf.receive(glove, 1, "SECRETLOT")
    await shelf.kit((glove, 2), name="Secret Kit Name")
    await shelf.practice.deliver(shelf.completed(new_id()))
    rows = await shelf.practice.sql("select envelope from outbox")
    assert len(rows) == 2
    for row in rows:
        assert "secret" not in row["envelope"].lower()
        assert all(_is_plain(value) for value in _leaves(orjson.loads(row["envelope"])["data"]))


async def test_a_visit_of_a_practice_not_yet_opened_waits_for_its_opening(inventory: Harness):
    practice = PracticeUnderTest(inventory, new_id())
    shelf = Shelf(practice, new_id(), "")
    glove = await shelf.item()
    await shelf.kit((glove, 1))
    event = shelf.completed(new_id())
    with pytest.raises(Unavailable):
        await practice.deliver(event)
    now = practice.clock.now()
    opened = PracticeOpenedV1(
        practice_id=practice.practice_id, revision=1, time_zone="UTC", currency="USD", opened_at=now
    )
    await practice.deliver(opened)
    await practice.deliver(event)
    assert [len(event.shortfalls) for event in await consumed(shelf)] == [1]


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


def _is_plain(value: object) -> bool:
    """Tell whether a value is an id, a number, a date, a time, a currency or nothing."""
    if not isinstance(value, str):
        return value is None or isinstance(value, int)
    for read in (UUID, datetime.fromisoformat):
        try:
            read(value)
        except ValueError:
            continue
        return True
    return value == "USD"
