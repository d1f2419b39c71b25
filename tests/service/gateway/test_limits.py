"""Limits: how large, how slow, how many at once, how often."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway import doorkeeper
from gateway.settings import Rate, networks
from praxis.kit.settings import LIMITS, Settings
from tests.support.gateway import (
    FakeService,
    Heard,
    OpenedPractice,
    gateway_with,
    json_answer,
    limits_for,
    on,
)


@pytest.mark.parametrize("path", ["/v1/patients", "/v1/users"])
async def test_a_body_past_the_limit_is_refused_before_a_service_hears_of_it(
    practice: OpenedPractice, fake_scheduling: FakeService, path
):
    pieces = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b"x" * 65_536

    token = await practice.sign_in()
    announced = await practice.call("POST", path, token, content=b"x" * (LIMITS.body_bytes + 1))
    unannounced = await practice.call("POST", path, token, content=endless())
    for reply in (announced, unannounced):
        assert (reply.status_code, reply.json()["code"]) == (413, "body-too-large")
        assert reply.headers["connection"] == "close"
    assert pieces <= LIMITS.body_bytes / 65_536 + 2
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
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService, monkeypatch
):
    looked_up: list[str] = []

    async def counted(database, token, now):
        looked_up.append(token)
        return await genuine(database, token, now)

    genuine = doorkeeper.principal_of
    monkeypatch.setattr(doorkeeper, "principal_of", counted)
    limits = limits_for({"scheduling": fake_scheduling.url}, address=Rate("address", 1, 3))
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in()
        assert (await there.call("GET", "/v1/patients", token)).status_code == 200
        guesses = [(await there.call("GET", "/v1/patients", f"ps_{n}")).status_code for n in range(4)]
        known = await there.call("GET", "/v1/patients", token)
    assert guesses == [401, 401, 429, 429]
    assert known.status_code == 200
    assert looked_up == [token, "ps_0", "ps_1"]


async def test_signing_in_has_a_rate_of_its_own_for_each_address(
    gateway_settings: Settings, practice: OpenedPractice, fake_scheduling: FakeService
):
    limits = limits_for({"scheduling": fake_scheduling.url}, sign_in=Rate("sign-in", 1, 2))
    async with gateway_with(gateway_settings, limits) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in()
        replies = [await there.try_sign_in(f"nobody-{n}") for n in range(2)]
        known = await there.call("GET", "/v1/patients", token)
        gateway.clock.advance(seconds=1)
        later = await there.try_sign_in("nobody-3")
    assert [reply.status_code for reply in replies] == [401, 429]
    assert (replies[1].json()["code"], replies[1].headers["retry-after"]) == ("too-many-requests", "1")
    assert (known.status_code, later.status_code) == (200, 401)


@pytest.mark.parametrize(("trusted", "expected"), [("", [401, 429]), ("127.0.0.0/8", [401, 401])])
async def test_behind_a_trusted_proxy_each_address_has_its_own_share(
    gateway_settings: Settings, practice: OpenedPractice, trusted, expected
):
    limits = limits_for({}, sign_in=Rate("sign-in", 1, 1), trusted_proxies=networks(trusted))
    async with gateway_with(gateway_settings, limits) as gateway:
        body = {"practice": practice.code, "login": "nobody-here", "password": "wrong-password-here"}
        fields = [{"x-forwarded-for": f"203.0.113.9, 198.51.100.{n}"} for n in range(2)]
        replies = [await gateway.harness.client.post("/v1/sessions", json=body, headers=field) for field in fields]
    assert [reply.status_code for reply in replies] == expected


@pytest.mark.parametrize(
    ("peer", "changed", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("192.0.2.1", {"metrics_open": True}, 200),
        ("127.0.0.1", {"trusted_proxies": networks("127.0.0.1")}, 404),
    ],
)
async def test_metrics_are_told_to_this_machine_unless_they_are_opened(
    gateway_settings: Settings, peer, changed, status
):
    async with gateway_with(gateway_settings, limits_for({}, **changed)) as gateway:
        transport = httpx.ASGITransport(gateway.harness.app, client=(peer, 4711))
        headers = {"x-forwarded-for": "198.51.100.7"} if "trusted_proxies" in changed else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://praxis") as client:
            reply = await client.get("/metrics", headers=headers)
    assert (reply.status_code, b"praxis_" in reply.content) == (status, status == 200)
