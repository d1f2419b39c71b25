"""A visit becomes a charge sheet, a charge, a claim and an entry; late, repeated and corrected events change nothing twice."""

import asyncio
import hashlib
import random
from uuid import UUID

import pytest

from praxis.contracts.billing import ChargeCapturedV1, ClaimReadiedV1, EntryPostedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import (
    CODED_CENTS,
    CODING,
    OTHER_CENTS,
    OTHER_CODING,
    BillingDesk,
    accepted_by_pyx12,
    amended,
    ready_desk,
    used,
)


async def test_a_completed_visit_is_coded_signed_claimed_and_posted_in_its_own_story(billing: Harness):
    desk = await ready_desk(billing)
    visit, story = desk.visit(), new_id()
    await desk.practice.deliver(visit, story=story)
    sheet = await desk.sheet(visit.visit_id)
    assert (sheet["state"], sheet["version"], sheet["lines"], sheet["diagnoses"]) == ("open", 1, [], [])
    signed = await desk.signed(sheet)
    assert (signed["state"], signed["total_cents"], signed["service_on"]) == ("signed", CODED_CENTS, "2027-02-01")
    assert [line["charge_cents"] for line in signed["lines"]] == [17500, 860]
    [claim] = await desk.claims(signed["visit_id"])
    assert (claim["state"], claim["total_cents"]) == ("ready", CODED_CENTS)
    assert [finding["rule"] for finding in claim["findings"]] == ["drug-missing"]
    assert await desk.balances() == {"1100": CODED_CENTS, "4000": -CODED_CENTS}
    [charge] = await desk.practice.announced(ChargeCapturedV1)
    [readied] = await desk.practice.announced(ClaimReadiedV1)
    [entry] = await desk.practice.announced(EntryPostedV1)
    assert (charge.status, charge.total_cents, charge.lines[1].units) == ("signed", CODED_CENTS, 4)
    assert (charge.revision, str(readied.claim_id), readied.total_cents) == (
        signed["revision"],
        claim["id"],
        CODED_CENTS,
    )
    assert [(p.account, p.debit_cents, p.credit_cents) for p in entry.postings] == [
        ("1100", CODED_CENTS, 0),
        ("4000", 0, CODED_CENTS),
    ]
    stories = await desk.practice.sql(
        "select distinct correlation_id from outbox where subject like 'praxis.billing.%'"
    )
    assert [row["correlation_id"] for row in stories] == [story]


async def test_the_file_of_a_ready_claim_is_accepted_by_another_reader_and_has_the_stored_digest(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened())
    [claim] = await desk.claims(signed["visit_id"])
    reply = await desk.practice.get(f"/v1/claims/{claim['id']}/x12")
    assert reply.headers["content-type"].startswith("application/edi-x12")
    assert accepted_by_pyx12(reply.text)
    assert not accepted_by_pyx12(reply.text.replace("CLM*", "CLX*", 1))
    assert hashlib.sha256(reply.content).hexdigest() == claim["x12_sha256"]
    assert "CLM*C00000001*183.6***11:B:1*" in reply.text
    assert "HI*ABK:E119*ABF:I10~" in reply.text
    [audited] = await desk.practice.sql("select patient_id from audit where action = 'billing.claims.x12'")
    assert audited["patient_id"] == desk.patient_id


