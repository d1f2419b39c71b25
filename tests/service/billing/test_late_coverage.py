"""A coverage that comes to light after the patient was charged: the debt moves to the payer once, and back with the visit."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from praxis.contracts.billing import ClaimReadiedV1
from praxis.contracts.scheduling import VisitCompletedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import CODED_CENTS, CODING, COVERAGE, BillingDesk, amended, ready_desk


async def bill(desk: BillingDesk, sheet: dict[str, Any], role: str = "biller") -> httpx.Response:
    """Ask for the coverage of a sheet to be billed."""
    return await desk.practice.post(f"/v1/charge-sheets/{sheet['id']}/bill-coverage", role=role, key=str(new_id()))


async def self_paid(desk: BillingDesk) -> tuple[VisitCompletedV1, dict[str, Any]]:
    """Return a visit of an uncovered patient and its signed sheet."""
    visit = desk.visit(patient_id=new_id())
    await desk.practice.deliver(visit)
    return visit, await desk.signed(await desk.sheet(visit.visit_id))


async def cover(desk: BillingDesk, patient_id: UUID, **changes: Any) -> None:
    """Put a coverage of the patient on file."""
    body = {**COVERAGE, "patient_id": patient_id, "payer_id": desk.payer_id, **changes}
    assert (await desk.practice.post("/v1/coverages", body)).status_code == 201


async def test_a_coverage_entered_after_the_signature_is_billed_at_the_signed_price(billing: Harness):
    desk = await ready_desk(billing)
    visit, signed = await self_paid(desk)
    await cover(desk, visit.patient_id)
    reply = await bill(desk, signed)
    assert (reply.status_code, reply.json()["self_pay_reason"], reply.json()["state"]) == (200, None, "signed")
    assert reply.json()["revision"] == signed["revision"] + 1
    [claim] = await desk.claims(signed["visit_id"])
    assert (claim["state"], claim["total_cents"]) == ("ready", CODED_CENTS)
    assert claim["practitioner_id"] == str(desk.provider_id)
    assert [line["charge_cents"] for line in claim["lines"]] == [17500, 860]
    assert await desk.balances() == {"1100": CODED_CENTS, "1110": 0, "4000": -CODED_CENTS}
    entries = (await desk.practice.get(f"/v1/ledger/entries?source_id={signed['id']}")).json()["items"]
    assert [entry["purpose"] for entry in entries] == ["signed-1", "coverage-1"]
    assert [str(event.claim_id) for event in await desk.practice.announced(ClaimReadiedV1)] == [claim["id"]]


async def test_an_amended_visit_takes_back_both_entries_and_voids_the_late_claim(billing: Harness):
    desk = await ready_desk(billing)
    visit, signed = await self_paid(desk)
    await cover(desk, visit.patient_id)
    await bill(desk, signed)
    await desk.practice.deliver(amended(visit))
    assert await desk.balances() == {"1100": 0, "1110": 0, "4000": 0}
    assert [claim["state"] for claim in await desk.claims(signed["visit_id"])] == ["voided"]
    again = await desk.signed(await desk.sheet(visit.visit_id))
    assert again["self_pay_reason"] is None
    assert await desk.balances() == {"1100": CODED_CENTS, "1110": 0, "4000": -CODED_CENTS}


async def test_an_amended_self_pay_visit_owes_no_reason_until_it_is_signed_again(billing: Harness):
    desk = await ready_desk(billing)
    visit, _ = await self_paid(desk)
    await desk.practice.deliver(amended(visit))
    assert (await desk.sheet(visit.visit_id))["self_pay_reason"] is None
    assert await desk.balances() == {"1110": 0, "4000": 0}


@pytest.mark.parametrize("change", [{"valid_from": "2027-02-02"}, {"rank": "secondary"}, {"valid_until": "2027-01-31"}])
async def test_only_a_primary_coverage_of_the_service_date_counts(billing: Harness, change):
    desk = await ready_desk(billing)
    visit, signed = await self_paid(desk)
    await cover(desk, visit.patient_id, **change)
    reply = await bill(desk, signed)
    assert (reply.status_code, reply.json()["code"]) == (409, "coverage-not-billable")
    assert reply.json()["reason"] == "no-active-primary-coverage"
    assert "2027-02-01" in reply.json()["detail"]
    assert await desk.balances() == {"1110": CODED_CENTS, "4000": -CODED_CENTS}


async def test_a_charge_that_a_payer_is_asked_for_and_an_unsigned_one_are_refused_each_by_its_reason(billing: Harness):
    desk = await ready_desk(billing)
    coded = await desk.coded(await desk.opened(), CODING)
    assert (await bill(desk, coded)).json()["reason"] == "not-signed"
    signed = await desk.signed(await desk.opened())
    reply = await bill(desk, signed)
    assert (reply.status_code, reply.json()["reason"]) == (409, "payer-asked")


async def test_billed_many_times_at_once_it_is_billed_once(billing: Harness):
    desk = await ready_desk(billing)
    visit, signed = await self_paid(desk)
    await cover(desk, visit.patient_id)
    replies = await asyncio.gather(*(bill(desk, signed) for _ in range(4)))
    assert sorted(reply.status_code for reply in replies) == [200, 409, 409, 409]
    assert len(await desk.claims(signed["visit_id"])) == 1


async def test_billing_a_coverage_needs_a_key_and_a_biller(billing: Harness):
    desk = await ready_desk(billing)
    _, signed = await self_paid(desk)
    assert (await bill(desk, signed, role="provider")).status_code == 403
    assert (await desk.practice.post(f"/v1/charge-sheets/{signed['id']}/bill-coverage")).status_code == 400


async def test_the_list_of_sheets_says_who_pays_themselves(billing: Harness):
    desk = await ready_desk(billing)
    _, signed = await self_paid(desk)
    insured = await desk.signed(await desk.opened())
    listed = (await desk.practice.get("/v1/charge-sheets")).json()["items"]
    reasons = {item["id"]: item["self_pay_reason"] for item in listed}
    assert reasons == {signed["id"]: "no-active-primary-coverage", insured["id"]: None}
