"""The description of everything that answers now."""

from typing import Any

from fastapi import FastAPI

from gateway.documents.domain import merged
from gateway.services import Services
from praxis.kit.app import document


async def whole_document(app: FastAPI) -> dict[str, Any]:
    """Return the merged document of the gateway `app` and the services that answer."""
    services: Services = app.state.services
    answers = await services.documents()
    return merged({"gateway": document(app), **answers}, services.missing(answers))
