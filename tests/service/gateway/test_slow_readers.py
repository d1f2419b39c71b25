"""Callers that do not read what they asked for: they hold up themselves, and for a bounded time."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Message

from gateway.proxy.bodies import CallerGone
from gateway.proxy.upstream import PIECE, Passage, Upstream
from praxis.kit.settings import LIMITS, Settings
from tests.support.gateway import FakeService, Heard, OpenedPractice, gateway_with, limits_for, on, serving


def answering(octets: int):
    async def script(heard: Heard):
        return 200, {"content-length": str(octets)}, b"x" * octets

    return script


def passage(caller: str = "slow") -> Passage:
    return Passage("GET", "/v1/patients", [], b"", caller, urgent=True)


class Reader:
    """Takes what is sent, and nothing of it when stuck."""

    def __init__(self, stuck: bool = False) -> None:
        self.stuck = stuck
        self.reached = asyncio.Event()
        self.sizes: list[int] = []

    async def send(self, message: Message) -> None:
        self.reached.set()
        if self.stuck:
            await asyncio.Event().wait()
        self.sizes.append(len(message.get("body", b"")))


@pytest_asyncio.fixture(loop_scope="session")
async def narrow(fake_scheduling: FakeService) -> AsyncIterator[Upstream]:
    """A service with one place."""
    limits = limits_for({}, running=1, waiting_seconds=0.5, send_seconds=30)
    upstream = Upstream("scheduling", fake_scheduling.url, limits)
    yield upstream
    await upstream.close()


@pytest.mark.parametrize("octets", [0, 100, LIMITS.body_bytes])
async def test_a_reader_that_takes_nothing_holds_no_place(narrow: Upstream, fake_scheduling: FakeService, octets: int):
    fake_scheduling.script = answering(octets)
    stuck, quick = Reader(stuck=True), Reader()
    reading = asyncio.create_task(narrow.pass_on(passage(), stuck.send))
    await stuck.reached.wait()
    await narrow.pass_on(passage("other"), quick.send)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert sum(quick.sizes) == octets
    assert max(quick.sizes) <= PIECE


async def test_a_larger_answer_is_streamed_whole(narrow: Upstream, fake_scheduling: FakeService):
    fake_scheduling.script = answering(3 * LIMITS.body_bytes + 17)
    reader = Reader()
    await narrow.pass_on(passage(), reader.send)
    assert sum(reader.sizes) == 3 * LIMITS.body_bytes + 17
    assert max(reader.sizes) <= PIECE


@pytest.mark.parametrize("octets", [100, 2 * LIMITS.body_bytes])
async def test_a_reader_that_takes_nothing_is_given_up_and_its_place_is_free(fake_scheduling: FakeService, octets: int):
    fake_scheduling.script = answering(octets)
    hasty = Upstream("scheduling", fake_scheduling.url, limits_for({}, running=1, send_seconds=0.05))
    try:
        with pytest.raises(CallerGone):
            await hasty.pass_on(passage(), Reader(stuck=True).send)
        await hasty.pass_on(passage("other"), Reader().send)
    finally:
        await hasty.close()


async def test_on_the_wire_a_connection_that_is_not_read_is_cut(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    octets, asked = 32 * LIMITS.body_bytes, asyncio.Event()

    async def script(heard: Heard):
        size = 2 if asked.is_set() else octets
        asked.set()
        return await answering(size)(heard)

    fake_scheduling.script = script
    limits = limits_for(
        {"scheduling": fake_scheduling.url}, running=1, waiting_seconds=30, send_seconds=0.1, upstream_seconds=30
    )
    async with gateway_with(gateway_settings, limits) as gateway:
        token = await on(gateway, practice).sign_in()
        async with serving(gateway.harness.app) as port:
            with socket.create_connection(("127.0.0.1", port)) as slow:
                slow.sendall(f"GET /v1/patients HTTP/1.1\r\nhost: p\r\nauthorization: Bearer {token}\r\n\r\n".encode())
                await asked.wait()
                # Answered only once the first has lost the one place there is.
                assert (await on(gateway, practice).call("GET", "/v1/patients", token)).status_code == 200
                read = await asyncio.to_thread(_octets_until_closed, slow)
    assert 0 < read < octets


async def test_one_caller_does_not_take_all_places_of_a_service(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    release = asyncio.Event()

    async def hold(heard: Heard):
        if heard.path.endswith("greedy"):
            await release.wait()
        return 200, {}, b"{}"

    fake_scheduling.script = hold
    limits = limits_for({"scheduling": fake_scheduling.url}, running=8, waiting_seconds=30)
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        staff = await there.sign_in()
        clients = [await there.api_key(staff, "ehr_client") for _ in range(2)]
        tasks = [asyncio.create_task(there.call("GET", "/v1/patients?greedy", clients[0])) for _ in range(10)]
        while gateway.harness.app.state.upstreams["scheduling"].waiting < 8:
            await asyncio.wait(tasks, timeout=0.005)
        assert (await there.call("GET", "/v1/patients", clients[1])).status_code == 200
        assert len([heard for heard in fake_scheduling.heard if heard.path.endswith("greedy")]) == 2
        release.set()
        assert {reply.status_code for reply in await asyncio.gather(*tasks)} == {200}


def _octets_until_closed(connection: socket.socket) -> int:
    total = 0
    while piece := connection.recv(1_048_576):
        total += len(piece)
    return total
