"""Events as contracts: schemas are committed, payloads of the past parse, every event has a reader and none tells of a person."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from praxis.contracts.event import Event, Part, publisher_of
from praxis.kit.settings import PUBLISHERS
from praxis.runtime.tooling import schemas
from praxis.runtime.tooling.tree import ROOT, consumers, events, package_of

TYPE = re.compile(r"praxis\.([a-z]+)\.([a-z]+(?:-[a-z]+)*)\.([a-z]+(?:-[a-z]+)*)\.v([1-9]\d*)")

OUTWARD_ONLY = {
    "praxis.billing.charge.captured.v1": "dashboards: revenue of the day, by visit",
    "praxis.billing.claim.readied.v1": "clearinghouse connectors: a claim to fetch and send",
    "praxis.billing.entry.posted.v1": "accounting systems: every ledger entry, in order",
    "praxis.inventory.stock.ran-short.v1": "dashboards: what a visit had to do without",
    "praxis.scheduling.appointment.booked.v1": "EHR systems and calendars of the professionals",
    "praxis.scheduling.appointment.rescheduled.v1": "EHR systems and calendars of the professionals",
    "praxis.scheduling.appointment.cancelled.v1": "EHR systems and calendars of the professionals",
    "praxis.scheduling.appointment.missed.v1": "EHR systems and calendars of the professionals",
    "praxis.scheduling.visit.checked-in.v1": "dashboards: who is here now",
    "praxis.staff.credential.changed.v1": "credentialing systems of payers and hospitals",
}
"""Events that no service of this tree consumes, each with the reader outside it is for."""

READ_BEFORE_ANNOUNCED = {
    "praxis.scheduling.patient.merged.v1": "billing follows a merge already, so the first one announced finds its reader",
}
"""Events whose readers are in this tree before their publisher announces them."""

PERSONAL = re.compile(
    r"(^|_)(name|first|last|middle|phone|mobile|fax|email|address|street|city|zip|postal|birth|birthday|dob|gender|sex|ssn|"
    r"diagnosis|diagnoses|icd|note|notes|text|comment|description|result|value|reading|allergy|medication|insured|subscriber|member_number)(_|$)"
)
PROFESSIONAL = frozenset({"public_name", "family_name", "given_name"})
"""What a provider shows to the public and to payers; other people's are null (staff publishes them for providers alone)."""

every_event = pytest.mark.parametrize("event", events().values(), ids=events().keys())


def golden(event: type[Event]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / schemas.FOLDER / f"{event.TYPE}.golden.json").read_text("utf-8"))
    return document


def field_names(model: type[BaseModel]) -> Iterator[str]:
    """Yield the names of a payload's fields, those of its parts too."""
    for name, field in model.model_fields.items():
        yield name
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, Part):
                yield from field_names(inner)


def personal_fields(model: type[BaseModel]) -> list[str]:
    return [name for name in field_names(model) if PERSONAL.search(name) and name not in PROFESSIONAL]


def class_name(event_type: str) -> str:
    """Return `VisitCompletedV1` for `praxis.scheduling.visit.completed.v1`."""
    return "".join(word.capitalize() for word in re.split(r"[.-]", event_type)[2:])


@every_event
def test_the_type_names_publisher_thing_what_happened_and_version(event: type[Event]):
    assert TYPE.fullmatch(event.TYPE)
    assert publisher_of(event.TYPE) in PUBLISHERS
    assert event.__module__ == f"praxis.contracts.{publisher_of(event.TYPE)}"
    assert event.__name__ == class_name(event.TYPE)
    assert event.AGGREGATE in event.model_fields


@every_event
def test_the_committed_schema_is_the_one_of_the_class(event: type[Event]):
    path = ROOT / schemas.FOLDER / f"{event.TYPE}.json"
    assert path.read_text("utf-8") == schemas.as_json(schemas.schema_of(event)), "run `make openapi`"


def test_every_committed_schema_has_a_class():
    known = {f"{subject}{end}" for subject in events() for end in (".json", ".golden.json")}
    assert {path.name for path in (ROOT / schemas.FOLDER).glob("*.json")} == known


@every_event
def test_a_golden_payload_is_read_and_written_back_the_same(event: type[Event]):
    document = golden(event)
    assert event.model_validate_json(json.dumps(document)).model_dump(mode="json") == document
    assert set(document) == set(schemas.schema_of(event)["properties"])


@every_event
def test_a_reader_ignores_a_field_that_it_does_not_know(event: type[Event]):
    document = golden(event)
    assert event.model_validate({**document, "added_later": 1}).model_dump(mode="json") == document


@every_event
def test_a_payload_without_its_aggregate_is_refused(event: type[Event]):
    document = golden(event)
    del document[event.AGGREGATE]
    with pytest.raises(ValueError, match=event.AGGREGATE):
        event.model_validate(document)


@every_event
def test_no_field_tells_who_a_patient_is_or_what_they_have(event: type[Event]):
    assert personal_fields(event) == []


@every_event
def test_every_event_has_a_reader_or_is_for_outside(event: type[Event]):
    assert bool(consumers()[event.TYPE]) != (event.TYPE in OUTWARD_ONLY)


@every_event
def test_the_publisher_of_every_event_has_code_that_announces_it(event: type[Event]):
    folder = ROOT / package_of(publisher_of(event.TYPE)).replace(".", "/")
    code = [path.read_text("utf-8") for path in folder.rglob("*.py") if path.name != "consumers.py"]
    is_announced = any(re.search(rf"\b{event.__name__}\b", text) for text in code)
    assert is_announced != (event.TYPE in READ_BEFORE_ANNOUNCED)


def test_every_event_listed_here_exists():
    assert set(OUTWARD_ONLY) | set(READ_BEFORE_ANNOUNCED) <= set(events())


def test_a_personal_field_is_caught_in_the_payload_and_in_its_parts():
    class Line(Part):
        diagnosis_code: str

    class Bad(Part):
        patient_name: str
        birth_on: str
        lines: tuple[Line, ...]

    assert personal_fields(Bad) == ["patient_name", "birth_on", "diagnosis_code"]


def test_pages_about_events_are_made_for_every_publisher():
    assert sorted(path.stem for path in Path(ROOT / "docs/events").glob("*.md")) == sorted(PUBLISHERS)
