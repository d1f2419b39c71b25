"""FHIR bundles that nobody here wrote, and some that nobody should, through the same loop."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from praxis.kit.permissions import BILLER, RECEPTION
from praxis.runtime.demo.api import Api
from praxis.runtime.demo.bundles import Importer
from praxis.runtime.demo.seed import House
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


def encounter(id: str, patient_id: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{patient_id}"},
        "period": {"start": "2019-03-01T10:00:00Z"},
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
    assert api.get(BILLER, "/v1/ledger/trial-balance")["balance_cents"] == 0


@needs_samples
def test_a_second_import_changes_nothing(importer: Importer, api: Api):
    once, again = importer.import_file(BUNDLES[0]), importer.import_file(BUNDLES[0])
    assert (again.visits, again.claims) == (once.visits, once.claims)
    family = json.loads(BUNDLES[0].read_text())["entry"][0]["resource"]["name"][0]["family"]
    assert len(list(api.every(RECEPTION, "/v1/patients", family_prefix=family))) == 1


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
    printed = stack.run("demo", "--from", tmp_path / "none.json", "--from", good)
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
