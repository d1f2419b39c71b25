"""The description of everything that answers now."""

from dataclasses import dataclass

import orjson
from fastapi import FastAPI

from gateway.documents.domain import merged
from gateway.documents.engine.page import page
from gateway.services import Services
from praxis.kit.app import document


@dataclass(frozen=True, slots=True)
class Description:
    """The merged document in JSON and as a page."""

    document: bytes
    page: str


async def description(app: FastAPI) -> Description:
    """Describe the gateway `app` and the services that answer."""
    services: Services = app.state.services
    answers = await services.documents()
    whole = merged({"gateway": document(app), **answers}, services.missing(answers))
    return Description(orjson.dumps(whole), page(whole))
