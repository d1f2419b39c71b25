"""What the gateway puts together from its services: traces, the merged description, readiness."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser

import asyncpg
import orjson
import pytest
import pytest_asyncio
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.settings import Rate
from praxis.kit import health
from praxis.kit.auth import TokenVerifier, load_public_keys
from praxis.kit.ids import new_id
from praxis.kit.settings import Settings
from tests.support.gateway import (
    MANAGER,
    FakeService,
    GatewayUnderTest,
    Heard,
    OpenedPractice,
    gateway_with,
    json_answer,
    limits_for,
)


def step(service: str, kind: str, at, event_at, actor_id=None) -> dict[str, object]:
    return {
        "kind": kind,
        "service": service,
        "event_id": str(new_id()),
        "subject": "praxis.scheduling.visit.completed.v1",
        "aggregate_id": str(new_id()),
        "at": at.isoformat(),
        "event_at": event_at.isoformat(),
        "actor": "inventory.usage.consumers.consume" if kind == "effect" else MANAGER,
        "actor_id": str(actor_id) if actor_id else None,
    }


def answering(path: str, status: int, answer: object):
    async def script(heard: Heard):
        return json_answer(status, answer) if heard.path == path else json_answer(404, {})

    return script


async def test_a_trace_is_put_in_order_named_and_says_who_is_missing(
    gateway_settings: Settings,
    gateway: GatewayUnderTest,
    practice: OpenedPractice,
    fake_scheduling: FakeService,
    fake_inventory: FakeService,
):
    token, story, now = await practice.sign_in(), new_id(), gateway.clock.now()
    manager = (await practice.call("GET", "/v1/sessions/current", token)).json()["id"]
    stranger = new_id()
    completed = [
        step("scheduling", "announced", now, now, manager),
        step("scheduling", "announced", now - timedelta(1), now, stranger),
    ]
    consumed = [step("inventory", "effect", now + timedelta(milliseconds=41), now)]
    fake_scheduling.script = answering(f"/internal/v1/stories/{story}", 200, {"steps": completed})
    fake_inventory.script = answering(f"/internal/v1/stories/{story}", 200, {"steps": consumed})
    reply = await practice.call("GET", f"/v1/trace/{story}", token)
    assert reply.status_code == 200
    shown = [(told["service"], told["kind"], told["actor_name"], told["lag_ms"]) for told in reply.json()["steps"]]
    assert shown == [
        ("scheduling", "announced", None, None),
        ("scheduling", "announced", "manager", None),
        ("inventory", "effect", None, 41),
    ]
    assert reply.json()["missing"] == ["staff", "billing"]
    verifier = TokenVerifier(load_public_keys(gateway_settings.public_keys, "token"), "scheduling")
    asked = verifier.verify((fake_scheduling.heard[0].header("authorization") or "").removeprefix("Bearer "), now)
    assert (asked.practice_id, str(asked.id)) == (practice.id, manager)


async def test_the_gateways_own_steps_are_in_the_trace(gateway: GatewayUnderTest, practice: OpenedPractice):
    reply = await practice.call("GET", f"/v1/trace/{practice.id}", await practice.sign_in())
    [opened] = reply.json()["steps"]
    assert (opened["service"], opened["subject"]) == ("gateway", "praxis.gateway.practice.opened.v1")
    assert set(reply.json()["missing"]) >= {"staff", "billing"}


@pytest.mark.parametrize("answer", [b"not json", b'{"steps": "none"}', b"[]"])
async def test_a_service_that_answers_nonsense_is_missing(
    practice: OpenedPractice, fake_scheduling: FakeService, answer
):
    async def script(heard: Heard):
        return 200, {}, answer

    fake_scheduling.script = script
    reply = await practice.call("GET", f"/v1/trace/{new_id()}", await practice.sign_in())
    assert reply.status_code == 200
    assert "scheduling" in reply.json()["missing"]


async def test_a_receptionist_sees_no_trace(practice: OpenedPractice):
    reply = await practice.call("GET", f"/v1/trace/{new_id()}", await practice.sign_in("desk"))
    assert (reply.status_code, reply.json()["permission"]) == (403, "gateway.trace:read")


DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/v1/patients": {
            "get": {
                "operationId": "scheduling.patients.list",
                "tags": ["<b>patients"],
                "description": "List <patients>.",
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/UserOut"}}}}
                },
            }
        },
        "/internal/v1/stories/{story_id}": {"get": {"operationId": "internal.stories.get", "responses": {}}},
    },
    "components": {"schemas": {"UserOut": {"type": "object", "properties": {"chart": {"type": "string"}}}}},
}


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(
    gateway_settings: Settings, fake_scheduling: FakeService, fake_inventory: FakeService
) -> AsyncIterator[GatewayUnderTest]:
    """A gateway that has kept nothing yet."""
    urls = {"scheduling": fake_scheduling.url, "inventory": fake_inventory.url}
    async with gateway_with(gateway_settings, limits_for(urls)) as gateway:
        yield gateway


async def test_the_description_is_merged_without_internal_paths(fresh: GatewayUnderTest, fake_scheduling: FakeService):
    fake_scheduling.script = answering("/internal/openapi.json", 200, DOCUMENT)
    reply = await fresh.harness.client.get("/v1/openapi.json")
    merged = reply.json()
    assert (reply.status_code, merged["openapi"]) == (200, "3.1.0")
    assert {"/v1/patients", "/v1/sessions", "/v1/trace/{appointment_id}"} <= set(merged["paths"])
    assert not [path for path in merged["paths"] if path.startswith("/internal")]
    assert merged["x-praxis-missing"] == ["inventory", "staff", "billing"]
    answer = merged["paths"]["/v1/patients"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/SchedulingUserOut"}
    assert "login" in merged["components"]["schemas"]["GatewayUserOut"]["properties"]
    assert merged["security"] == [{"bearer": []}]
    assert merged["paths"]["/v1/sessions"]["post"]["security"] == []
    ids = [operation["operationId"] for item in merged["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert not [name for name in _references(merged) if name not in merged["components"]["schemas"]]


async def test_the_description_is_asked_for_once_and_kept_for_some_seconds(
    fresh: GatewayUnderTest, fake_scheduling: FakeService
):
    client = fresh.harness.client
    first = await asyncio.gather(*(client.get(path) for path in ("/v1/openapi.json", "/docs", "/v1/openapi.json")))
    fresh.clock.advance(seconds=4)
    first.append(await client.get("/docs"))
    assert {reply.status_code for reply in first} == {200}
    assert len(fake_scheduling.heard) == 1
    fresh.clock.advance(seconds=1)
    await client.get("/docs")
    assert len(fake_scheduling.heard) == 2


async def test_the_page_of_operations_tells_the_fields_of_a_body(fresh: GatewayUnderTest):
    page = (await fresh.harness.client.get("/docs")).text
    assert "<li><code>valid_days</code> integer: at least 1; at most 366; default 180</li>" in page


async def test_the_page_of_operations_is_escaped_and_runs_and_loads_nothing(
    fresh: GatewayUnderTest, fake_scheduling: FakeService
):
    fake_scheduling.script = answering("/internal/openapi.json", 200, DOCUMENT)
    reply = await fresh.harness.client.get("/docs")
    assert reply.status_code == 200
    assert "style-src 'sha256-" in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    tags = _Tags()
    tags.feed(reply.text)
    assert not tags.seen & {"script", "link", "img", "iframe", "form"}
    assert "&lt;b&gt;patients" in reply.text
    assert "&lt;patients&gt;" in reply.text
    assert "/v1/staff-members" not in reply.text
    assert "staff, billing" in reply.text


async def test_readiness_names_the_services_that_do_not_answer(
    fresh: GatewayUnderTest, fake_scheduling: FakeService, fake_inventory: FakeService
):
    client = fresh.harness.client
    fake_scheduling.script = answering("/readyz", 200, {"status": "degraded", "missing": ["bus"]})
    fake_inventory.script = answering("/readyz", 503, {"status": "unavailable"})
    reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()["status"]) == (200, "degraded")
    assert reply.json()["missing"] == ["bus", "inventory", "staff", "billing"]


async def test_readiness_is_looked_up_once_a_second(fresh: GatewayUnderTest, fake_scheduling: FakeService):
    client = fresh.harness.client
    await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
    await client.get("/readyz")
    assert len(fake_scheduling.heard) == 1
    fresh.clock.advance(seconds=1)
    await client.get("/readyz")
    assert len(fake_scheduling.heard) == 2


async def test_readiness_takes_the_share_of_its_address(gateway_settings: Settings):
    async with gateway_with(gateway_settings, limits_for({}, address=Rate("address", 1, 2))) as gateway:
        replies = [await gateway.harness.client.get("/readyz") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].json()["code"] == "too-many-requests"


@pytest.mark.parametrize("failure", [PoolTimeout(), asyncpg.TooManyConnectionsError("full"), TimeoutError()])
async def test_a_pool_without_a_free_connection_is_unavailable(fresh: GatewayUnderTest, monkeypatch, failure):
    async def fails(request, response):
        raise failure

    monkeypatch.setattr(health, "ready", fails)
    reply = await fresh.harness.client.get("/readyz")
    assert (reply.status_code, reply.json()) == (503, {"status": "unavailable", "missing": ["database"]})


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)


def _references(document: object) -> set[str]:
    found = orjson.dumps(document).decode().split('"#/components/schemas/')[1:]
    return {rest.split('"', 1)[0] for rest in found}
