"""The gateway on this worker's servers, with fake scheduling and inventory behind it; staff and billing do not answer."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.app import service
from praxis.kit.databases import create_database
from praxis.kit.migrations import migrate
from praxis.kit.settings import Settings
from tests.conftest import TODAY
from tests.support.gateway import FakeService, GatewayUnderTest, OpenedPractice, limits_for, serving
from tests.support.servers import Servers

session_scope = pytest_asyncio.fixture(scope="session", loop_scope="session")


@session_scope
async def gateway_settings(servers: Servers) -> Settings:
    settings = servers.settings("gateway")
    await create_database(servers.admin_dsn, settings, "gateway")
    await migrate(settings, service.package, TODAY)
    return settings


@session_scope
async def running_scheduling() -> AsyncIterator[FakeService]:
    fake = FakeService("scheduling")
    async with serving(fake) as fake.port:
        yield fake


@session_scope
async def running_inventory() -> AsyncIterator[FakeService]:
    fake = FakeService("inventory")
    async with serving(fake) as fake.port:
        yield fake


def _fresh(fake: FakeService) -> FakeService:
    fake.heard.clear()
    fake.script = None
    return fake


@pytest.fixture
def fake_scheduling(running_scheduling: FakeService) -> FakeService:
    return _fresh(running_scheduling)


@pytest.fixture
def fake_inventory(running_inventory: FakeService) -> FakeService:
    return _fresh(running_inventory)


@session_scope
async def gateway(
    gateway_settings: Settings, running_scheduling: FakeService, running_inventory: FakeService
) -> AsyncIterator[GatewayUnderTest]:
    urls = {"scheduling": running_scheduling.url, "inventory": running_inventory.url}
    under_test = GatewayUnderTest.of(gateway_settings, limits_for(urls))
    yield under_test
    await under_test.close()


@session_scope
async def practice(gateway: GatewayUnderTest) -> OpenedPractice:
    """A practice that many tests share; whoever changes its people opens one of their own."""
    opened = await gateway.practice()
    await opened.add_user("desk", "receptionist")
    return opened
