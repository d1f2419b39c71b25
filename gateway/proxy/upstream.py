"""One service as the gateway reaches it: pooled connections, a waiting room, one careful retry, no place held for slow readers."""

import asyncio
import contextlib
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponse,
    ConnectionTimeoutError,
    ServerTimeoutError,
)
from starlette.types import Message, Send
from yarl import URL

from gateway.proxy.admission import WaitingRoom
from gateway.proxy.bodies import CallerGone
from gateway.proxy.headers import answer_headers
from gateway.settings import GatewaySettings
from praxis.kit.observe import counter, log
from praxis.kit.problems import Problem, Unavailable
from praxis.kit.settings import LIMITS
from praxis.kit.unit_of_work import OutcomeUnknown

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT: Final = SAFE | {"PUT", "DELETE"}

PIECE: Final = 65_536
"""Octets sent at once: what the server may have to keep for a caller that has stopped reading."""

_retries = counter("praxis_gateway_retries", "Requests sent to a service a second time", ("upstream",))
_failures = counter("praxis_gateway_failures", "Requests that a service did not answer", ("upstream", "code"))


class PartUnavailable(Unavailable):
    """503: the part that answers this does not; nothing was done."""

    code = "part-unavailable"
    title = "The part that answers this is not available just now"


class UpstreamTimeout(Problem):
    """504: the part that answers this took too long; a change may or may not have been made."""

    status = 504
    code = "upstream-timeout"
    title = "The part that answers this took too long"
    retryable = True


@dataclass(frozen=True, slots=True)
class Passage:
    """One request as it is passed on. `target` is path and query as they came, `urgent` says whether a person waits.

    `caller` is whose share of the service's places it takes.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    caller: Hashable
    urgent: bool

    @property
    def may_repeat(self) -> bool:
        """Tell whether a second try can do no harm: an idempotent method, or a request under a key."""
        return self.method in IDEMPOTENT or any(name == "idempotency-key" for name, _ in self.headers)


class RetryBudget:
    """Lets one retry through for every ten requests, so that a part that comes back is not met by twice the load."""

    def __init__(self, most: float = 10.0) -> None:
        self._most = most
        self._left = most

    def earn(self) -> None:
        """Count a request."""
        self._left = min(self._most, self._left + 0.1)

    def spend(self) -> bool:
        """Take one retry, or tell that there is none left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Upstream:
    """One service."""

    def __init__(self, service: str, url: str, settings: GatewaySettings) -> None:
        self.service = service
        self._base = url.rstrip("/")
        self._settings = settings
        self._room = WaitingRoom(settings.running, settings.waiting, settings.waiting_seconds)
        self._budget = RetryBudget()
        self._client: aiohttp.ClientSession | None = None

    @property
    def waiting(self) -> int:
        """Return how many requests wait for this service."""
        return self._room.waiting

    async def pass_on(self, passage: Passage, send: Send) -> None:
        """Send one request and its answer; raises Overloaded, PartUnavailable, OutcomeUnknown, UpstreamTimeout and CallerGone.

        The place is given back once the service has answered up to `LIMITS.body_bytes`, so whoever reads slowly holds up nobody;
        a larger answer keeps it and is streamed. A failure after the first byte sent is no refusal any more: it ends the
        caller's connection.
        """
        self._budget.earn()
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(self._room.place(passage.caller, passage.urgent))
            response, head = await self._begun(passage, held)
            if response.content.at_eof():
                await held.aclose()
            await self._send_on(response, head, send)

    async def close(self) -> None:
        """Close the pooled connections."""
        if self._client:
            await self._client.close()

    async def _begun(self, passage: Passage, held: contextlib.AsyncExitStack) -> tuple[ClientResponse, bytes]:
        """Return the answer with its first octets: all of them, or more than `LIMITS.body_bytes`."""
        try:
            response = await held.enter_async_context(await self._answer(passage))
            if response.status == 401:
                log.error("internal-token-refused", upstream=self.service)
                raise PartUnavailable(facts={"part": self.service}, retry_after=2)
            head = bytearray()
            while len(head) <= LIMITS.body_bytes and not response.content.at_eof():
                head += await response.content.readany()
        except (TimeoutError, ClientConnectionError, ClientPayloadError) as error:
            problem = self._problem(passage, error)
            _failures.labels(self.service, problem.code).inc()
            raise problem from error
        return response, bytes(head)

    async def _answer(self, passage: Passage) -> ClientResponse:
        try:
            return await self._try(passage)
        except ServerTimeoutError:
            raise
        except ClientConnectionError:
            if not (passage.may_repeat and self._budget.spend()):
                raise
        _retries.labels(self.service).inc()
        return await self._try(passage)

    async def _try(self, passage: Passage) -> ClientResponse:
        url = URL(self._base + passage.target, encoded=True)
        return await self._pool().request(
            passage.method, url, headers=passage.headers, data=passage.body or None, allow_redirects=False
        )

    def _pool(self) -> aiohttp.ClientSession:
        # Made on first use because it belongs to the running loop. A service closes idle connections after five seconds; the
        # gateway lets go of them first, or a request would now and then meet a connection that is just being closed.
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._settings.connect_seconds, sock_read=self._settings.upstream_seconds
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                auto_decompress=False,
            )
        return self._client

    async def _send_on(self, response: ClientResponse, head: bytes, send: Send) -> None:
        fields = answer_headers(response.raw_headers)
        await self._send(send, {"type": "http.response.start", "status": response.status, "headers": fields})
        chunk, more = head, True
        while more:
            more = not response.content.at_eof()
            await self._send_body(send, chunk, more)
            chunk = await response.content.readany() if more else b""

    async def _send_body(self, send: Send, body: bytes, more: bool) -> None:
        for start in range(0, len(body) or 1, PIECE):
            end = start + PIECE
            message = {"type": "http.response.body", "body": body[start:end], "more_body": more or end < len(body)}
            await self._send(send, message)

    async def _send(self, send: Send, message: Message) -> None:
        try:
            async with asyncio.timeout(self._settings.send_seconds):
                await send(message)
        except TimeoutError as error:
            _failures.labels(self.service, "caller-too-slow").inc()
            raise CallerGone from error

    def _problem(self, passage: Passage, error: Exception) -> Problem:
        facts = {"part": self.service}
        never_sent = isinstance(error, (ClientConnectorError, ConnectionTimeoutError))
        if never_sent or (passage.method in SAFE and not isinstance(error, TimeoutError)):
            return PartUnavailable(f"{self.service} does not answer.", facts=facts, retry_after=2)
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(f"{self.service} did not answer in time.", facts=facts, retry_after=2)
        return OutcomeUnknown(facts=facts, retry_after=2)
