"""Items and packs: what may be added and changed."""

import pytest

from praxis.kit.testing import Harness
from tests.support.inventory import created

GLOVE = {"sku": "GLOVE-M", "name": "Examination glove M", "kind": "supply", "base_unit": "each", "tracking": "lot"}
CHANGED = {"name": "Glove, medium", "storage_class": "room", "status": "active", "hcpcs_code": "A4927"}


async def test_an_item_is_added_with_its_gtin_filled_to_14_digits(inventory: Harness):
    practice = await inventory.practice()
    reply = await practice.post("/v1/items", {**GLOVE, "gtin": "614141000036"})
    assert (reply.status_code, reply.headers["etag"]) == (201, '"1"')
    item = reply.json()
    assert (item["gtin"], item["status"], item["storage_class"]) == ("00614141000036", "active", "room")
    assert (await practice.get(f"/v1/items/{item['id']}")).json() == item


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"gtin": "614141000037"}, "/gtin"),
        ({"kind": "vaccine", "tracking": "none"}, "/tracking"),
        ({"kind": "office-party"}, "/kind"),
        ({"hcpcs_code": "a49"}, "/hcpcs_code"),
        ({"sku": ""}, "/sku"),
        ({"price": 1}, "/price"),
    ],
)
async def test_an_item_that_can_never_be_right_is_refused_by_field(inventory: Harness, change, pointer):
    practice = await inventory.practice()
    reply = await practice.post("/v1/items", {**GLOVE, **change})
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await practice.sql("select * from items") == []


@pytest.mark.parametrize(("second", "code"), [({"gtin": None}, "sku-taken"), ({"sku": "OTHER"}, "gtin-taken")])
async def test_sku_and_gtin_name_one_item(inventory: Harness, second, code):
    practice = await inventory.practice()
    await created(practice, "/v1/items", {**GLOVE, "gtin": "09506000134352"})
    reply = await practice.post("/v1/items", {**GLOVE, "gtin": "09506000134352", **second})
    assert (reply.status_code, reply.json()["code"]) == (409, code)


async def test_an_item_changes_only_from_its_newest_revision(inventory: Harness):
    practice = await inventory.practice()
    path = f"/v1/items/{(await created(practice, '/v1/items', GLOVE))['id']}"
    assert (await practice.put(path, CHANGED)).status_code == 428
    changed = await practice.put(path, CHANGED, revision=1)
    assert (changed.status_code, changed.headers["etag"], changed.json()["hcpcs_code"]) == (200, '"2"', "A4927")
    stale = await practice.put(path, CHANGED, revision=1)
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)


async def test_the_base_unit_of_an_item_never_changes(inventory: Harness):
    practice = await inventory.practice()
    item = await created(practice, "/v1/items", GLOVE)
    refused = await practice.put(f"/v1/items/{item['id']}", {**CHANGED, "base_unit": "box"}, revision=1)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/base_unit"]
    with pytest.raises(Exception, match="permission denied"):
        await practice.sql("update items set base_unit = 'box'")


async def test_a_pack_holds_a_whole_number_of_base_units(inventory: Harness):
    practice = await inventory.practice()
    path = f"/v1/items/{(await created(practice, '/v1/items', GLOVE))['id']}/packs"
    assert (await practice.post(path, {"name": "box", "factor": 9.5})).status_code == 422
    pack = await created(practice, path, {"name": "box", "factor": 9, "gtin": "00012345600012"})
    assert (await practice.get(path)).json()["items"] == [pack]
    assert (await practice.post(path, {"name": "box", "factor": 10})).json()["code"] == "pack-name-taken"


async def test_items_are_listed_by_sku_in_pages(inventory: Harness):
    practice = await inventory.practice()
    for sku in ("C-1", "A-1", "B-1"):
        await created(practice, "/v1/items", {**GLOVE, "sku": sku})
    first = (await practice.get("/v1/items?limit=2")).json()
    second = (await practice.get(f"/v1/items?limit=2&cursor={first['next']}")).json()
    assert [item["sku"] for item in first["items"] + second["items"]] == ["A-1", "B-1", "C-1"]
    assert second["next"] is None


async def test_another_practice_sees_no_item(inventory: Harness):
    here, there = await inventory.practice(), await inventory.practice()
    item = await created(here, "/v1/items", GLOVE)
    assert (await there.get(f"/v1/items/{item['id']}")).status_code == 404
    assert (await there.get(f"/v1/items/{item['id']}/packs")).status_code == 404
    assert (await there.get("/v1/items")).json()["items"] == []


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("biller", 403), ("partner_client", 403)])
async def test_who_may_not_write_items_adds_none(inventory: Harness, role, status):
    practice = await inventory.practice()
    assert (await practice.post("/v1/items", GLOVE, role=role)).status_code == status
