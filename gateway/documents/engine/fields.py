"""What a JSON schema says about the fields of a body, in words short enough for one line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gateway.documents.domain import Document

DEEPEST: Final = 3
"""How many objects inside one another are opened; a schema may hold itself."""

_NOTED: Final = {
    "pattern": "pattern",
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minItems": "entries at least",
    "maxItems": "entries at most",
    "default": "default",
}


@dataclass(frozen=True, slots=True)
class BodyField:
    """One field. `name` is its path (`lines[].item_id`), `notes` the allowed values, bounds, pattern and description."""

    name: str
    kind: str
    required: bool
    notes: str


def body_fields(schema: Document, document: Document) -> list[BodyField]:
    """Return the fields of an object schema in its order, those of objects inside right behind them."""
    return list(_fields(schema, document, "", 1))


def _fields(schema: Document, document: Document, prefix: str, depth: int) -> Iterator[BodyField]:
    known = _resolved(schema, document)
    required = set(known.get("required", []))
    for name, given in known.get("properties", {}).items():
        field, path = _plain(given, document), f"{prefix}{name}"
        yield BodyField(path, _kind(given, document), name in required, _notes(field, given, document))
        inner, mark = (_plain(field["items"], document), "[]") if "items" in field else (field, "")
        if depth < DEEPEST:
            yield from _fields(inner, document, f"{path}{mark}.", depth + 1)


def _resolved(schema: Document, document: Document) -> Document:
    target = schema.get("$ref")
    if not isinstance(target, str):
        return schema
    found: Document = document["components"]["schemas"].get(target.rsplit("/", 1)[-1], {})
    return found


def _alternatives(schema: Document) -> list[Document]:
    found: list[Document] = schema.get("anyOf") or schema.get("oneOf") or []
    return found


def _plain(schema: Document, document: Document) -> Document:
    """Return what a schema refers to, and of `X or null` the X."""
    known = _resolved(schema, document)
    choices = [choice for choice in _alternatives(known) if choice.get("type") != "null"]
    return _resolved(choices[0], document) if len(choices) == 1 else known


def _kind(schema: Document, document: Document) -> str:
    known = _resolved(schema, document)
    if alternatives := _alternatives(known):
        return " or ".join(_kind(choice, document) for choice in alternatives)
    if "items" in known:
        return f"list of {_kind(known['items'], document)}"
    if "const" in known:
        return str(known["const"])
    return str(known.get("format") or known.get("type") or "any")


def _notes(field: Document, given: Document, document: Document) -> str:
    values = _plain(field["items"], document) if "items" in field else field
    parts = ["one of " + ", ".join(map(str, values["enum"]))] if "enum" in values else []
    parts += [
        f"{word} {_shown(found)}" for name, word in _NOTED.items() if (found := _said(name, field, given)) is not None
    ]
    parts += [str(found)] if (found := _said("description", given, field)) else []
    return "; ".join(parts)


def _said(name: str, first: Document, second: Document) -> Any:
    """Return a fact of the first schema that tells it, or None; an empty default tells nothing."""
    told = first.get(name, second.get(name))
    return None if told in ("", []) else told


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
