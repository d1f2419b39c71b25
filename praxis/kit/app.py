"""A service as one object: its routers, consumers and jobs become an ASGI application with relay, inbox and job runner inside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.responses import Response

from praxis.kit import failpoints, health, observe, practices, story
from praxis.kit.audit import seal_practice
from praxis.kit.auth import Principal, TokenVerifier, load_public_keys
from praxis.kit.bus import Bus
from praxis.kit.clock import Clock, SystemClock
from praxis.kit.db import Database
from praxis.kit.http import Authenticate, Edge, ProblemOut, failure_response
from praxis.kit.inbox import Consumers, Inbox
from praxis.kit.jobs import Job, JobRunner, Jobs
from praxis.kit.problems import Problem, Unauthenticated
from praxis.kit.relay import Relay, RelayBell
from praxis.kit.secrets import Keyring
from praxis.kit.settings import Settings, require_safe_secrets
from praxis.kit.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Parts:
    """What a running publisher is made of; `app.state.parts` and the command line share it."""

    settings: Settings
    clock: Clock
    database: Database
    bus: Bus
    keyring: Keyring
    unit_of_work: UnitOfWork
    bell: RelayBell
    relay: Relay
    inbox: Inbox
    jobs: JobRunner
    duties: dict[asyncio.Task[None], str] = field(default_factory=dict)

    @property
    def ended_duties(self) -> list[str]:
        """Return the background duties that should run for ever and do not; connecting once is not one of them."""
        return [name for task, name in self.duties.items() if task.done() and (task.cancelled() or task.exception())]

    async def close(self) -> None:
        """Close bus and database."""
        await self.bus.close()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Service:
    """What a publisher consists of. `package` holds its `migrations`; `refusals` maps constraint names to Problems."""

    name: str
    package: str
    routers: Sequence[APIRouter]
    consumers: Sequence[Consumers] = ()
    jobs: Sequence[Jobs] = ()
    refusals: Mapping[str, type[Problem]] = field(default_factory=dict)

    def parts(self, settings: Settings, clock: Clock) -> Parts:
        """Wire the publisher together without starting anything."""
        database = Database(settings)
        bus = Bus(settings)
        bell = RelayBell(database)
        keyring = Keyring.load(settings.own_secrets)
        unit_of_work = UnitOfWork(database, keyring, clock, self.refusals, bell.ring)
        inbox = Inbox(database, bus, unit_of_work, clock, [practices.consumers, *self.consumers])
        duties = [job for group in self.jobs for job in group.bound(unit_of_work)]
        jobs = JobRunner(database, clock, [*duties, Job("seal_audit", timedelta(seconds=1), _sealing(database))])
        return Parts(
            settings, clock, database, bus, keyring, unit_of_work, bell, Relay(database, bus, clock), inbox, jobs
        )

    def build(
        self,
        settings: Settings | None = None,
        clock: Clock | None = None,
        authenticate: Callable[[Parts], Authenticate] | None = None,
    ) -> FastAPI:
        """Return the application; uvicorn calls this as its factory. The gateway brings its own way to authenticate."""
        settings = settings or Settings.load(self.name)
        failpoints.refuse_in_production(settings.profile)
        failpoints.arm()
        require_safe_secrets(settings)
        observe.configure(self.name, settings.profile)
        parts = self.parts(settings, clock or SystemClock())
        app = FastAPI(
            title=f"Praxis {self.name}", version="1", openapi_url=None, lifespan=_lifespan, telemetry=_NO_TELEMETRY
        )
        app.state.parts = parts
        app.state.package = self.package
        identify = (authenticate or internal_tokens)(parts)
        app.state.edge = Edge(identify, parts.unit_of_work)
        for router in (health.routes, story.routes, *self.routers):
            app.include_router(router)
        app.add_exception_handler(HTTPException, _refuse)
        app.add_route("/internal/openapi.json", _show_document, include_in_schema=False)
        app.add_middleware(observe.ObserveMiddleware)
        return app


# FastAPI's own telemetry would record exception messages, which may hold values.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def _sealing(database: Database) -> Callable[[UUID, datetime], Coroutine[Any, Any, None]]:
    async def seal(practice_id: UUID, now: datetime) -> None:
        async with database.system.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await seal_practice(driver, practice_id, now)

    return seal


def internal_tokens(parts: Parts) -> Authenticate:
    """Authenticate by the gateway's internal token for this service."""
    verifier = TokenVerifier(load_public_keys(parts.settings.public_keys, "token"), parts.settings.service)

    async def authenticate(request: Request) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        return verifier.verify(token, parts.clock.now())

    return authenticate


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await parts.database.wait_migrated(app.state.package)
    await parts.database.require_safe()
    duties: list[Coroutine[Any, Any, None]] = [parts.bus.connect(), parts.bell.run()]
    if parts.settings.role != "api":
        duties += [parts.relay.run(), parts.inbox.run(), parts.jobs.run()]
    tasks = [asyncio.create_task(duty) for duty in duties]
    parts.duties = {task: str(getattr(duty, "__qualname__", "duty")) for task, duty in zip(tasks, duties, strict=True)}
    for task in tasks:
        task.add_done_callback(_report_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.close()


def _report_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        observe.log.critical("background-duty-ended", exc_info=error)


async def _refuse(request: Request, error: Exception) -> Response:
    return failure_response(error)


async def _show_document(request: Request) -> Response:
    return Response(orjson.dumps(document(request.app)), media_type="application/json")


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an application, with the problem schema that every route's refusals use."""
    specification = app.openapi()
    schemas = specification.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemOut"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    return specification