async def test_five_deliveries_make_one_sheet(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    event_id = await desk.practice.deliver(visit)
    await desk.practice.deliver(visit, event_id=event_id)
    await asyncio.gather(*(desk.practice.deliver(visit) for _ in range(3)))
    assert (await desk.sheet(visit.visit_id))["revision"] == 1


async def test_an_amendment_before_signing_changes_the_sheet_and_announces_nothing(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    await desk.practice.deliver(visit)
    await desk.coded(await desk.sheet(visit.visit_id), CODING)
    await desk.practice.deliver(amended(visit, visit_type_code="follow-up"))
    sheet = await desk.sheet(visit.visit_id)
    assert (sheet["state"], sheet["version"], sheet["visit_type_code"]) == ("reopened", 1, "follow-up")
    assert [line["hcpcs_code"] for line in sheet["lines"]] == ["G0402", "J3301"]
    refused = await desk.sign(sheet)
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["amend", "code"])
    assert await desk.practice.announced(ChargeCapturedV1) == []


async def test_an_amendment_after_signing_voids_once_and_the_net_is_the_new_price(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    await desk.practice.deliver(visit)
    first = await desk.signed(await desk.sheet(visit.visit_id))
    correction = amended(visit)
    await desk.practice.deliver(correction)
    await asyncio.gather(*(desk.practice.deliver(correction) for _ in range(3)))
    reopened = await desk.sheet(visit.visit_id)
    assert (reopened["state"], reopened["version"], reopened["total_cents"]) == ("reopened", 2, None)
    assert (reopened["diagnoses"], len(reopened["lines"])) == (["E11.9", "I10"], 2)
    assert await desk.balances() == {"1100": 0, "4000": 0}
    second = await desk.signed(reopened, OTHER_CODING)
    assert (second["id"], second["total_cents"]) == (first["id"], OTHER_CENTS)
    assert await desk.balances() == {"1100": OTHER_CENTS, "4000": -OTHER_CENTS}
    events = await desk.practice.announced(ChargeCapturedV1)
    assert [(e.status, e.total_cents, len(e.lines)) for e in events] == [
        ("signed", CODED_CENTS, 2),
        ("voided", 0, 0),
        ("signed", OTHER_CENTS, 1),
    ]
    assert [e.revision for e in events] == sorted({e.revision for e in events})
    claims = await desk.claims(str(visit.visit_id))
    assert [(c["state"], c["sheet_version"]) for c in claims] == [("voided", 1), ("ready", 2)]
    entries = (await desk.practice.get(f"/v1/ledger/entries?source_id={first['id']}")).json()["items"]
    assert [(e["number"], e["purpose"]) for e in entries] == [(1, "signed-1"), (2, "voided-1"), (3, "signed-2")]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_arrival_gives_the_same_sheet(billing: Harness, seed: int):
    desk = await ready_desk(billing)
    visit = desk.visit()
    newest = amended(visit, visit_type_code="corrected")
    events = [visit, newest, used(visit.visit_id), used(visit.visit_id, revision=6, quantity=2, cost_cents=386), visit]
    random.Random(seed).shuffle(events)
    for event in events:
        await desk.practice.deliver(event)
    sheet = await desk.sheet(visit.visit_id)
    assert (sheet["visit_type_code"], sheet["version"], sheet["supplies"]["cost_cents"]) == ("corrected", 1, 386)
    assert sheet["supplies"]["suggested_lines"] == [{"hcpcs_code": "J3301", "units": 2}]
    assert [line["hcpcs_code"] for line in sheet["supplies"]["lines"]] == ["J3301", None]


async def test_an_older_use_of_supplies_heard_late_changes_nothing(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    for event in (used(visit.visit_id, revision=6, quantity=2, cost_cents=386), visit, used(visit.visit_id)):
        await desk.practice.deliver(event)
    assert (await desk.sheet(visit.visit_id))["supplies"]["cost_cents"] == 386


async def test_supplies_before_the_visit_open_no_sheet(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    await desk.practice.deliver(used(visit.visit_id))
    assert (await desk.practice.get("/v1/charge-sheets")).json()["items"] == []


async def test_without_coverage_the_patient_owes_and_no_claim_is_made(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened(patient_id=new_id()))
    assert signed["self_pay_reason"] == "no-active-primary-coverage"
    assert await desk.claims(signed["visit_id"]) == []
    assert await desk.balances() == {"1110": CODED_CENTS, "4000": -CODED_CENTS}
    assert await desk.practice.announced(ClaimReadiedV1) == []


async def test_a_coverage_that_ended_the_day_before_does_not_count(billing: Harness):
    desk = await ready_desk(billing)
    [coverage] = (await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"]
    await desk.practice.post(f"/v1/coverages/{coverage['id']}/end", {"ended_on": "2027-01-31"})
    signed = await desk.signed(await desk.opened())
    assert signed["self_pay_reason"] == "no-active-primary-coverage"


async def test_the_service_date_is_the_day_the_patients_clock_showed_at_check_in(billing: Harness):
    desk = await ready_desk(billing)
    late = desk.visit(checked_in_at="2027-02-01T04:30:00Z", completed_at="2027-02-01T05:10:00Z")
    await desk.practice.deliver(late)
    signed = await desk.signed(await desk.sheet(late.visit_id))
    assert signed["service_on"] == "2027-01-31"


async def test_two_signatures_at_once_make_one_entry(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(), CODING)
    replies = await asyncio.gather(*(desk.sign(sheet) for _ in range(4)))
    assert sorted(reply.status_code for reply in replies) == [200, 409, 409, 409]
    assert len(await desk.practice.announced(EntryPostedV1)) == 1
    assert len(await desk.claims(sheet["visit_id"])) == 1


async def test_a_repeated_signature_with_the_same_key_replays_the_answer(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(), CODING)
    first, second = await desk.sign(sheet, key="sign-once-1"), await desk.sign(sheet, key="sign-once-1")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert second.headers["idempotent-replayed"] == "true"
    assert len(await desk.practice.announced(EntryPostedV1)) == 1


async def test_many_sheets_signed_at_once_are_numbered_without_gap_and_chained(billing: Harness):
    desk = await ready_desk(billing)
    patients = [desk.patient_id] * 2 + [new_id() for _ in range(4)]
    sheets = [await desk.coded(await desk.opened(patient_id=patient), CODING) for patient in patients]
    replies = await asyncio.gather(*(desk.sign(sheet) for sheet in sheets))
    assert {reply.status_code for reply in replies} == {200}
    entries = (await desk.practice.get("/v1/ledger/entries?limit=200")).json()["items"]
    assert [entry["number"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry["prev_hash"] for entry in entries] == ["00" * 32, *(entry["hash"] for entry in entries[:-1])]
    numbers = {claim["control_number"] for sheet in sheets for claim in await desk.claims(sheet["visit_id"])}
    assert len(numbers) == 2


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_in_whatever_order_the_books_hold_exactly_the_signed_sheets(billing: Harness, seed: int):
    desk, chance = await ready_desk(billing), random.Random(seed)
    visits = [desk.visit(), desk.visit(patient_id=new_id()), desk.visit()]
    heard = [event for visit in visits for event in (visit, *(amended(visit, revision=r) for r in (6, 7, 8)))]
    for _ in range(30):
        if chance.random() < 0.6:
            await desk.practice.deliver(chance.choice(heard))
            continue
        sheets = (await desk.practice.get("/v1/charge-sheets")).json()["items"]
        for sheet in [sheet for sheet in sheets if sheet["state"] != "signed"][:1]:
            await desk.signed(sheet, chance.choice([CODING, OTHER_CODING]))
    sheets = [await desk.sheet(visit_id) for visit_id in await _visits(desk)]
    balances = await desk.balances()
    assert balances.get("4000", 0) == -sum(sheet["total_cents"] or 0 for sheet in sheets)
    insured = sum(sheet["total_cents"] or 0 for sheet in sheets if sheet["patient_id"] == str(desk.patient_id))
    assert balances.get("1100", 0) == insured
    for sheet in sheets:
        kept = [claim["sheet_version"] for claim in await desk.claims(sheet["visit_id"]) if claim["state"] != "voided"]
        covered = sheet["state"] == "signed" and sheet["self_pay_reason"] is None
        assert kept == ([sheet["version"]] if covered else [])


async def _visits(desk: BillingDesk) -> list[UUID]:
    items = (await desk.practice.get("/v1/charge-sheets")).json()["items"]
    return [UUID(item["visit_id"]) for item in items]
