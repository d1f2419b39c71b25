"""The proxy: a request for a service, authenticated, whole, and within its caller's rate."""

from collections.abc import Mapping

from starlette.types import Message, Receive, Scope, Send

from gateway.doorkeeper import Doorkeeper
from gateway.proxy.bodies import CallerGone, answer_refusal, read_body
from gateway.proxy.headers import require_unambiguous, upstream_headers
from gateway.proxy.routes import Prefix
from gateway.proxy.tokens import TokenPurse
from gateway.proxy.upstream import Passage, Upstream
from praxis.kit.observe import traceparent


class Proxy:
    """ASGI application for scopes whose `route` is an entry of the route table."""

    def __init__(
        self, doorkeeper: Doorkeeper, tokens: TokenPurse, upstreams: Mapping[str, Upstream], body_seconds: float
    ) -> None:
        self._doorkeeper = doorkeeper
        self._tokens = tokens
        self._upstreams = upstreams
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._pass_on(scope, receive, send_noted)
        except CallerGone:
            return
        except Exception as error:
            # Half an answer cannot become a refusal: raising lets the server cut the connection, and the caller sees it is half.
            if begun:
                raise
            await answer_refusal(error, scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        require_unambiguous(scope)
        principal = await self._doorkeeper.admit(scope)
        body = await read_body(scope, receive, self._body_seconds)
        prefix: Prefix = scope["route"]
        token = self._tokens.token(principal, prefix.service)
        passage = Passage(
            method=scope["method"],
            target=_target(scope),
            headers=upstream_headers(scope["headers"], token, traceparent()),
            body=body,
            caller=principal.id,
            urgent=principal.kind == "staff",
        )
        await self._upstreams[prefix.service].pass_on(passage, send)


def _target(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
