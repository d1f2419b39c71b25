"""The API as one document: OpenAPI 3.1, unique operations, every refusal described, rules published."""

import re
from collections import Counter
from typing import Any

import pytest

from praxis.kit.app import document
from praxis.runtime.tooling.tree import applications

METHODS = frozenset({"get", "put", "post", "delete", "patch"})
OPERATION = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z]+)*")
SEGMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.json)?|\{[a-z_]+\}")
PROPERTY = re.compile(r"[a-z][a-z0-9_]*")


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    with applications() as built:
        return {application.publisher: document(application.app) for application in built}


def operations(documents: dict[str, dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for found in documents.values()
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_every_document_is_openapi_3_1(documents):
    assert {name: found["openapi"][:3] for name, found in documents.items()} == dict.fromkeys(documents, "3.1")


def test_operations_are_named_once_and_alike(documents):
    names = [
        operation["operationId"] for path, _, operation in operations(documents) if not path.startswith("/internal/")
    ]
    assert [name for name in names if not OPERATION.fullmatch(name)] == []
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_paths_are_plural_kebab_case_and_name_no_service(documents):
    segments = {segment for path, _, _ in operations(documents) for segment in path.strip("/").split("/")}
    assert sorted(segment for segment in segments if not SEGMENT.fullmatch(segment)) == []
    assert segments.isdisjoint({"scheduling", "inventory", "billing", "services", "gateway"})


def test_properties_are_snake_case(documents):
    schemas = [schema for found in documents.values() for schema in found["components"]["schemas"].values()]
    names = {name for schema in schemas for name in schema.get("properties", {})}
    assert sorted(name for name in names if not PROPERTY.fullmatch(name)) == []


def test_every_operation_describes_its_refusals_and_says_what_it_does(documents):
    for path, method, operation in operations(documents):
        assert {"4XX", "5XX"} <= set(operation["responses"]), (method, path)
        assert operation.get("description"), (method, path)


def test_every_body_refuses_unknown_fields(documents):
    loose = []
    for found in documents.values():
        for path, _, operation in operations({"": found}):
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                schema = found["components"]["schemas"].get(name, content["schema"])
                if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
                    loose.append((path, name))
    assert loose == []
