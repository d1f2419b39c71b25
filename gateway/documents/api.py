"""The description over HTTP."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.documents.engine.page import POLICY, page
from gateway.documents.queries import whole_document
from gateway.public import public, public_router

routes = public_router("description")


@routes.get("/v1/openapi.json", **public("gateway.documents.get"))
async def openapi(request: Request) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of every public operation."""
    return await whole_document(request.app)


@routes.get("/docs", include_in_schema=False, response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """Return the same as a page to read."""
    return HTMLResponse(page(await whole_document(request.app)), headers={"content-security-policy": POLICY})
