"""Builders for FHIR R4 resources of an invented patient."""

import json
from datetime import UTC, datetime
from typing import Any

from praxis.runtime.demo.fhir import Entry, read_bundle
from praxis.runtime.demo.terms import CVX, LOINC, SNOMED

NOW = datetime(2027, 2, 1, 15, 0, tzinfo=UTC)
CHECK_UP, SYMPTOM = "185349003", "185345009"
FLU, HEPATITIS_B, TETANUS = "140", "43", "113"
HCPCS = "urn:oid:2.16.840.1.113883.6.285"


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def patient(**changes: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"value": "27c9-11c6"}],
        "name": [{"use": "official", "family": "Conn12", "given": ["Liz3", "May"]}],
        "birthDate": "1986-11-28",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "555-175-3568"}],
        "address": [{"line": ["391 Some Plaza"], "city": "Beverly", "state": "Massachusetts", "postalCode": "01915"}],
    }
    return base | changes


def encounter(id: str = "e", **changes: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [concept(SNOMED, CHECK_UP)],
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2019-03-01T10:00:00-05:00"},
    }
    return base | changes


def at(encounter_id: str, kind: str, id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id, "encounter": {"reference": f"Encounter/{encounter_id}"}, **more}


def condition(code: str, id: str = "co", encounter_id: str = "e", **more: Any) -> dict[str, Any]:
    return at(encounter_id, "Condition", id, code=concept(SNOMED, code), **more)


def vaccination(cvx: str, id: str, **more: Any) -> dict[str, Any]:
    return at("e", "Immunization", id, **{"status": "completed", "vaccineCode": concept(CVX, cvx), **more})


def measured(code: str, value: Any, unit: str, id: str = "o", **more: Any) -> dict[str, Any]:
    quantity = {"value": value, "code": unit}
    return at("e", "Observation", id, status="final", code=concept(LOINC, code), valueQuantity=quantity, **more)


def claim(id: str = "cl", encounter_id: str = "e", insurer: str = "private", **more: Any) -> dict[str, Any]:
    item = {"encounter": [{"reference": f"Encounter/{encounter_id}"}]}
    coverage = [{"coverage": {"display": insurer}}]
    return {"resourceType": "Claim", "id": id, "status": "active", "insurance": coverage, "item": [item], **more}


def entries(*resources: Any) -> list[Entry]:
    content = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    found, unread = read_bundle("test", json.dumps(content).encode())
    assert unread == []
    return found
