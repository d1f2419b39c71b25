"""Passing on: what a service sees, what comes back, and what never gets through."""

from uuid import UUID

import orjson
import pytest

from praxis.kit.auth import TokenVerifier, load_public_keys
from praxis.kit.ids import new_id
from praxis.kit.problems import Unauthenticated
from praxis.kit.settings import Settings
from tests.support.gateway import (
    MANAGER,
    FakeService,
    GatewayUnderTest,
    Heard,
    OpenedPractice,
    json_answer,
)


def verifier(settings: Settings, audience: str) -> TokenVerifier:
    return TokenVerifier(load_public_keys(settings.public_keys, "token"), audience)


def bearer(heard: Heard) -> str:
    return (heard.header("authorization") or "").removeprefix("Bearer ")


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
