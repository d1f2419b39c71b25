"""Failures behind the gateway and trickery in front of it: each has one plain answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from praxis.kit.settings import LIMITS, Settings
from tests.support.gateway import (
    FakeService,
    GatewayUnderTest,
    Heard,
    OpenedPractice,
    gateway_with,
    json_answer,
    limits_for,
    on,
    serving,
)


async def test_a_service_that_is_down_is_named(practice: OpenedPractice):
    reply = await practice.call("GET", "/v1/claims", await practice.sign_in())
    assert (reply.status_code, reply.json()["code"], reply.json()["part"]) == (503, "part-unavailable", "billing")
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json()["retryable"] is True


async def test_a_service_that_hangs_is_a_timeout_and_others_go_on(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService, fake_inventory: FakeService
):
    async def hang(heard: Heard):
        await asyncio.wait_for(asyncio.Event().wait(), 0.3)

    async def patient(heard: Heard):
        with contextlib.suppress(TimeoutError):
            await hang(heard)
        return json_answer(200, {})

    fake_scheduling.script = patient
    urls = {"scheduling": fake_scheduling.url, "inventory": fake_inventory.url}
    async with gateway_with(gateway_settings, limits_for(urls, upstream_seconds=0.05)) as hasty:
        there = on(hasty, practice)
        token = await there.sign_in()
        slow, quick = await asyncio.gather(
            there.call("GET", "/v1/patients", token), there.call("GET", "/v1/items", token)
        )
    assert (slow.status_code, slow.json()["code"], slow.json()["part"]) == (504, "upstream-timeout", "scheduling")
    assert quick.status_code == 200


@contextlib.asynccontextmanager
async def cutting_service(answers_after: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve a port that cuts the first `answers_after` connections after reading, then answers 200."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if len(seen) > answers_after:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


@pytest.mark.parametrize(
    ("method", "headers", "status", "code", "tries"),
    [
        ("POST", {"idempotency-key": "key-0000001"}, 200, None, 2),
        ("POST", {}, 503, "outcome-unknown", 1),
        ("PATCH", {"if-match": '"1"'}, 503, "outcome-unknown", 1),
    ],
)
async def test_a_cut_connection_is_tried_once_more_only_where_that_can_do_no_harm(
    gateway_settings: Settings, practice: OpenedPractice, method, headers, status, code, tries
):
    async with cutting_service(1) as (port, seen):
        async with gateway_with(gateway_settings, limits_for({"scheduling": f"http://127.0.0.1:{port}"})) as gateway:
            there = on(gateway, practice)
            reply = await there.call(method, "/v1/patients", await there.sign_in(), headers=headers)
    assert (reply.status_code, reply.json().get("code"), len(seen)) == (status, code, tries)


async def test_a_request_under_a_key_is_sent_twice_at_most(gateway_settings: Settings, practice: OpenedPractice):
    async with cutting_service(100) as (port, seen):
        async with gateway_with(gateway_settings, limits_for({"scheduling": f"http://127.0.0.1:{port}"})) as gateway:
            there = on(gateway, practice)
            token = await there.sign_in()
            reply = await there.call("POST", "/v1/patients", token, headers={"idempotency-key": "key-0000001"})
    assert (reply.status_code, reply.json()["code"], len(seen)) == (503, "outcome-unknown", 2)


async def test_a_service_that_refuses_the_gateways_token_is_a_failure_and_not_the_callers_sign_in(
    practice: OpenedPractice, fake_scheduling: FakeService
):
    async def script(heard: Heard):
        return json_answer(401, {"code": "unauthenticated"})

    fake_scheduling.script = script
    reply = await practice.call("GET", "/v1/patients", await practice.sign_in())
    assert (reply.status_code, reply.json()["code"]) == (503, "part-unavailable")


async def exchange(port: int, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        await writer.drain()
        return await reader.read(-1)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "doubled",
    [
        b"content-length: 2\r\ncontent-length: 2\r\n",
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        b"content-length: 2\r\nauthorization: Bearer other\r\n",
        b"content-length: 2\r\nhost: elsewhere\r\n",
    ],
)
async def test_on_the_wire_a_request_that_can_be_read_in_two_ways_is_refused(
    gateway: GatewayUnderTest, practice: OpenedPractice, fake_scheduling: FakeService, doubled
):
    token = (await practice.sign_in()).encode()
    head = (
        b"POST /v1/patients HTTP/1.1\r\nhost: praxis\r\nconnection: close\r\nauthorization: Bearer " + token + b"\r\n"
    )
    async with serving(gateway.harness.app) as port:
        refused = await exchange(port, head + doubled + b"\r\n{}")
        passed = await exchange(port, head + b"content-length: 2\r\n\r\n{}")
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert passed.startswith(b"HTTP/1.1 200 ")
    assert len(fake_scheduling.heard) == 1


@pytest.mark.parametrize(
    ("octets", "status", "shown"), [(5, b"503", b"part-unavailable"), (2 * LIMITS.body_bytes, b"200", b"xxxxx")]
)
async def test_on_the_wire_a_broken_answer_is_refused_or_once_begun_is_seen_to_be_broken(
    gateway_settings: Settings, practice: OpenedPractice, octets, status, shown
):
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (octets, b"x" * octets))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway_with(gateway_settings, limits_for({"scheduling": url})) as gateway:
        token = (await on(gateway, practice).sign_in()).encode()
        async with serving(gateway.harness.app) as port:
            head = b"GET /v1/patients HTTP/1.1\r\nhost: praxis\r\nconnection: close\r\nauthorization: Bearer "
            answer = await exchange(port, head + token + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert shown in answer
    assert not answer.endswith(b"0\r\n\r\n")
