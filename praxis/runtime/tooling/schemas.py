"""JSON Schemas of every event version, as published: `praxis/contracts/schemas/<type>.json`."""

import json
from pathlib import Path
from typing import Any

from praxis.contracts.event import Event
from praxis.runtime.tooling.tree import events

FOLDER = Path("praxis/contracts/schemas")


def documents() -> dict[Path, str]:
    """Return path -> text of every event's schema."""
    return {FOLDER / f"{subject}.json": as_json(schema_of(event)) for subject, event in events().items()}


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return the schema of an event's payload; `$id` is the envelope's `dataschema`."""
    schema = event.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:praxis:schema:{event.TYPE}",
        **schema,
    }


def as_json(document: dict[str, Any]) -> str:
    """Return the text of a committed JSON file: two spaces, sorted names, one newline at the end."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
