"""Claims: held while something is missing or wrong, ready when it is mended, sealed at rest."""

import hashlib
from typing import Any

from praxis.contracts.billing import ClaimReadiedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import (
    BILLING_PROVIDER,
    CODING,
    COVERAGE,
    PAYER,
    SUBSCRIBER,
    BillingDesk,
    accepted_by_pyx12,
    amended,
    location,
    provider,
    ready_desk,
    unset_desk,
)


def broken_rules(claim) -> list[str]:
    """Return the rules that keep the claim from being sent; the supplies' J code always brings a warning about its NDC."""
    return [finding["rule"] for finding in claim["findings"] if finding["severity"] == "error"]


async def test_a_claim_names_everything_it_still_waits_for_and_has_no_file(billing: Harness):
    desk = await unset_desk(billing)
    signed = await desk.signed(await desk.opened())
    [claim] = await desk.claims(signed["visit_id"])
    assert claim["state"] == "edit-hold"
    assert [finding["rule"] for finding in claim["findings"]] == [
        "billing-provider-unset",
        "rendering-provider-unknown",
        "location-unknown",
    ]
    reply = await desk.practice.get(f"/v1/claims/{claim['id']}/x12")
    assert (reply.status_code, reply.json()["code"], reply.json()["state"]) == (409, "claim-not-ready", "edit-hold")
    assert await desk.practice.announced(ClaimReadiedV1) == []


async def test_a_held_claim_gets_ready_by_itself_when_provider_and_location_are_heard_of(billing: Harness):
    desk = await unset_desk(billing)
    await desk.practice.put("/v1/billing-provider", BILLING_PROVIDER, revision=0)
    signed = await desk.signed(await desk.opened())
    await desk.practice.deliver(location(desk))
    [claim] = await desk.claims(signed["visit_id"])
    assert [finding["rule"] for finding in claim["findings"]] == ["rendering-provider-unknown"]
    await desk.practice.deliver(provider(desk))
    [claim] = await desk.claims(signed["visit_id"])
    assert (claim["state"], broken_rules(claim)) == ("ready", [])
    [event] = await desk.practice.announced(ClaimReadiedV1)
    assert (str(event.claim_id), event.revision) == (claim["id"], claim["revision"])
    [row] = await desk.practice.sql("select correlation_id from outbox where subject = $1", ClaimReadiedV1.TYPE)
    assert str(row["correlation_id"]) == signed["visit_id"]


async def test_a_held_claim_is_scrubbed_again_on_demand_and_an_unchanged_ready_one_stays(billing: Harness):
    desk = await unset_desk(billing)
    await desk.practice.deliver(location(desk))
    await desk.practice.deliver(provider(desk))
    signed = await desk.signed(await desk.opened())
    [claim] = await desk.claims(signed["visit_id"])
    path = f"/v1/claims/{claim['id']}/scrub"
    still = await desk.practice.post(path, role="biller")
    assert (still.status_code, still.json()["state"]) == (200, "edit-hold")
    await desk.practice.put("/v1/billing-provider", BILLING_PROVIDER, revision=0)
    assert (await desk.practice.post(path, headers={"if-match": '"1"'})).status_code == 412
    mended = await desk.practice.post(path, role="biller")
    assert (mended.json()["state"], broken_rules(mended.json())) == ("ready", [])
    again = await desk.practice.post(path)
    assert (again.status_code, again.json()) == (200, mended.json())
    assert again.headers["etag"] == f'"{mended.json()["revision"]}"'
    assert len(await desk.practice.announced(ClaimReadiedV1)) == 1


async def test_a_claim_that_breaks_a_rule_is_held_until_the_coverage_is_mended(billing: Harness):
    desk = await ready_desk(billing)
    patient = new_id()
    wrong = {**SUBSCRIBER, "birth_on": "2027-01-25"}
    body = {**COVERAGE, "patient_id": patient, "payer_id": desk.payer_id, "subscriber": wrong}
    coverage = (await desk.practice.post("/v1/coverages", body)).json()
    signed = await desk.signed(await desk.opened(patient_id=patient, checked_in_at="2027-01-20T15:00:00Z"))
    [claim] = await desk.claims(signed["visit_id"])
    assert claim["state"] == "edit-hold"
    assert set(broken_rules(claim)) == {"line-date-before-birth"}
    del body["patient_id"]
    await desk.practice.put(f"/v1/coverages/{coverage['id']}", {**body, "subscriber": SUBSCRIBER}, revision=1)
    reply = await desk.practice.post(f"/v1/claims/{claim['id']}/scrub")
    assert (reply.json()["state"], broken_rules(reply.json())) == ("ready", [])


async def test_a_ready_claim_is_written_anew_when_its_coverage_or_billing_provider_is_mended(billing: Harness):
    desk, claim, path = await ready_claim(billing)
    desk.practice.clock.advance(seconds=90)
    await changed_coverage(desk, member_id="RIGHT1")
    anew = (await desk.practice.post(f"{path}/scrub", role="biller")).json()
    assert [anew[name] for name in ("id", "control_number", "state")] == [claim["id"], claim["control_number"], "ready"]
    assert (anew["revision"], anew["x12_sha256"] != claim["x12_sha256"]) == (claim["revision"] + 1, True)
    file = await desk.practice.get(f"{path}/x12")
    assert hashlib.sha256(file.content).hexdigest() == anew["x12_sha256"]
    assert "*MI*RIGHT1~" in file.text
    assert "MEM4711X" not in file.text
    contact = {**BILLING_PROVIDER["contact"], "phone": "2125550199"}
    await desk.practice.put("/v1/billing-provider", {**BILLING_PROVIDER, "contact": contact}, revision=1)
    again = (await desk.practice.post(f"{path}/scrub")).json()
    assert again["revision"] == claim["revision"] + 2
    events = await desk.practice.announced(ClaimReadiedV1)
    assert [event.revision for event in events] == [claim["revision"], anew["revision"], again["revision"]]


