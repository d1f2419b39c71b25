"""Passing on: what a service sees, what comes back, and what the gateway answers itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
import pytest

from gateway.settings import GatewaySettings, Rate
from praxis.kit.auth import TokenVerifier, load_public_keys
from praxis.kit.ids import new_id
from praxis.kit.problems import Unauthenticated
from praxis.kit.settings import LIMITS, Settings
from tests.support.gateway import (
    MANAGER,
    FakeService,
    GatewayUnderTest,
    Heard,
    OpenedPractice,
    json_answer,
    limits_for,
    serving,
)


def verifier(settings: Settings, audience: str) -> TokenVerifier:
    return TokenVerifier(load_public_keys(settings.public_keys, "token"), audience)


def bearer(heard: Heard) -> str:
    return (heard.header("authorization") or "").removeprefix("Bearer ")


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


async def test_a_request_arrives_as_it_was_sent_and_its_answer_comes_back(
    practice: OpenedPractice, fake_scheduling: FakeService
):
    async def script(heard: Heard):
        return json_answer(201, {"booked": True}, etag='"1"', location="/v1/appointments/7")

    fake_scheduling.script = script
    path = "/v1/appointments?from=2027-02-01%20x&limit=5"
    token = await practice.sign_in("desk")
    reply = await practice.call(
        "POST", path, token, json={"a": 1}, headers={"idempotency-key": "key-0000001", "if-match": '"3"'}
    )
    assert (reply.status_code, reply.json()) == (201, {"booked": True})
    assert (reply.headers["etag"], reply.headers["location"]) == ('"1"', "/v1/appointments/7")
    [heard] = fake_scheduling.heard
    assert (heard.method, heard.path, orjson.loads(heard.body)) == ("POST", path, {"a": 1})
    assert (heard.header("idempotency-key"), heard.header("if-match")) == ("key-0000001", '"3"')
    assert heard.header("content-type") == "application/json"


async def test_the_service_hears_who_asks_in_a_token_for_itself_alone(
    gateway_settings: Settings,
    gateway: GatewayUnderTest,
    practice: OpenedPractice,
    fake_scheduling: FakeService,
    fake_inventory: FakeService,
):
    token = await practice.sign_in("desk")
    await practice.call("GET", "/v1/patients", token)
    await practice.call("GET", "/v1/items", token)
    for heard, service, other in (
        (fake_scheduling.heard[0], "scheduling", "inventory"),
        (fake_inventory.heard[0], "inventory", "scheduling"),
    ):
        principal = verifier(gateway_settings, service).verify(bearer(heard), gateway.clock.now())
        assert (principal.practice_id, principal.roles, principal.kind) == (practice.id, ("receptionist",), "staff")
        assert isinstance(principal.session_id, UUID)
        with pytest.raises(Unauthenticated):
            verifier(gateway_settings, other).verify(bearer(heard), gateway.clock.now())


async def test_an_internal_token_is_used_again_and_renewed_before_it_ends(
    gateway_settings: Settings, gateway: GatewayUnderTest, practice: OpenedPractice, fake_scheduling: FakeService
):
    token = await practice.sign_in()
    for step in (0, 30, 20):
        gateway.clock.advance(seconds=step)
        await practice.call("GET", "/v1/patients", token)
    first, second, third = (bearer(heard) for heard in fake_scheduling.heard)
    assert first == second != third
    verifier(gateway_settings, "scheduling").verify(third, gateway.clock.now())


async def test_forged_identity_and_forwarding_fields_do_not_reach_the_service(
    practice: OpenedPractice, fake_scheduling: FakeService
):
    forged = {
        "x-praxis-principal": "intruder",
        "x-user-id": "intruder",
        "x-practice-id": "intruder",
        "x-forwarded-for": "intruder",
        "x-forwarded-host": "intruder",
        "forwarded": "for=intruder",
        "x-real-ip": "intruder",
        "cookie": "session=intruder",
        "connection": "x-hop",
        "x-hop": "intruder",
        "proxy-authorization": "intruder",
        "te": "trailers",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    token = await practice.sign_in()
    await practice.call("GET", "/v1/patients", token, headers=forged)
    [heard] = fake_scheduling.heard
    assert "intruder" not in repr(heard)
    assert token not in repr(heard)
    assert heard.header("host") == f"127.0.0.1:{fake_scheduling.port}"
    assert (heard.header("traceparent") or "").startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert "b7ad6b7169203331" not in (heard.header("traceparent") or "")


async def test_without_a_session_nothing_reaches_a_service(practice: OpenedPractice, fake_scheduling: FakeService):
    reply = await practice.call("GET", "/v1/patients", None)
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert fake_scheduling.heard == []


@pytest.mark.parametrize(
    "path", ["/internal/v1/stories/1", "/internal/openapi.json", "/v1/unheard-of", "/v1/patientsx", "/v2/patients"]
)
async def test_paths_outside_the_table_are_not_found(practice: OpenedPractice, fake_scheduling: FakeService, path):
    reply = await practice.call("GET", path, await practice.sign_in())
    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")
    assert fake_scheduling.heard == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/patients/%2e%2e/%2e%2e/internal/openapi.json",
        "/v1/patients/..%2finternal",
        "/v1/patients//x",
        "/v1/patients/%00",
    ],
)
async def test_a_path_that_another_reader_could_resolve_elsewhere_is_refused(
    practice: OpenedPractice, fake_scheduling: FakeService, path
):
    reply = await practice.call("GET", path, await practice.sign_in())
    assert (reply.status_code, reply.json()["code"]) == (400, "ambiguous-request")
    assert fake_scheduling.heard == []


@pytest.mark.parametrize("path", ["/v1/patients", "/v1/users"])
async def test_a_body_past_the_limit_is_refused_before_a_service_hears_of_it(
    practice: OpenedPractice, fake_scheduling: FakeService, path
):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    token = await practice.sign_in()
    announced = await practice.call("POST", path, token, content=b"x" * (LIMITS.body_bytes + 1))
    unannounced = await practice.call("POST", path, token, content=endless())
    for reply in (announced, unannounced):
        assert (reply.status_code, reply.json()["code"]) == (413, "body-too-large")
        assert reply.headers["connection"] == "close"
    assert fake_scheduling.heard == []


async def test_a_body_of_exactly_the_limit_passes(practice: OpenedPractice, fake_scheduling: FakeService):
    reply = await practice.call("POST", "/v1/patients", await practice.sign_in(), content=b"x" * LIMITS.body_bytes)
    assert reply.status_code == 200
    assert len(fake_scheduling.heard[0].body) == LIMITS.body_bytes


@pytest.mark.parametrize("path", ["/v1/patients", "/v1/sessions"])
async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_the_limit(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService, path
):
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with gateway_with(
        gateway_settings, limits_for({"scheduling": fake_scheduling.url}, body_seconds=0.05)
    ) as hasty:
        there = on(hasty, practice)
        reply = await there.call("POST", path, await there.sign_in(), content=stuck())
    assert (reply.status_code, reply.json()["code"]) == (408, "body-too-slow")
    assert fake_scheduling.heard == []


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


async def test_overload_is_refused_with_retry_after_and_staff_come_before_other_systems(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    release, working = asyncio.Event(), asyncio.Event()

    async def hold(heard: Heard):
        working.set()
        await release.wait()
        return json_answer(200, {})

    fake_scheduling.script = hold
    limits = limits_for({"scheduling": fake_scheduling.url}, running=1, waiting=1, waiting_seconds=30)
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        staff = await there.sign_in()
        client = await there.api_key(staff, "ehr_client")
        first = asyncio.create_task(there.call("GET", "/v1/patients?n=1", client))
        await working.wait()
        waiting_client = asyncio.create_task(there.call("GET", "/v1/patients?n=2", client))
        while not gateway.harness.app.state.upstreams["scheduling"].waiting:
            await asyncio.wait({waiting_client}, timeout=0.005)
        waiting_staff = asyncio.create_task(there.call("GET", "/v1/patients?n=3", staff))
        displaced = await waiting_client
        turned_away = await there.call("GET", "/v1/patients?n=4", client)
        release.set()
        served = await asyncio.gather(first, waiting_staff)
    for reply in (displaced, turned_away):
        assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
        assert 1 <= int(reply.headers["retry-after"]) <= 3
    assert [reply.status_code for reply in served] == [200, 200]
    assert [heard.path[-1] for heard in fake_scheduling.heard] == ["1", "3"]


async def test_whoever_waits_too_long_is_turned_away(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    release, working = asyncio.Event(), asyncio.Event()

    async def hold(heard: Heard):
        working.set()
        await release.wait()
        return json_answer(200, {})

    fake_scheduling.script = hold
    limits = limits_for({"scheduling": fake_scheduling.url}, running=1, waiting_seconds=0.02)
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in()
        first = asyncio.create_task(there.call("GET", "/v1/patients", token))
        await working.wait()
        late = await there.call("GET", "/v1/patients", token)
        release.set()
        assert (await first).status_code == 200
        assert (await there.call("GET", "/v1/patients", token)).status_code == 200
    assert (late.status_code, late.json()["code"]) == (503, "overloaded")


async def test_answers_tell_the_rate_and_over_it_there_is_429(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    limits = limits_for({"scheduling": fake_scheduling.url}, staff=Rate("staff", 1, 3))
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in()
        replies = [
            await there.call("GET", path, token)
            for path in ("/v1/patients", "/v1/practice", "/v1/patients", "/v1/patients")
        ]
        gateway.clock.advance(seconds=1)
        later = await there.call("GET", "/v1/patients", token)
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert replies[0].headers["ratelimit-policy"] == '"staff";q=3;w=3'
    assert [reply.headers["ratelimit"] for reply in replies[:3]] == [
        '"staff";r=2;t=1',
        '"staff";r=1;t=2',
        '"staff";r=0;t=3',
    ]
    assert (replies[3].json()["code"], replies[3].headers["retry-after"]) == ("too-many-requests", "1")
    assert later.status_code == 200


async def test_made_up_tokens_use_up_the_share_of_their_address_alone(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    limits = limits_for({"scheduling": fake_scheduling.url}, address=Rate("address", 1, 3))
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in()
        assert (await there.call("GET", "/v1/patients", token)).status_code == 200
        guesses = [(await there.call("GET", "/v1/patients", f"ps_{n}")).status_code for n in range(4)]
        known = await there.call("GET", "/v1/patients", token)
    assert guesses == [401, 401, 429, 429]
    assert known.status_code == 200


async def test_every_answer_carries_the_security_fields_and_opens_to_no_other_origin(
    practice: OpenedPractice, fake_scheduling: FakeService
):
    async def script(heard: Heard):
        fields = {
            "access-control-allow-origin": "*",
            "server": "inner",
            "set-cookie": "a=b",
            "connection": "x-inner",
            "x-inner": "1",
        }
        return 200, fields, b"{}"

    fake_scheduling.script = script
    token = await practice.sign_in()
    cross = {"origin": "https://elsewhere.example"}
    replies = [
        await practice.call("GET", path, token, headers=cross)
        for path in ("/v1/patients", "/v1/practice", "/v1/unheard-of")
    ]
    replies.append(await practice.call("GET", "/v1/patients", None, headers=cross))
    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert len(reply.headers["x-trace-id"]) == 32
        inner = {"access-control-allow-origin", "server", "set-cookie", "x-inner", "strict-transport-security"}
        assert not inner & set(reply.headers)


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


async def test_on_the_wire_an_answer_is_streamed_and_a_broken_one_is_seen_to_be_broken(
    gateway_settings: Settings, practice: OpenedPractice
):
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway_with(gateway_settings, limits_for({"scheduling": url})) as gateway:
        token = (await on(gateway, practice).sign_in()).encode()
        async with serving(gateway.harness.app) as port:
            raw = b"GET /v1/patients HTTP/1.1\r\nhost: praxis\r\nauthorization: Bearer " + token + b"\r\n\r\n"
            answer = await exchange(port, raw)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"first" in answer
    assert not answer.endswith(b"0\r\n\r\n")


async def test_a_manager_of_one_practice_is_told_to_services_as_of_that_practice(
    gateway_settings: Settings, gateway: GatewayUnderTest, fake_scheduling: FakeService
):
    practices = [await gateway.practice() for _ in range(2)]
    for practice in practices:
        await practice.call("GET", f"/v1/patients/{new_id()}", await practice.sign_in())
    told = [
        verifier(gateway_settings, "scheduling").verify(bearer(heard), gateway.clock.now())
        for heard in fake_scheduling.heard
    ]
    assert [principal.practice_id for principal in told] == [practice.id for practice in practices]
    assert {principal.roles for principal in told} == {(MANAGER,)}
