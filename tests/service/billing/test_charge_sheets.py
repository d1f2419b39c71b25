"""Coding and signing: who may, what is refused, and that a signed version never changes."""

import asyncpg
import pytest

from praxis.contracts.billing import ChargeCapturedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import CODING, FEES, ready_desk


@pytest.mark.parametrize("role", ["biller", "medical_office_manager", "medical_assistant", "receptionist"])
async def test_only_a_provider_codes_and_signs(billing: Harness, role):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(), CODING)
    path = f"/v1/charge-sheets/{sheet['id']}"
    assert (await desk.practice.put(path, CODING, role=role, revision=sheet["revision"])).status_code == 403
    assert (await desk.practice.post(f"{path}/sign", role=role, key=str(new_id()))).status_code == 403
    assert await desk.practice.announced(ChargeCapturedV1) == []


async def test_a_signature_needs_a_key(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(), CODING)
    reply = await desk.practice.post(f"/v1/charge-sheets/{sheet['id']}/sign", role="provider")
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (400, "header:Idempotency-Key")


async def test_a_code_without_a_fee_is_refused_by_name_and_leaves_the_sheet_coded(billing: Harness):
    desk = await ready_desk(billing)
    coding = {**CODING, "lines": [*CODING["lines"], {"hcpcs_code": "A4550", "diagnosis_pointers": [1]}]}
    sheet = await desk.coded(await desk.opened(), coding)
    reply = await desk.sign(sheet)
    [error] = reply.json()["errors"]
    assert (reply.status_code, reply.json()["code"], error["pointer"]) == (422, "fee-missing", "/lines/2/hcpcs_code")
    assert "A4550" in error["message"]
    assert "Standard" in error["message"]
    assert (await desk.sheet(sheet["visit_id"]))["state"] == "coded"
    assert await desk.practice.announced(ChargeCapturedV1) == []


async def test_the_payers_schedule_goes_before_the_default_one_and_a_modifier_before_none(billing: Harness):
    desk = await ready_desk(billing)
    contract = {
        "name": "Contract",
        "payer_id": desk.payer_id,
        "valid_from": "2027-01-01",
        "items": [{**FEES[0], "charge_cents": 9900}],
    }
    assert (await desk.practice.post("/v1/fee-schedules", contract)).status_code == 201
    lines = [
        {"hcpcs_code": "G0402", "diagnosis_pointers": [1]},
        {"hcpcs_code": "G0439", "modifiers": ["59", "25"], "diagnosis_pointers": [1]},
    ]
    signed = await desk.signed(await desk.opened(), {"diagnoses": ["I10"], "lines": lines})
    assert [line["charge_cents"] for line in signed["lines"]] == [9900, 14000]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"diagnoses": []}, "/diagnoses"),
        ({"diagnoses": ["I10", "I10"]}, "/diagnoses/1"),
        ({"diagnoses": ["diabetes"]}, "/diagnoses/0"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"hcpcs_code": "GO402", "diagnosis_pointers": [1]}]}, "/lines/0/hcpcs_code"),
        ({"lines": [{"hcpcs_code": "G0402", "diagnosis_pointers": [3]}]}, "/lines/0/diagnosis_pointers"),
        ({"lines": [{"hcpcs_code": "G0402", "diagnosis_pointers": []}]}, "/lines/0/diagnosis_pointers"),
        ({"lines": [{"hcpcs_code": "G0402", "diagnosis_pointers": [1], "units": 0}]}, "/lines/0/units"),
        (
            {"lines": [{"hcpcs_code": "G0402", "diagnosis_pointers": [1], "modifiers": ["25", "25"]}]},
            "/lines/0/modifiers",
        ),
    ],
)
async def test_coding_that_can_never_be_right_is_named(billing: Harness, change, pointer):
    desk = await ready_desk(billing)
    sheet = await desk.opened()
    reply = await desk.practice.put(
        f"/v1/charge-sheets/{sheet['id']}", {**CODING, **change}, role="provider", revision=1
    )
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]


async def test_coding_needs_the_newest_revision_and_replaces_the_former_lines(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(), CODING)
    path = f"/v1/charge-sheets/{sheet['id']}"
    assert (await desk.practice.put(path, CODING, role="provider")).status_code == 428
    assert (await desk.practice.put(path, CODING, role="provider", revision=1)).status_code == 412
    shorter = await desk.coded(sheet, {**CODING, "lines": CODING["lines"][:1]})
    assert [line["hcpcs_code"] for line in shorter["lines"]] == ["G0402"]


