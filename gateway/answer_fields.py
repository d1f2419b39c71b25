"""Outermost ASGI layer: the header fields that every answer of the gateway carries, whoever made it."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.doorkeeper import FIELDS
from praxis.kit.settings import Profile

ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""An answer that names one of these itself (the page of operations has its own policy) keeps its own."""

HSTS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class AnswerFields:
    """Adds security fields and what was noted for the caller, such as its rate; no field opens the API to other origins."""

    def __init__(self, app: ASGIApp, profile: Profile) -> None:
        self._app = app
        self._fields = (*ALWAYS, HSTS) if profile == "production" else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted: list[tuple[bytes, bytes]] = []
        scope[FIELDS] = noted

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [field for field in message.get("headers", ()) if not field[0].startswith(b"access-control-")]
                names = {name for name, _ in given}
                added = [field for field in self._fields if field[0] not in names]
                message = {**message, "headers": [*given, *added, *noted]}
            await send(message)

        await self._app(scope, receive, send_complete)
