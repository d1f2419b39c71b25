"""Merging the services' OpenAPI documents into one."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

Document = dict[str, Any]

INTERNAL: Final = "/internal/"
METHODS: Final = ("get", "post", "put", "patch", "delete")
BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token that POST /v1/sessions answers, or an API key `pk_...`.",
}

_REFERENCE: Final = "#/components/schemas/"


def merged(documents: Mapping[str, Document], missing: list[str]) -> Document:
    """Return one OpenAPI 3.1 document of the public paths of `documents` (service -> document), paths in order.

    Schemas of one name that differ get the service's name in front in every document. `missing` services stand in
    `x-praxis-missing`, so that nobody takes half a description for the whole.
    """
    clashing = _clashing({service: _schemas(document) for service, document in documents.items()})
    paths: Document = {}
    schemas: Document = {}
    for service, document in documents.items():
        names = {name: f"{service.capitalize()}{name}" for name in clashing if name in _schemas(document)}
        public = {path: item for path, item in document.get("paths", {}).items() if not path.startswith(INTERNAL)}
        paths |= _renamed(public, names)
        schemas |= {names.get(name, name): _renamed(schema, names) for name, schema in _schemas(document).items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Praxis", "version": "1", "summary": "The operations back end of a medical practice."},
        "security": [{"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(_reachable(paths, schemas).items())),
            "securitySchemes": {"bearer": BEARER},
        },
        "x-praxis-missing": missing,
    }


def operations(document: Document) -> list[tuple[str, str, Document]]:
    """Return (path, method in capitals, operation) of a document, in its order."""
    return [
        (path, method.upper(), item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _schemas(document: Document) -> Document:
    schemas: Document = document.get("components", {}).get("schemas", {})
    return schemas


def _clashing(schemas: Mapping[str, Document]) -> set[str]:
    """Return the names that mean different things in different documents, also through what they refer to."""
    meanings: dict[str, list[Any]] = defaultdict(list)
    for of_service in schemas.values():
        for name, schema in of_service.items():
            meanings[name].append(schema)
    clashing = {name for name, found in meanings.items() if any(schema != found[0] for schema in found)}
    shared = {name for name, found in meanings.items() if len(found) > 1}
    while spread := {name for name in shared - clashing if _references(meanings[name][0]) & clashing}:
        clashing |= spread
    return clashing


def _references(part: Any) -> set[str]:
    return set(re.findall(rf"{_REFERENCE}([A-Za-z0-9._-]+)", repr(part)))


def _reachable(paths: Document, schemas: Document) -> Document:
    reached: set[str] = set()
    ahead = _references(paths)
    while ahead:
        reached |= ahead
        ahead = {name for found in ahead for name in _references(schemas.get(found))} - reached
    return {name: schema for name, schema in schemas.items() if name in reached}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    match part:
        case dict():
            return {
                key: _reference(value, names) if key == "$ref" else _renamed(value, names)
                for key, value in part.items()
            }
        case list():
            return [_renamed(value, names) for value in part]
        case _:
            return part


def _reference(target: Any, names: Mapping[str, str]) -> Any:
    # A property may be called "$ref" too; then its value is a schema and no text.
    if not isinstance(target, str):
        return _renamed(target, names)
    name = target.removeprefix(_REFERENCE)
    return _REFERENCE + names.get(name, name) if target.startswith(_REFERENCE) else target