async def test_a_signed_sheet_cannot_be_coded_or_signed_again(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened())
    path = f"/v1/charge-sheets/{signed['id']}"
    coded = await desk.practice.put(path, CODING, role="provider", revision=signed["revision"])
    assert (coded.status_code, coded.json()["state"], coded.json()["allowed"]) == (409, "signed", ["amend"])
    assert "already signed" in coded.json()["detail"]
    assert (await desk.sign(signed)).json()["code"] == "transition-refused"


async def test_an_uncoded_sheet_cannot_be_signed_and_says_to_code_it_first(billing: Harness):
    desk = await ready_desk(billing)
    reply = await desk.sign(await desk.opened())
    assert (reply.status_code, reply.json()["state"]) == (409, "open")
    assert "code it first" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("change", "example"),
    [
        ({"diagnoses": ["diabetes"]}, "E11.9"),
        ({"lines": [{**CODING["lines"][0], "modifiers": ["left"]}]}, "LT"),
        ({"lines": [{**CODING["lines"][0], "hcpcs_code": "visit"}]}, "99213"),
    ],
)
async def test_a_code_of_the_wrong_shape_is_answered_with_an_example(billing: Harness, change, example):
    desk = await ready_desk(billing)
    sheet = await desk.opened()
    path = f"/v1/charge-sheets/{sheet['id']}"
    reply = await desk.practice.put(path, {**CODING, **change}, role="provider", revision=1)
    said = [error["message"] for error in reply.json()["errors"]]
    assert (reply.status_code, any(example in message for message in said)) == (422, True)
    assert not any("^" in message for message in said)


@pytest.mark.parametrize(
    "statement",
    [
        "update charge_lines set charge_cents = 1 where charge_sheet_id = $1",
        "delete from charge_lines where charge_sheet_id = $1",
        "insert into charge_lines (charge_sheet_id, version, number, hcpcs_code, modifiers, units, diagnosis_pointers) "
        "values ($1, 1, 9, 'G0402', '{}', 1, '{1}')",
    ],
)
async def test_the_database_refuses_to_change_signed_lines(billing: Harness, statement):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened())
    with pytest.raises(asyncpg.RestrictViolationError):
        await desk.practice.sql(statement, signed["id"])


async def test_another_practice_sees_no_sheet_no_claim_and_no_entry(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened())
    [claim] = await desk.claims(signed["visit_id"])
    there = await billing.practice()
    for path in (f"/v1/charge-sheets/{signed['id']}", f"/v1/claims/{claim['id']}", f"/v1/claims/{claim['id']}/x12"):
        assert (await there.get(path)).status_code == 404
    for path in ("/v1/charge-sheets", "/v1/claims", "/v1/ledger/entries", "/v1/payers", "/v1/fee-schedules"):
        assert (await there.get(path)).json()["items"] == []


async def test_sheets_are_listed_by_state_and_every_one_shown_is_audited(billing: Harness):
    desk = await ready_desk(billing)
    opened, other = await desk.opened(), await desk.coded(await desk.opened(), CODING)
    listed = await desk.practice.get("/v1/charge-sheets?state=coded")
    assert [item["id"] for item in listed.json()["items"]] == [other["id"]]
    page = await desk.practice.get("/v1/charge-sheets?limit=1")
    rest = await desk.practice.get(f"/v1/charge-sheets?limit=1&cursor={page.json()['next']}")
    seen = [item["id"] for reply in (page, rest) for item in reply.json()["items"]]
    assert sorted(seen) == sorted([opened["id"], other["id"]])
    audited = await desk.practice.sql(
        "select entity_id from audit where action = 'billing.charge-sheets.list' and patient_id = $1", desk.patient_id
    )
    assert {str(row["entity_id"]) for row in audited} >= {opened["id"], other["id"]}


async def test_one_sheet_is_shown_with_its_revision_and_audited_with_its_patient(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.opened()
    reply = await desk.practice.get(f"/v1/charge-sheets/{sheet['id']}", role="biller")
    assert reply.headers["etag"] == '"1"'
    rows = await desk.practice.sql("select patient_id from audit where actor_id = $1", desk.practice.actor("biller").id)
    assert [row["patient_id"] for row in rows] == [desk.patient_id]
