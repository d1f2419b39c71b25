"""Servers and services for tests: each worker has its own PostgreSQL and NATS, each service its own migrated database."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from importlib import import_module

import pytest
import pytest_asyncio

from praxis.kit.app import Service
from praxis.kit.databases import create_database
from praxis.kit.migrations import migrate
from praxis.kit.testing import Harness
from tests.support.servers import Servers, running_servers

TODAY = date(2027, 2, 1)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Return this worker's PostgreSQL and NATS."""
    with running_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


async def build_harness(servers: Servers, service: Service) -> Harness:
    """Create and migrate the service's database and return the service under test."""
    settings = servers.settings(service.name)
    await create_database(servers.admin_dsn, settings, service.name)
    await migrate(settings, service.package, TODAY)
    return Harness.of(service.build, settings)


def _service_fixture(name: str) -> Callable[[Servers], AsyncIterator[Harness]]:
    @pytest_asyncio.fixture(scope="session", loop_scope="session", name=name)
    async def fixture(servers: Servers) -> AsyncIterator[Harness]:
        harness = await build_harness(servers, import_module(f"services.{name}.app").service)
        yield harness
        await harness.close()

    return fixture


scheduling_harness = _service_fixture("scheduling")
inventory_harness = _service_fixture("inventory")
staff_harness = _service_fixture("staff")
billing_harness = _service_fixture("billing")


@pytest.fixture(autouse=True)
def _clocks_stand_where_they_did(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put every harness' clock back after a test that moved it."""
    yield
    for name in ("scheduling", "inventory", "staff", "billing", "gateway"):
        if name in request.fixturenames:
            request.getfixturevalue(name).reset_clock()
