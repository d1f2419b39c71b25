"""What the gateway puts together from its services: traces, the merged description, readiness."""

from datetime import timedelta
from html.parser import HTMLParser

import orjson
import pytest

from praxis.kit.auth import TokenVerifier, load_public_keys
from praxis.kit.ids import new_id
from praxis.kit.settings import Settings
from tests.support.gateway import MANAGER, FakeService, GatewayUnderTest, Heard, OpenedPractice, json_answer


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


async def test_the_description_is_merged_without_internal_paths(
    practice: OpenedPractice, fake_scheduling: FakeService, fake_inventory: FakeService
):
    fake_scheduling.script = answering("/internal/openapi.json", 200, DOCUMENT)
    reply = await practice.client.get("/v1/openapi.json")
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


async def test_the_page_of_operations_is_escaped_and_runs_and_loads_nothing(
    practice: OpenedPractice, fake_scheduling: FakeService
):
    fake_scheduling.script = answering("/internal/openapi.json", 200, DOCUMENT)
    reply = await practice.client.get("/docs")
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
    gateway: GatewayUnderTest, fake_scheduling: FakeService, fake_inventory: FakeService
):
    client = gateway.harness.client
    fake_scheduling.script = answering("/readyz", 200, {"status": "degraded", "missing": ["bus"]})
    fake_inventory.script = answering("/readyz", 503, {"status": "unavailable"})
    reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()["status"]) == (200, "degraded")
    assert reply.json()["missing"] == ["bus", "inventory", "staff", "billing"]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)


def _references(document: object) -> set[str]:
    found = orjson.dumps(document).decode().split('"#/components/schemas/')[1:]
    return {rest.split('"', 1)[0] for rest in found}
