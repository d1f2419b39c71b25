"""Claims: held while something is missing or wrong, ready when it is mended, sealed at rest."""

from praxis.contracts.billing import ClaimReadiedV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import (
    BILLING_PROVIDER,
    CODING,
    COVERAGE,
    SUBSCRIBER,
    accepted_by_pyx12,
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


async def test_a_held_claim_is_scrubbed_again_on_demand_and_a_ready_one_is_not(billing: Harness):
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
    assert (again.status_code, again.json()["allowed"]) == (409, ["void"])
    assert len(await desk.practice.announced(ClaimReadiedV1)) == 1


async def test_a_claim_that_breaks_a_rule_is_held_until_the_coverage_is_mended(billing: Harness):
    desk = await ready_desk(billing)
    patient = new_id()
    wrong = {**SUBSCRIBER, "birth_on": "2030-01-01"}
    body = {**COVERAGE, "patient_id": patient, "payer_id": desk.payer_id, "subscriber": wrong}
    coverage = (await desk.practice.post("/v1/coverages", body)).json()
    signed = await desk.signed(await desk.opened(patient_id=patient))
    [claim] = await desk.claims(signed["visit_id"])
    assert claim["state"] == "edit-hold"
    assert set(broken_rules(claim)) == {"patient-birth-in-future", "line-date-before-birth"}
    del body["patient_id"]
    await desk.practice.put(f"/v1/coverages/{coverage['id']}", {**body, "subscriber": SUBSCRIBER}, revision=1)
    reply = await desk.practice.post(f"/v1/claims/{claim['id']}/scrub")
    assert (reply.json()["state"], broken_rules(reply.json())) == ("ready", [])


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
