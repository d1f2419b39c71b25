"""Routes that need no principal: counted by address, refused in the same shape as every other."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Scope

from praxis.kit.http import PROBLEM_RESPONSES, failure_response

PUBLIC = "public"
"""Stands in OpenAPI as `x-praxis-permission` of a route that anybody may call."""


class PublicRoute(APIRoute):
    """A route outside the unit of work whose every outcome is a response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Take the address's share, run the endpoint, and answer refusals as problem documents."""
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                request.app.state.doorkeeper.admit_anybody(request.scope)
                return await endpoint(request)
            except Exception as error:
                return failure_response(error)

        return handle


def public(operation: str) -> dict[str, Any]:
    """Return the route keywords of an operation that anybody may call."""
    extra = {"x-praxis-permission": PUBLIC, "x-praxis-idempotency-key": "optional", "security": []}
    return {"operation_id": operation, "openapi_extra": extra, "responses": PROBLEM_RESPONSES}


def public_router(tag: str) -> APIRouter:
    """Return a router of public routes."""
    return APIRouter(tags=[tag], route_class=PublicRoute, strict_content_type=True)


def address_of(scope: Scope) -> str:
    """Return the address of the caller, as the server saw it or a trusted proxy told it; any other header could say anything."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
