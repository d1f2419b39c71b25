"""Request bodies, read whole before anything of an upstream is taken: a slow sender holds nothing but its own connection."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.proxy.headers import require_unambiguous
from praxis.kit.http import failure_response
from praxis.kit.problems import Problem
from praxis.kit.settings import LIMITS

CLOSE = (b"connection", b"close")


class BodyTooLarge(Problem):
    """413: more octets than a request may have."""

    status = 413
    code = "body-too-large"
    title = "The body is too large"


class BodyTooSlow(Problem):
    """408: the body did not arrive in time."""

    status = 408
    code = "body-too-slow"
    title = "The body did not arrive in time"
    retryable = True


class CallerGone(Exception):
    """The caller closed the connection before its request was whole, or stopped reading: nobody waits for an answer.

    Returning without one, or with half of one, makes the server close the connection.
    """


async def read_body(scope: Scope, receive: Receive, seconds: float) -> bytes:
    """Return the whole body; raises BodyTooLarge, BodyTooSlow and CallerGone."""
    headers = dict(scope["headers"])
    announced = int(headers.get(b"content-length", b"0"))
    if announced > LIMITS.body_bytes:
        raise _too_large()
    if not announced and b"transfer-encoding" not in headers:
        return b""
    try:
        async with asyncio.timeout(seconds):
            return await _collect(receive)
    except TimeoutError as error:
        raise BodyTooSlow(f"Send the whole body within {seconds:g} seconds.") from error


async def _collect(receive: Receive) -> bytes:
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= LIMITS.body_bytes:
        return body
    parts = bytearray(body)
    while message.get("more_body", False) and len(parts) <= LIMITS.body_bytes:
        message = await _next(receive)
        parts += message.get("body", b"")
    if len(parts) > LIMITS.body_bytes:
        raise _too_large()
    return bytes(parts)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerGone
    return message


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"A body has at most {LIMITS.body_bytes} octets.", facts={"most_octets": LIMITS.body_bytes})


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the read body once and then what really comes."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


async def answer_refusal(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the problem document of a refusal; where the body was not read to its end, the connection closes behind it."""
    response = failure_response(error)
    if response.status_code in {400, 408, 413}:
        response.raw_headers.append(CLOSE)
    await response(scope, receive, send)


class WholeBody:
    """ASGI layer for the gateway's own endpoints: unambiguous requests with their whole body, or a refusal."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on once it is whole."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            require_unambiguous(scope)
            body = await read_body(scope, receive, self._seconds)
        except CallerGone:
            return
        except Problem as refusal:
            await answer_refusal(refusal, scope, receive, send)
            return
        await self._app(scope, replayed(body, receive), send)
