"""A service under test: requests go through its real edge, events through its real inbox, rows into its real database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import orjson
from fastapi import FastAPI

from praxis.contracts.event import Event, envelope_members, publisher_of
from praxis.contracts.gateway import PracticeOpenedV1
from praxis.kit.app import Parts
from praxis.kit.auth import Principal, TokenMinter, load_private_key
from praxis.kit.bus import Signer
from praxis.kit.clock import StoppedClock
from praxis.kit.db import begin_message
from praxis.kit.http import Edge
from praxis.kit.ids import derived_id, new_id
from praxis.kit.inbox import Delivery
from praxis.kit.outbox import signed_body
from praxis.kit.settings import Settings
from praxis.kit.unit_of_work import Cause, Session

EventT = TypeVar("EventT", bound=Event)

START = datetime(2027, 2, 1, 14, 0, tzinfo=UTC)
"""The moment at which every harness' clock stands: Monday 2027-02-01, 09:00 in New York."""


@dataclass(slots=True)
class Harness:
    """One service's application and what is needed to talk to it."""

    app: FastAPI
    settings: Settings
    clock: StoppedClock
    client: httpx.AsyncClient
    minter: TokenMinter

    @classmethod
    def of(cls, build: Callable[[Settings, StoppedClock], FastAPI], settings: Settings) -> "Harness":
        """Build the application without starting relay, inbox loop or jobs."""
        clock = StoppedClock(START)
        app = build(settings, clock)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://praxis.test"
        )
        key = load_private_key((settings.secrets_dir / "gateway" / "token.key").read_text("ascii"))
        return cls(app, settings, clock, client, TokenMinter(key, "1"))

    @property
    def parts(self) -> Parts:
        """Return the wired parts of the application."""
        parts = self.app.state.parts
        assert isinstance(parts, Parts)
        return parts

    @property
    def edge(self) -> Edge:
        """Return the application's edge."""
        edge = self.app.state.edge
        assert isinstance(edge, Edge)
        return edge

    async def practice(self, time_zone: str = "America/New_York") -> "PracticeUnderTest":
        """Open a fresh practice, as if the gateway had announced it."""
        practice = PracticeUnderTest(self, new_id())
        opened = PracticeOpenedV1(
            practice_id=practice.practice_id,
            revision=1,
            time_zone=time_zone,
            currency="USD",
            opened_at=self.clock.now(),
        )
        await practice.deliver(opened)
        return practice

    def reset_clock(self) -> None:
        """Put the clock back to where it stood."""
        self.clock.advance(seconds=(START - self.clock.now()).total_seconds())

    async def close(self) -> None:
        """Close client, bus and pools."""
        await self.client.aclose()
        await self.parts.close()


@dataclass(slots=True)
class PracticeUnderTest:
    """One practice of a service under test, with one fixed person per role."""

    harness: Harness
    practice_id: UUID
    _numbers: dict[str, int] = field(default_factory=dict)
    _times: dict[UUID, datetime] = field(default_factory=dict)

    @property
    def clock(self) -> StoppedClock:
        """Return the clock that the whole service reads."""
        return self.harness.clock

    def actor(self, role: str) -> Principal:
        """Return the practice's person with this role (also its staff member)."""
        person = derived_id(self.practice_id, role)
        kind = "client" if role.endswith("_client") else "staff"
        return Principal(person, self.practice_id, (role,), kind, staff_member_id=None if kind == "client" else person)  # type: ignore[arg-type]

    def token(self, role: str, audience: str | None = None) -> str:
        """Return an internal token for the actor of `role`."""
        return self.harness.minter.mint(self.actor(role), audience or self.harness.settings.service, self.clock.now())

    async def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        role: str | None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; `role` None sends no token, `key` is the Idempotency-Key."""
        sent = dict(headers or {})
        if role is not None:
            sent["authorization"] = f"Bearer {self.token(role)}"
        if key is not None:
            sent["idempotency-key"] = key
        content = None if json is None else orjson.dumps(json, default=str)
        if content is not None:
            sent.setdefault("content-type", "application/json")
        return await self.harness.client.request(method, path, content=content, headers=sent)

    async def get(
        self, path: str, *, role: str | None = "medical_office_manager", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a GET."""
        return await self.request("GET", path, role=role, headers=headers)

    async def post(
        self,
        path: str,
        json: Any = None,
        *,
        role: str | None = "medical_office_manager",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a POST with a JSON body ({} when none is given)."""
        return await self.request("POST", path, {} if json is None else json, role=role, key=key, headers=headers)

    async def put(
        self, path: str, json: Any, *, role: str | None = "medical_office_manager", revision: int | None = None
    ) -> httpx.Response:
        """Send a PUT, with If-Match when `revision` is given."""
        headers = {} if revision is None else {"if-match": f'"{revision}"'}
        return await self.request("PUT", path, json, role=role, headers=headers)

    async def deliver(self, event: Event, story: UUID | None = None, event_id: UUID | None = None) -> UUID:
        """Deliver `event` as its publisher would have signed it; return its id (give the same id to redeliver)."""
        event_id = event_id or new_id()
        members = envelope_members(
            event, event_id=event_id, practice_id=self.practice_id, at=self._times.setdefault(event_id, self.clock.now()),
            correlation_id=story or event.aggregate_id, causation_id=None, traceparent=f"00-{event_id.hex}-{event_id.hex[:16]}-01",
        )  # fmt: skip
        publisher = publisher_of(event.TYPE)
        self._numbers[publisher] = self._numbers.get(publisher, 0) + 1
        body = signed_body(orjson.dumps(members).decode(), self._numbers[publisher])
        seed = (self.harness.settings.secrets_dir / publisher / "event.key").read_text("ascii")
        signature = Signer(load_private_key(seed)).sign(event.TYPE, body)
        await self.harness.parts.inbox.deliver(Delivery(event.TYPE, body, signature))
        return event_id

    async def announced(self, event: type[EventT]) -> list[EventT]:
        """Return the payloads of this type that the practice's commits put into the outbox, oldest first."""
        rows = await self.sql("select envelope from outbox where subject = $1 order by position", event.TYPE)
        return [event.model_validate(orjson.loads(row["envelope"])["data"]) for row in rows]

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run one statement as the service's app role within the practice, and commit it."""
        async with self.harness.parts.database.app.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            try:
                await driver.execute(begin_message(self.practice_id))
                rows: list[asyncpg.Record] = await driver.fetch(statement, *arguments)
                await driver.execute("COMMIT")
            except BaseException:
                await driver.execute("ROLLBACK")
                raise
            return rows

    @contextlib.asynccontextmanager
    async def session(self, role: str = "medical_office_manager") -> AsyncIterator[Session]:
        """Open a real unit of work; it commits when the block ends, and nothing is kept when the block raises."""
        ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work(session: Session) -> None:
            ready.set_result(session)
            await done

        running = asyncio.ensure_future(self.harness.parts.unit_of_work.run(Cause(self.actor(role), "test"), work))
        either: set[asyncio.Future[Any]] = {ready, running}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        try:
            yield ready.result()
        except BaseException as error:
            done.set_exception(error)
            await asyncio.gather(running, return_exceptions=True)
            raise
        done.set_result(None)
        await running

    async def run_job(self, name: str) -> None:
        """Run one job for this practice now, whether it is due or not."""
        job = next(job for job in self.harness.parts.jobs.jobs if job.name == name)
        await job.duty(self.practice_id, self.clock.now())