async def test_a_ready_claim_asks_the_payer_that_its_coverage_names_now(billing: Harness):
    desk, _, path = await ready_claim(billing)
    other = (await desk.practice.post("/v1/payers", {**PAYER, "name": "Other Plan", "payer_id": "OTHER9"})).json()
    await changed_coverage(desk, payer_id=other["id"])
    anew = (await desk.practice.post(f"{path}/scrub")).json()
    assert (anew["state"], anew["payer_id"]) == ("ready", other["id"])
    assert "*PI*OTHER9~" in (await desk.practice.get(f"{path}/x12")).text
    assert str((await desk.practice.announced(ClaimReadiedV1))[-1].payer_id) == other["id"]


async def test_a_ready_claim_that_no_longer_passes_is_held_and_loses_its_file(billing: Harness):
    desk, claim, path = await ready_claim(billing, checked_in_at="2027-01-20T15:00:00Z")
    await changed_coverage(desk, subscriber={**SUBSCRIBER, "birth_on": "2027-01-25"})
    held = (await desk.practice.post(f"{path}/scrub")).json()
    assert (held["state"], held["revision"], held["x12_sha256"]) == ("edit-hold", claim["revision"] + 1, None)
    assert (await desk.practice.get(f"{path}/x12")).json()["code"] == "claim-not-ready"
    assert len(await desk.practice.announced(ClaimReadiedV1)) == 1


async def test_a_voided_claim_is_not_scrubbed_and_says_where_to_go_on(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    await desk.practice.deliver(visit)
    await desk.signed(await desk.sheet(visit.visit_id))
    await desk.practice.deliver(amended(visit))
    [claim] = await desk.claims(str(visit.visit_id))
    reply = await desk.practice.post(f"/v1/claims/{claim['id']}/scrub")
    assert (reply.status_code, reply.json()["state"]) == (409, "voided")
    assert "the visit's newest claim" in reply.json()["detail"]


async def ready_claim(billing: Harness, **visit: Any) -> tuple[BillingDesk, dict[str, Any], str]:
    """Return a desk, its ready claim and the claim's path."""
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened(**visit))
    [claim] = await desk.claims(signed["visit_id"])
    assert claim["state"] == "ready"
    return desk, claim, f"/v1/claims/{claim['id']}"


async def changed_coverage(desk: BillingDesk, **changes: Any) -> None:
    """Correct the desk patient's only coverage."""
    [item] = (await desk.practice.get(f"/v1/coverages?patient_id={desk.patient_id}")).json()["items"]
    body = {**COVERAGE, "payer_id": desk.payer_id, **changes}
    reply = await desk.practice.put(f"/v1/coverages/{item['id']}", body, revision=item["revision"])
    assert reply.status_code == 200, reply.text


async def test_a_dependents_claim_names_both_the_insured_and_the_patient(billing: Harness):
    desk = await ready_desk(billing)
    child = {**SUBSCRIBER, "given_name": "Tim", "birth_on": "2015-03-03", "sex": "M"}
    body = {**COVERAGE, "patient_id": new_id(), "payer_id": desk.payer_id, "relationship": "child", "patient": child}
    assert (await desk.practice.post("/v1/coverages", body)).status_code == 201
    signed = await desk.signed(await desk.opened(patient_id=body["patient_id"]))
    [claim] = await desk.claims(signed["visit_id"])
    text = (await desk.practice.get(f"/v1/claims/{claim['id']}/x12")).text
    assert accepted_by_pyx12(text)
    assert "NM1*IL*1*Testperson*Tilda****MI*MEM4711X~" in text
    assert "PAT*19~NM1*QC*1*Testperson*Tim~" in text


async def test_a_visit_without_a_provider_is_rendered_by_who_signed(billing: Harness):
    desk = await ready_desk(billing)
    signed = await desk.signed(await desk.opened(practitioner_id=None))
    [claim] = await desk.claims(signed["visit_id"])
    assert (claim["state"], claim["practitioner_id"]) == ("ready", str(desk.practice.actor("provider").staff_member_id))


async def test_sealed_columns_and_events_do_not_hold_what_they_protect(billing: Harness):
    desk = await ready_desk(billing)
    await desk.signed(await desk.opened(), CODING)
    secrets = ("MEM4711X", "Testperson", "Tilda", "1980-05-17", "Invented Road", "987654321", "E119", "E11.9", "I10")
    tables = ("coverages", "charge_sheets", "signed_charges", "claims", "billing_providers", "outbox", "audit", "inbox")
    for table in tables:
        [row] = await desk.practice.sql(f"select string_agg(t::text, '') as held from {table} t")
        assert row["held"]
        for secret in secrets:
            assert secret not in row["held"], (table, secret)
            assert len(secret) < 5 or secret.encode().hex() not in row["held"], (table, secret)


async def test_claims_are_listed_by_state(billing: Harness):
    desk = await ready_desk(billing)
    await desk.signed(await desk.opened())
    ready = (await desk.practice.get("/v1/claims?state=ready", role="biller")).json()["items"]
    assert len(ready) == 1
    assert "diagnoses" not in ready[0]
    assert (await desk.practice.get("/v1/claims?state=edit-hold")).json()["items"] == []
    assert (await desk.practice.get("/v1/claims", role="provider")).status_code == 403
