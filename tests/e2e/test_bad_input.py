"""What people and programs send by mistake or by intent: a problem with a code, nothing changed, nothing revealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway.identity.commands import add_user
from gateway.identity.schemas import AddUser
from gateway.practices.commands import open_practice
from gateway.practices.schemas import OpenPractice
from praxis.kit.auth import system_principal
from praxis.kit.ids import new_id
from praxis.kit.permissions import BILLER, LEAD, MANAGER, PROVIDER, RECEPTION
from praxis.kit.unit_of_work import Cause, Session
from praxis.runtime.demo.api import Api
from praxis.runtime.demo.keys import DemoKeys
from praxis.runtime.demo.seed import House
from praxis.runtime.demo.visit import Walked
from praxis.runtime.operator import parts_of
from tests.support.stack import RunningStack, operations

LEAKS = ("Traceback", "asyncpg", "sqlalchemy", "select ", "insert into", "pydantic", ".py")
PATIENT = {"family_name": "Wrongly", "given_name": "Sent", "birth_on": "1999-09-09", "sex": "unknown"}
PASSWORD = "marble-lantern-7731"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Caller:
    """Raw HTTP in one role, so that anything can be sent."""

    client: httpx.Client

    def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return self.client.request(method, path, **sent)

    def patients(self) -> int:
        return len(self.client.post("/v1/patients/search", json={"family_prefix": "Wrongly"}).json()["items"])


@pytest.fixture(scope="module")
def desk(stack: RunningStack) -> Iterator[Caller]:
    """Return the receptionist, over raw HTTP."""
    headers = {"authorization": f"Bearer {stack.token(RECEPTION)}"}
    with httpx.Client(base_url=stack.url, headers=headers, trust_env=False) as client:
        yield Caller(client)


def assert_refused(answer: httpx.Response, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["code"] == (code or document["code"])
    assert document["trace_id"]
    assert [leak for leak in LEAKS if leak in answer.text] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"{", 400, id="half"),
        pytest.param(b"", 422, id="nothing"),
        pytest.param(b"\xff\xfe", 400, id="no UTF-8"),
        pytest.param(b"[" * 50_000, 400, id="deep"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b"null", 422, id="null"),
        pytest.param(b'"text"', 422, id="text"),
    ],
)
def test_a_body_that_is_no_object_is_refused(desk: Caller, content: bytes, status: int):
    answer = desk.send("POST", "/v1/patients", content=content, headers={"content-type": "application/json"})
    assert_refused(answer, status)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"birth_on": 7}, "/birth_on"),
        ({"birth_on": "2999-01-01"}, "/birth_on"),
        ({"birth_on": "1999-02-30"}, "/birth_on"),
        ({"sex": "none"}, "/sex"),
        ({"family_name": ["Wrongly"]}, "/family_name"),
        ({"family_name": ""}, "/family_name"),
        ({"family_name": "W" * 100_000}, "/family_name"),
        ({"phone": "call me"}, "/phone"),
        ({"address": {"line1": "x"}}, "/address/city"),
        ({"practice_id": UNKNOWN}, "/practice_id"),
        ({"id": UNKNOWN}, "/id"),
        ({"revision": 7}, "/revision"),
    ],
    ids=str,
)
def test_a_wrong_or_unknown_field_is_named(desk: Caller, change: dict[str, Any], pointer: str):
    answer = desk.send("POST", "/v1/patients", json=PATIENT | change)
    assert_refused(answer, 422)
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert desk.patients() == 0


def test_a_character_that_no_database_keeps_is_refused(desk: Caller):
    for text in ("Wrongly\x00", "\x00"):
        assert_refused(desk.send("POST", "/v1/patients", json=PATIENT | {"family_name": text}), 422)
    assert desk.patients() == 0


def test_a_body_of_another_type_is_refused(desk: Caller):
    answer = desk.send("POST", "/v1/patients", content=b"<a/>", headers={"content-type": "application/xml"})
    assert answer.status_code in (415, 422)
    assert_refused(answer, answer.status_code)


def test_a_body_past_the_limit_is_refused(desk: Caller):
    answer = desk.send("POST", "/v1/patients", json=PATIENT | {"family_name": "W" * 2_000_000})
    assert_refused(answer, 413)


@pytest.mark.parametrize("id", ["1", "null", "../../etc", "%00", "a" * 3000, UNKNOWN + "'--"])
def test_an_id_that_is_none_is_refused(desk: Caller, id: str):
    answer = desk.send("GET", f"/v1/patients/{id}")
    assert answer.status_code in (400, 404, 422), answer.text
    assert_refused(answer, answer.status_code)


@pytest.mark.parametrize(
    "change",
    [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "zzz"}, {"family_prefix": "\x00"}, {"mrn": ""}],
    ids=str,
)
def test_a_wrong_search_is_refused(desk: Caller, change: dict[str, Any]):
    answer = desk.send("POST", "/v1/patients/search", json={"birth_on": "1999-09-09"} | change)
    assert answer.status_code in (400, 422), answer.text
    assert_refused(answer, answer.status_code)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=zzz", "patient_id=%00", "on=today"])
def test_a_wrong_query_is_refused(desk: Caller, query: str):
    answer = desk.send("GET", f"/v1/appointments?location_id={UNKNOWN}&{query}")
    assert answer.status_code in (400, 422), answer.text
    assert_refused(answer, answer.status_code)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic ZGVzazpkZXNr", "Bearer a.b.c", "Bearer " + "x" * 4000],
)
def test_a_bad_token_opens_nothing(stack: RunningStack, header: str):
    answer = httpx.get(f"{stack.url}/v1/rooms", headers={"authorization": header}, trust_env=False)
    assert answer.status_code in (400, 401), answer.text
    assert_refused(answer, answer.status_code)


def test_identity_headers_of_the_caller_count_for_nothing(stack: RunningStack, desk: Caller):
    forged = {"x-praxis-practice": UNKNOWN, "x-praxis-roles": MANAGER, "x-forwarded-user": "manager"}
    assert_refused(httpx.get(f"{stack.url}/v1/rooms", headers=forged, trust_env=False), 401)
    assert_refused(desk.send("POST", "/v1/staff-members", json={}, headers=forged), 403)


def test_a_wrong_password_says_no_more_than_that(stack: RunningStack):
    login = stack.keys.logins[BILLER]["login"]
    answers = [
        httpx.post(f"{stack.url}/v1/sessions", json={"practice": practice, "login": who, "password": "wrong-wrong"})
        for practice, who in (("demo", login), ("demo", "nobody-here"), ("no-such-practice", login))
    ]
    for answer in answers:
        assert_refused(answer, 401)
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_a_role_without_the_permission_is_told_which_would_do(desk: Caller):
    answer = desk.send("GET", "/v1/ledger/trial-balance")
    assert_refused(answer, 403, "forbidden")
    assert answer.json()["sufficient_roles"] == sorted([MANAGER, BILLER])


def test_a_stale_revision_changes_nothing(desk: Caller, first: Walked):
    at = f"/v1/patients/{first.visit['patient_id']}"
    before = desk.send("GET", at).json()
    names = ("mrn", "status", "family_name", "given_name", "birth_on", "sex", "phone", "email", "address")
    body = {name: before[name] for name in names} | {"given_name": "Changed"}
    assert_refused(desk.send("PUT", at, json=body), 428, "if-match-required")
    stale = desk.send("PUT", at, json=body, headers={"if-match": f'"{before["revision"] + 1}"'})
    assert_refused(stale, 412, "stale-revision")
    assert stale.json()["current_revision"] == before["revision"]
    assert_refused(desk.send("PUT", at, json=body, headers={"if-match": "newest"}), 400)
    assert desk.send("GET", at).json() == before


def test_a_key_makes_one_thing_however_often_it_is_sent(desk: Caller):
    key = {"idempotency-key": str(new_id())}
    body = PATIENT | {"family_name": "Onceonly", "confirm_new": True}
    answers = [desk.send("POST", "/v1/patients", json=body, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert_refused(desk.send("POST", "/v1/patients", json=body | {"given_name": "Else"}, headers=key), 422)


def test_money_needs_a_key(api: Api, stack: RunningStack, first: Walked):
    at = f"{stack.url}/v1/charge-sheets/{first.sheet['id']}/sign"
    headers = {"authorization": f"Bearer {stack.token(PROVIDER)}"}
    assert_refused(httpx.post(at, json={}, headers=headers), 400)
    again = httpx.post(at, json={}, headers={**headers, "idempotency-key": str(new_id())})
    assert_refused(again, 409, "transition-refused")


@pytest.fixture(scope="module")
async def neighbour(stack: RunningStack) -> DemoKeys:
    """Open a second practice with a manager, a lead and a receptionist."""
    practice_id = new_id()
    logins = {role: {"login": f"next-{role}", "password": PASSWORD} for role in (MANAGER, LEAD, RECEPTION)}

    async def work(session: Session) -> None:
        await open_practice(session, OpenPractice(code="neighbour", time_zone="America/Chicago"))
        for role, known in logins.items():
            await add_user(session, AddUser(login=known["login"], password=known["password"], roles=[role]))

    async with parts_of(stack.state, "gateway") as parts:
        await parts.unit_of_work.run(Cause(system_principal(practice_id, "test"), "test.open"), work)
    return DemoKeys(str(practice_id), "neighbour", logins, {})


def test_what_another_practice_has_is_unknown(stack: RunningStack, neighbour: DemoKeys, demo: House, first: Walked):
    things = [
        (MANAGER, f"/v1/patients/{first.visit['patient_id']}"),
        (MANAGER, f"/v1/appointments/{first.appointment['id']}"),
        (LEAD, f"/v1/visits/{first.visit['id']}"),
        (LEAD, f"/v1/tasks/{first.visit['tasks'][0]['id']}"),
        (LEAD, f"/v1/locations/{demo.location_id}"),
        (LEAD, f"/v1/items/{demo.items['PAPER']}"),
        (LEAD, f"/v1/usages/{first.usage['id']}"),
        (MANAGER, f"/v1/staff-members/{demo.staff[PROVIDER]}"),
        (MANAGER, f"/v1/charge-sheets/{first.sheet['id']}"),
        (MANAGER, f"/v1/claims/{first.claim['id']}"),
        (MANAGER, f"/v1/claims/{first.claim['id']}/x12"),
        (MANAGER, f"/v1/trace/{first.appointment['id']}"),
    ]
    with Api(stack.url, neighbour) as api:
        assert [path for role, path in things if api.find(role, path) is not None] == []
        assert list(api.every(MANAGER, "/v1/rooms")) == []
        assert list(api.every(MANAGER, "/v1/ledger/entries")) == []
        assert list(api.every(MANAGER, "/v1/usages", visit_id=first.visit["id"])) == []


def test_an_unknown_id_and_that_of_another_practice_are_refused_alike(
    stack: RunningStack, neighbour: DemoKeys, first: Walked
):
    answers = []
    with Api(stack.url, neighbour), httpx.Client(base_url=stack.url, trust_env=False) as client:
        asker = {"practice": "neighbour", **neighbour.logins[LEAD]}
        token = client.post("/v1/sessions", json=asker).json()["token"]
        for visit_id in (first.visit["id"], UNKNOWN):
            answer = client.post(f"/v1/visits/{visit_id}/complete", headers={"authorization": f"Bearer {token}"})
            assert_refused(answer, 404, "visit-unknown")
            answers.append({name: value for name, value in answer.json().items() if name != "trace_id"})
    assert answers[0] == answers[1]


def test_every_route_of_every_service_answers_only_through_the_gateway(stack: RunningStack):
    asked = 0
    for url in stack.service_urls.values():
        with httpx.Client(base_url=url, trust_env=False) as client:
            for method, path, _ in operations(client.get("/internal/openapi.json").json()):
                target = path.replace("{", "").replace("}", "")
                for headers in ({}, {"authorization": f"Bearer {stack.keys.clients['demo-ehr']}"}):
                    assert_refused(client.request(method, target, headers=headers), 401)
                    asked += 1
    assert asked > 100


def test_every_route_of_the_gateway_but_the_public_ones_needs_a_caller(stack: RunningStack):
    with httpx.Client(base_url=stack.url, trust_env=False) as client:
        found = [*operations(client.get("/v1/openapi.json").json())]
        public = {op["operationId"] for _, _, op in found if op["x-praxis-permission"] == "public"}
        assert public == {"gateway.sessions.start", "gateway.documents.get"}
        for method, path, operation in found:
            if operation["operationId"] not in public:
                assert_refused(client.request(method, path.replace("{", "").replace("}", "")), 401)
