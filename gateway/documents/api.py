"""The description over HTTP."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from gateway.documents.engine.page import POLICY
from gateway.documents.queries import Description
from gateway.public import public, public_router

routes = public_router("description")


@routes.get("/v1/openapi.json", response_model=dict[str, Any], **public("gateway.documents.get"))
async def openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 description of every public operation, some seconds old at most."""
    kept: Description = await request.app.state.description.get()
    return Response(kept.document, media_type="application/json")


@routes.get("/docs", include_in_schema=False, response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """Return the same as a page to read."""
    kept: Description = await request.app.state.description.get()
    return HTMLResponse(kept.page, headers={"content-security-policy": POLICY})
