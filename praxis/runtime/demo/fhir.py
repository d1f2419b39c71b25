"""Reading FHIR R4 JSON that may be anything: whatever has not the expected shape reads as missing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One entry of a bundle; two are the same only when they are one entry."""

    type: str
    id: str
    resource: Resource
    full_url: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Something that is not imported, or not as it stands, and why."""

    type: str
    id: str
    reason: str


def read_bundle(name: str, content: bytes) -> tuple[list[Entry], list[Listed]]:
    """Return the entries of a bundle, and what of it cannot be read; a file that is no bundle is one thing that cannot."""
    try:
        # Decimals keep what was written: a float would already be another number.
        bundle = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return [], [Listed("file", name, "it is not JSON in UTF-8")]
    if dig(bundle, "resourceType") != "Bundle":
        return [], [Listed("file", name, "it is not a FHIR Bundle")]
    if not isinstance(bundle.get("entry"), list):
        return [], [Listed("file", name, "the Bundle has no list of entries")]
    entries, listed = [], []
    for number, item in enumerate(bundle["entry"]):
        resource = dig(item, "resource")
        kind, id = text_at(resource, "resourceType"), text_at(resource, "id")
        if kind is None:
            listed.append(Listed("entry", f"#{number}", "it holds no resource with a resourceType"))
        else:
            entries.append(Entry(kind, id or f"#{number}", resource, text_at(item, "fullUrl")))
    return entries, listed


def dig(value: Any, *path: str | int) -> Any:
    """Return what lies at the end of a path of names and positions, or None."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text_at(value: Any, *path: str | int) -> str | None:
    """Return the text there without blanks around it, or None when it is no text, empty, or has half a character in it."""
    found = dig(value, *path)
    if not isinstance(found, str) or any(0xD800 <= ord(character) <= 0xDFFF for character in found):
        return None
    return found.strip() or None


def items_at(value: Any, *path: str | int) -> list[Any]:
    """Return the list there, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def codes_at(value: Any, *path: str | int) -> list[tuple[str, str]]:
    """Return system and code of every coding of the CodeableConcept there."""
    codings = items_at(value, *path, "coding")
    pairs = [(text_at(coding, "system"), text_at(coding, "code")) for coding in codings]
    return [(system, code) for system, code in pairs if system and code]


def code_of(codes: Sequence[tuple[str, str]], system: str) -> str | None:
    """Return the first code of a system."""
    return next((code for of, code in codes if of == system), None)


def date_at(value: Any, *path: str | int) -> date | None:
    """Return the full date there; FHIR also allows a year or a month alone, which are none."""
    try:
        return date.fromisoformat(text_at(value, *path) or "")
    except ValueError:
        return None


def instant_at(value: Any, element: str) -> datetime | None:
    """Return the instant of an element such as `period.start`, in UTC; a time without an offset is none."""
    try:
        at = datetime.fromisoformat(text_at(value, *element.split(".")) or "")
    except ValueError:
        return None
    try:
        return at.astimezone(UTC) if at.tzinfo else None
    except OverflowError:
        return None
