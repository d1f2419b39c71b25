"""A publisher that also listens to itself, started whole: relay, inbox and jobs over the worker's real NATS."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest_asyncio

from praxis.contracts.staff import StaffMemberRegisteredV1
from praxis.kit.app import Service
from praxis.kit.clock import SystemClock
from praxis.kit.databases import create_database
from praxis.kit.inbox import Consumers
from praxis.kit.migrations import migrate
from praxis.kit.observe import current_trace
from praxis.kit.testing import Harness
from praxis.kit.unit_of_work import Session
from services.staff.app import service as staff_service
from tests.conftest import TODAY
from tests.support.servers import Servers


@dataclass
class Listener:
    """What the probe consumer heard by practice, and how it is told to fail."""

    heard: dict[UUID, list[StaffMemberRegisteredV1]] = field(default_factory=lambda: defaultdict(list))
    traces: list[str] = field(default_factory=list)
    refuse: bool = False

    def consumers(self) -> Consumers:
        consumers = Consumers()

        @consumers.on(StaffMemberRegisteredV1)
        async def note_registration(session: Session, event: StaffMemberRegisteredV1) -> None:
            if self.refuse:
                raise ValueError("the probe was told to refuse")
            self.heard[session.practice_id].append(event)
            self.traces.append(current_trace().trace_id)

        return consumers


@dataclass
class Running:
    """A started publisher with its probe."""

    harness: Harness
    listener: Listener
    service: Service


@pytest_asyncio.fixture(loop_scope="session")
async def running(servers: Servers) -> AsyncIterator[Running]:
    """Start the staff service with a probe consumer, relay, inbox and jobs; its clock runs."""
    listener = Listener()
    service = replace(staff_service, consumers=[listener.consumers()])
    settings = servers.settings("staff", "staff_running")
    await create_database(servers.admin_dsn, settings, "staff_running")
    await migrate(settings, service.package, TODAY)
    harness = Harness.of(lambda settings, _clock: service.build(settings, SystemClock()), settings)
    harness.clock = SystemClock()  # type: ignore[assignment]
    async with harness.app.router.lifespan_context(harness.app):
        yield Running(harness, listener, service)
    await harness.client.aclose()


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until `condition` holds; the bound only ends a test that would hang."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
