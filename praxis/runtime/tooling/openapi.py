"""OpenAPI documents of what is in the tree: `docs/openapi/<publisher>.json`, and `merged.json` as the gateway serves it."""

from pathlib import Path

from gateway.documents.domain import merged
from praxis.kit.app import document
from praxis.runtime.tooling.schemas import as_json
from praxis.runtime.tooling.tree import applications

FOLDER = Path("docs/openapi")


def documents() -> dict[Path, str]:
    """Return path -> text of every publisher's document and of the merged one."""
    with applications() as built:
        own = {application.publisher: document(application.app) for application in built}
    every = {**own, "merged": merged(own, missing=[])}
    return {FOLDER / f"{name}.json": as_json(found) for name, found in every.items()}
