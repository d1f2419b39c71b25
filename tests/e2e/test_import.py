"""FHIR bundles that nobody here wrote, and some that nobody should, through the same loop."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from praxis.kit.permissions import BILLER, RECEPTION
from praxis.runtime.demo import house
from praxis.runtime.demo.api import Api
from praxis.runtime.demo.bundles import Importer, Outcome
from praxis.runtime.demo.fhir import read_bundle
from praxis.runtime.demo.plan import plan_bundle
from praxis.runtime.demo.seed import House
from praxis.runtime.demo.walk import add_tasks
from tests.support.billing import accepted_by_pyx12
from tests.support.stack import RunningStack

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("PRAXIS_SAMPLES") or ROOT.parent / "shared" / "samples") / "fhir" / "synthea"
BUNDLES = sorted(SAMPLES.glob("*.json"))

needs_samples = pytest.mark.skipif(not BUNDLES, reason="no sample bundles: set PRAXIS_SAMPLES to their folder")


@pytest.fixture(scope="module")
def importer(api: Api, demo: House) -> Importer:
    """Return what takes bundles into the demo practice."""
    return Importer(api)


def patient(id: str, family: str, **more: Any) -> dict[str, Any]:
    name = [{"family": family, "given": ["Importa"]}]
    return {"resourceType": "Patient", "id": id, "name": name, "birthDate": "1985-05-05", **more}


def encounter(id: str, patient_id: str, start: str = "2019-03-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{patient_id}"},
        "period": {"start": start},
        **more,
    }


def claim(id: str, encounter_id: str, insurer: str, code: str) -> dict[str, Any]:
    service = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.285", "code": code}]}
    return {
        "resourceType": "Claim",
        "id": id,
        "status": "active",
        "insurance": [{"coverage": {"display": insurer}}],
        "item": [{"productOrService": service, "encounter": [{"reference": f"Encounter/{encounter_id}"}]}],
    }


def bundle(*resources: Any) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def utc(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(UTC)


def local_day(at: str) -> str:
    return utc(at).astimezone(ZoneInfo(house.ZONE)).date().isoformat()


def held_periods(api: Api, outcome: Outcome) -> list[tuple[datetime, datetime]]:
    visits = [api.get(RECEPTION, f"/v1/visits/{visit_id}") for visit_id in outcome.visits]
    assert {(visit["stage"], visit["recorded_afterwards"]) for visit in visits} == {("completed", True)}
    return sorted((utc(visit["checked_in_at"]), utc(visit["completed_at"])) for visit in visits)


def everything(api: Api) -> dict[str, list[Any]]:
    """Return id and revision of all that an import makes."""
    paths = ("/v1/charge-sheets", "/v1/claims", "/v1/ledger/entries", "/v1/payers")
    return {path: sorted((one["id"], one.get("revision")) for one in api.every(BILLER, path)) for path in paths}


@needs_samples
@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem.split("_")[1])
def test_a_patient_of_the_samples_goes_through_the_loop_and_nothing_is_lost(importer: Importer, api: Api, path: Path):
    outcome = importer.import_file(path)
    read = [entry["resource"]["resourceType"] for entry in json.loads(path.read_text())["entry"]]
    assert sorted(read) == sorted(thing.type for thing in (*outcome.imported, *outcome.listed))
    assert len({(thing.type, thing.id) for thing in (*outcome.imported, *outcome.listed)}) == len(read)
    assert outcome.is_sound
    assert all(thing.reason for thing in outcome.listed)
    assert {"Patient", "Encounter", "Observation", "Immunization", "Claim"} <= {one.type for one in outcome.imported}
    for claim_id in outcome.claims:
        assert accepted_by_pyx12(api.get_text(BILLER, f"/v1/claims/{claim_id}/x12"))
    told = [entry.resource["period"] for entry in outcome.imported if entry.type == "Encounter"]
    assert held_periods(api, outcome) == sorted((utc(period["start"]), utc(period["end"])) for period in told)
    assert api.get(BILLER, "/v1/ledger/trial-balance")["balance_cents"] == 0


@needs_samples
@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem.split("_")[1])
def test_what_a_sample_charged_is_of_the_local_day_of_its_encounter(importer: Importer, api: Api, path: Path):
    outcome = importer.import_file(path)
    days = {}
    for visit_id in outcome.visits:
        days[visit_id] = local_day(api.get(RECEPTION, f"/v1/visits/{visit_id}")["checked_in_at"])
        [sheet] = api.every(BILLER, "/v1/charge-sheets", visit_id=visit_id)
        assert api.get(BILLER, f"/v1/charge-sheets/{sheet['id']}")["service_on"] == days[visit_id]
    claims = [api.get(BILLER, f"/v1/claims/{claim_id}") for claim_id in outcome.claims]
    assert all(claim["service_on"] == days[claim["visit_id"]] for claim in claims)
    assert days


@needs_samples
@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem.split("_")[1])
def test_claims_of_the_time_of_icd_9_are_listed_with_what_holds_them(importer: Importer, api: Api, path: Path):
    outcome = importer.import_file(path)
    early = [entry for entry in outcome.imported
             if entry.type == "Encounter" and entry.resource["period"]["start"] < "2015-10-01"]  # fmt: skip
    held = [one.reason for one in outcome.listed if one.type == "Claim" and "the claim is held" in one.reason]
    assert len(held) == (len(early) if outcome.claims else 0)
    assert all("ICD-10 for services from 2015-10-01" in reason for reason in held)


@needs_samples
def test_a_second_import_changes_nothing(stack: RunningStack, importer: Importer, api: Api):
    once = importer.import_file(BUNDLES[0])
    before = everything(api)
    again = importer.import_file(BUNDLES[0])
    assert (again.visits, again.claims, again.listed) == (once.visits, once.claims, once.listed)
    assert everything(api) == before
    family = json.loads(BUNDLES[0].read_text())["entry"][0]["resource"]["name"][0]["family"]
    asked = {"headers": {"authorization": f"Bearer {stack.token(RECEPTION)}"}, "json": {"family_prefix": family}}
    found = httpx.post(f"{stack.url}/v1/patients/search", **asked, trust_env=False)
    assert len(found.json()["items"]) == 1


@needs_samples
def test_the_command_prints_what_became_of_each_entry(stack: RunningStack, importer: Importer):
    printed = stack.run("demo", "--from", BUNDLES[0])
    assert printed.returncode == 0, printed.stderr
    assert "claims ready" in printed.stderr
    assert "class EMER does not take place in this practice" in printed.stderr


@pytest.mark.parametrize("content", [b"{nope", b"\xff", b"[]", b"7", b'{"resourceType":"Bundle"}', b"[" * 100_000])
def test_a_file_that_is_no_bundle_is_listed(importer: Importer, content: bytes):
    outcome = importer.import_bundle("some.json", content)
    assert [thing.type for thing in outcome.listed] == ["file"]
    assert not outcome.is_sound


def test_a_command_with_an_unreadable_file_fails_and_takes_the_others(stack: RunningStack, tmp_path: Path):
    good = tmp_path / "good.json"
    good.write_bytes(bundle(patient("p", "Commandia")))
    printed = stack.run("demo", "--from", tmp_path / "none.json", good)
    assert printed.returncode == 1
    assert "it cannot be opened" in printed.stderr
    assert "Traceback" not in printed.stderr


def test_a_refused_patient_takes_their_visits_along(importer: Importer):
    outcome = importer.import_bundle("b", bundle(patient("p", "Ancient", birthDate="1790-01-01"), encounter("e", "p")))
    assert outcome.imported == []
    assert {thing.id: "birth_on" in thing.reason or "refused" in thing.reason for thing in outcome.listed} == {
        "p": True,
        "e": True,
    }
    assert outcome.is_sound


def test_a_code_without_a_price_keeps_the_visit_and_lists_the_claim(importer: Importer):
    content = bundle(patient("p", "Priceless"), encounter("e", "p"), claim("c", "e", "no_insurance", "G9999"))
    outcome = importer.import_bundle("b", content)
    assert [entry.type for entry in outcome.imported] == ["Patient", "Encounter"]
    [listed] = outcome.listed
    assert (listed.type, "G9999 has no fee" in listed.reason) == ("Claim", True)
    assert outcome.is_sound


def test_a_visit_late_in_the_evening_is_charged_on_its_local_day(importer: Importer, api: Api):
    late = encounter("e", "p", "2019-03-02T03:30:00Z")
    outcome = importer.import_bundle("b", bundle(patient("p", "Nightly"), late, claim("c", "e", "self-pay", "T1015")))
    [sheet] = api.every(BILLER, "/v1/charge-sheets", visit_id=outcome.visits[0])
    assert api.get(BILLER, f"/v1/charge-sheets/{sheet['id']}")["service_on"] == "2019-03-01"
    assert outcome.listed == []


def test_an_encounter_of_long_ago_is_listed_with_what_belongs_to_it(importer: Importer):
    old = encounter("e", "p", "1989-12-31T10:00:00Z")
    outcome = importer.import_bundle("b", bundle(patient("p", "Oldish"), old, claim("c", "e", "self-pay", "T1015")))
    assert {thing.type: "1990" in thing.reason for thing in outcome.listed} == {"Encounter": True, "Claim": True}
    assert outcome.is_sound


def test_a_later_bundle_brings_earlier_encounters_of_an_insured_person(importer: Importer, api: Api):
    address = [{"line": ["7 Sample Street"], "city": "Springfield", "state": "MA", "postalCode": "01101-0001"}]
    person = patient("p", "Sequella", address=address, identifier=[{"value": "SEQ-0001"}])
    claims = []
    for id, start in (("new", "2019-03-01T10:00:00Z"), ("old", "2016-03-01T10:00:00Z")):
        content = bundle(person, encounter(id, "p", start), claim(f"c-{id}", id, "Fictional Mutual", "T1015"))
        outcome = importer.import_bundle(id, content)
        assert outcome.listed == []
        claims += [api.get(BILLER, f"/v1/claims/{claim_id}")["service_on"] for claim_id in outcome.claims]
    assert claims == ["2019-03-01", "2016-03-01"]


def test_what_an_import_left_half_done_is_finished_by_the_next(importer: Importer, api: Api):
    shot = {"resourceType": "Immunization", "status": "completed", "encounter": {"reference": "Encounter/e"}}
    content = bundle(patient("p", "Halfway"), encounter("e", "p"), {**shot, "id": "i"}, {**shot, "id": "j"})
    entries, _ = read_bundle("b", content)
    [person] = plan_bundle(entries, datetime.now(UTC)).patients
    known = api.post(RECEPTION, "/v1/patients", person.body)
    visit_id = importer.recorded(person.visits[0], known["id"])
    add_tasks(api, api.get(RECEPTION, f"/v1/visits/{visit_id}"), ["immunization"])
    outcome = importer.import_bundle("b", content)
    done = api.get(RECEPTION, f"/v1/visits/{visit_id}")
    assert (outcome.visits, done["stage"]) == ([visit_id], "completed")
    assert [task["code"] for task in done["tasks"]].count("immunization") == 2


def test_an_insured_person_without_an_address_is_not_billed(importer: Importer):
    content = bundle(patient("p", "Homeless"), encounter("e", "p"), claim("c", "e", "Fictional Mutual", "T1015"))
    outcome = importer.import_bundle("b", content)
    [listed] = outcome.listed
    assert (listed.type, outcome.claims) == ("Claim", [])
    assert "needs the patient's address" in listed.reason


def test_vital_signs_that_cannot_be_are_listed_and_the_visit_is_held(importer: Importer):
    weight = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "encounter": {"reference": "Encounter/e"},
        "valueQuantity": {"value": 0.001, "code": "kg"},
    }
    outcome = importer.import_bundle("b", bundle(patient("p", "Featherly"), encounter("e", "p"), weight))
    assert [entry.type for entry in outcome.imported] == ["Patient", "Encounter"]
    [listed] = outcome.listed
    assert "weight_grams" in listed.reason
