"""Payers, fee schedules and the billing provider: kept, replaced, and what is refused."""

import pytest

from praxis.contracts.staff import StaffMemberDeactivatedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import BILLING_PROVIDER, FEES, PAYER, provider, ready_desk, unset_desk


async def test_a_payer_is_added_replaced_and_listed_by_name(billing: Harness):
    practice = await billing.practice()
    payer = (await practice.post("/v1/payers", PAYER)).json()
    await practice.post("/v1/payers", {**PAYER, "name": "Another Plan", "payer_id": "ANP01"})
    path = f"/v1/payers/{payer['id']}"
    address = {"line1": "3 Made Up Way", "city": "Exampleville", "state": "NY", "postal_code": "10001"}
    changed = await practice.put(path, {**PAYER, "timely_filing_days": 120, "address": address}, revision=1)
    assert (changed.json()["revision"], changed.json()["timely_filing_days"]) == (2, 120)
    assert (await practice.put(path, PAYER, revision=1)).status_code == 412
    assert (await practice.get(path)).json() == changed.json()
    assert [item["name"] for item in (await practice.get("/v1/payers")).json()["items"]] == [
        "Another Plan",
        PAYER["name"],
    ]


async def test_a_second_payer_with_the_same_id_is_refused(billing: Harness):
    practice = await billing.practice()
    await practice.post("/v1/payers", PAYER)
    reply = await practice.post("/v1/payers", {**PAYER, "name": "Twin"})
    assert (reply.status_code, reply.json()["code"]) == (409, "payer-known")


@pytest.mark.parametrize(
    ("days", "status"),
    [(("2026-12-31", None), 409), (("2025-01-01", "2026-01-01"), 409), (("2025-01-01", "2025-12-31"), 201)],
)
async def test_default_schedules_do_not_overlap(billing: Harness, days, status):
    desk = await unset_desk(billing)
    body = {"name": "Other", "valid_from": days[0], "valid_until": days[1], "items": FEES}
    reply = await desk.practice.post("/v1/fee-schedules", body)
    assert reply.status_code == status
    assert reply.json().get("code", "fee-schedules-overlap") == "fee-schedules-overlap"


async def test_a_price_stands_once(billing: Harness):
    practice = await billing.practice()
    body = {"name": "Twice", "valid_from": "2026-01-01", "items": [FEES[0], FEES[3], FEES[0]]}
    reply = await practice.post("/v1/fee-schedules", body)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/items/2")
    assert (await practice.get("/v1/fee-schedules")).json()["items"] == []


async def test_replacing_a_schedule_leaves_signed_charges_as_they_are(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened())
    [schedule] = (await desk.practice.get("/v1/fee-schedules")).json()["items"]
    body = {"name": "Dearer", "valid_from": "2026-01-01", "items": [{**FEES[0], "charge_cents": 99999}]}
    changed = await desk.practice.put(f"/v1/fee-schedules/{schedule['id']}", body, revision=1)
    assert [(item["hcpcs_code"], item["charge_cents"]) for item in changed.json()["items"]] == [("G0402", 99999)]
    assert (await desk.sheet(signed["visit_id"]))["total_cents"] == signed["total_cents"]


async def test_a_schedule_of_an_unknown_payer_is_refused(billing: Harness):
    practice = await billing.practice()
    reply = await practice.post(
        "/v1/fee-schedules", {"name": "X", "payer_id": new_id(), "valid_from": "2026-01-01", "items": []}
    )
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/payer_id")


async def test_the_billing_provider_is_set_once_and_then_replaced_by_revision(billing: Harness):
    practice = await billing.practice()
    path = "/v1/billing-provider"
    assert (await practice.get(path)).json()["code"] == "billing-provider-unset"
    assert (await practice.put(path, BILLING_PROVIDER)).status_code == 428
    first = await practice.put(path, BILLING_PROVIDER, revision=0)
    assert (first.status_code, first.json()["revision"], first.json()["ein_ending"]) == (200, 1, "4321")
    assert "987654321" not in first.text
    assert (await practice.put(path, BILLING_PROVIDER, revision=0)).status_code == 412
    second = await practice.put(path, {**BILLING_PROVIDER, "organization_name": "Renamed Practice"}, revision=1)
    assert (second.json()["revision"], second.headers["etag"]) == (2, '"2"')
    assert (await practice.get(path)).json() == second.json()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"npi": "1234567890"}, "/npi"),
        ({"npi": "123"}, "/npi"),
        ({"ein": "12-3456789"}, "/ein"),
        ({"address": {**BILLING_PROVIDER["address"], "postal_code": "10001"}}, "/address/postal_code"),
        ({"contact": {"name": "Desk", "phone": "555"}}, "/contact/phone"),
    ],
)
async def test_an_unusable_billing_provider_is_refused_by_field(billing: Harness, change, pointer):
    practice = await billing.practice()
    reply = await practice.put("/v1/billing-provider", {**BILLING_PROVIDER, **change}, revision=0)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await practice.sql("select * from billing_providers") == []


async def test_an_older_event_about_a_provider_changes_nothing(billing: Harness):
    desk = await unset_desk(billing)
    left = StaffMemberDeactivatedV1(**{**provider(desk).model_dump(), "revision": 2, "status": "inactive"})
    for event in (left, provider(desk)):
        await desk.practice.deliver(event)
    [row] = await desk.practice.sql("select revision, status, npi from rendering_providers")
    assert (row["revision"], row["status"], row["npi"]) == (2, "inactive", "1245319599")


@pytest.mark.parametrize("role", ["receptionist", "medical_assistant", "provider"])
async def test_prices_and_payers_are_written_by_who_keeps_the_books(billing: Harness, role):
    practice = await billing.practice()
    assert (await practice.post("/v1/payers", PAYER, role=role)).status_code == 403
    assert (
        await practice.post("/v1/fee-schedules", {"name": "X", "valid_from": "2026-01-01", "items": []}, role=role)
    ).status_code == 403
    assert (await practice.put("/v1/billing-provider", BILLING_PROVIDER, role=role, revision=0)).status_code == 403
