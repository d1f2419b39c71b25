"""The gateway under test: real sign-ins on a real database, and small real services behind it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import close_connections, create
from gateway.identity.commands import add_user
from gateway.identity.schemas import AddUser
from gateway.practices.commands import open_practice
from gateway.practices.schemas import OpenPractice
from gateway.settings import GatewaySettings, Rate
from praxis.kit.clock import StoppedClock
from praxis.kit.ids import new_id
from praxis.kit.settings import SERVICES, Settings
from praxis.kit.testing import Harness, PracticeUnderTest

PASSWORD = "violet-harbour-4417"
MANAGER = "medical_office_manager"

Script = Callable[["Heard"], Awaitable[tuple[int, dict[str, str], bytes]]]


@dataclass(frozen=True)
class Heard:
    """One request as a service behind the gateway got it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


@dataclass
class FakeService:
    """A service on a real port that notes what it hears and answers what the test says."""

    name: str
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    script: Script | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
        path = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        heard = Heard(scope["method"], path, headers, body)
        self.heard.append(heard)
        status, fields, answer = await self.script(heard) if self.script else (200, {}, b'{"ok":true}')
        sent = {"content-type": "application/json", **fields}
        raw = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """Serve an application on a free port of this machine while the block runs."""
    server = _QuietServer(uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.wait({task}, timeout=0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def closed_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def limits_for(urls: dict[str, str], **changed: Any) -> GatewaySettings:
    """Return generous limits for tests; services without a URL do not answer."""
    silent = f"http://127.0.0.1:{closed_port()}"
    rates = {name: Rate(name, 10_000, 10_000) for name in ("staff", "client", "address", "sign_in")}
    return GatewaySettings({name: urls.get(name, silent) for name in SERVICES}, **{**rates, **changed})


@dataclass
class GatewayUnderTest:
    """One gateway."""

    harness: Harness

    @classmethod
    def of(cls, settings: Settings, limits: GatewaySettings) -> "GatewayUnderTest":
        return cls(Harness.of(lambda given, clock: create(given, clock, limits), settings))

    @property
    def clock(self) -> StoppedClock:
        return self.harness.clock

    async def practice(self) -> "OpenedPractice":
        """Open a practice as the operator does, with one manager."""
        practice = await self.practice_without_users()
        await practice.add_user("manager", MANAGER)
        return practice

    async def practice_without_users(self) -> "OpenedPractice":
        """Open a practice in which nobody can sign in."""
        practice = OpenedPractice(PracticeUnderTest(self.harness, new_id()))
        async with practice.under_test.session() as session:
            await open_practice(session, OpenPractice(code=practice.code, time_zone="America/New_York"))
        return practice

    async def close(self) -> None:
        await close_connections(self.harness.app.own)
        await self.harness.close()

    def reset_clock(self) -> None:
        self.harness.reset_clock()


@dataclass
class OpenedPractice:
    """A practice with people who sign in."""

    under_test: PracticeUnderTest

    @property
    def id(self) -> UUID:
        return self.under_test.practice_id

    @property
    def code(self) -> str:
        return f"p-{self.id.hex}"

    @property
    def client(self) -> httpx.AsyncClient:
        return self.under_test.harness.client

    async def add_user(self, login: str, *roles: str, staff_member_id: UUID | None = None) -> UUID:
        body = AddUser(login=login, password=PASSWORD, roles=list(roles), staff_member_id=staff_member_id)
        async with self.under_test.session() as session:
            return (await add_user(session, body)).id

    async def try_sign_in(self, login: str, password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        body = {"practice": code or self.code, "login": login, "password": password}
        return await self.client.post("/v1/sessions", json=body)

    async def sign_in(self, login: str = "manager") -> str:
        reply = await self.try_sign_in(login)
        assert reply.status_code == 201, reply.text
        return reply.json()["token"]

    async def api_key(self, manager: str, *roles: str) -> str:
        reply = await self.call(
            "POST", "/v1/api-clients", manager, json={"name": f"client {new_id()}", "roles": list(roles)}
        )
        assert reply.status_code == 201, reply.text
        return reply.json()["first_key"]["key"]

    async def call(self, method: str, path: str, token: str | None, **given: Any) -> httpx.Response:
        headers = {**given.pop("headers", {}), **({"authorization": f"Bearer {token}"} if token else {})}
        return await self.client.request(method, path, headers=headers, **given)


@contextlib.asynccontextmanager
async def gateway_with(settings: Settings, limits: GatewaySettings) -> AsyncIterator[GatewayUnderTest]:
    under_test = GatewayUnderTest.of(settings, limits)
    try:
        yield under_test
    finally:
        await under_test.close()


def on(gateway: GatewayUnderTest, practice: OpenedPractice) -> OpenedPractice:
    """Return the same practice, reached through another gateway on the same database."""
    return OpenedPractice(type(practice.under_test)(gateway.harness, practice.id))


def json_answer(status: int, answer: Any, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """Return what a script of a fake service answers."""
    return status, {name.replace("_", "-"): value for name, value in fields.items()}, orjson.dumps(answer)
