"""Probes made from the route table: every route without a token, in every role, and with every id of another practice."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from praxis.kit.http import EdgeRoute
from praxis.kit.ids import new_id
from praxis.kit.permissions import CLIENT_ROLES, PERMISSIONS, STAFF_ROLES, allow
from praxis.kit.settings import SERVICES
from praxis.kit.testing import Harness, PracticeUnderTest
from praxis.runtime.tooling.routes import routes_of
from tests.support.billing import ready_desk
from tests.support.inventory import open_shelf
from tests.support.scheduling import new_clinic

ROLES = sorted(STAFF_ROLES | CLIENT_ROLES)
PERSON = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}
CREDENTIAL = {"kind": "cma", "issuer": "Board", "number": "N-1", "valid_from": "2026-01-01"}


@dataclass
class Probed:
    """A service and every method of every route that has a rule."""

    harness: Harness
    routes: list[tuple[str, EdgeRoute]]


@pytest.fixture(params=SERVICES)
def probed(request: pytest.FixtureRequest) -> Probed:
    harness: Harness = request.getfixturevalue(request.param)
    found = [route for route in routes_of(harness.app) if isinstance(route, EdgeRoute)]
    return Probed(harness, [(method, route) for route in found for method in sorted(route.methods or ())])


async def probe(practice: PracticeUnderTest, method: str, path: str, role: str | None) -> tuple[int, dict[str, Any]]:
    """Send the request with an empty body and what the edge asks of every caller."""
    body = None if method == "GET" else {}
    key = str(new_id()) if method == "POST" else None
    reply = await practice.request(method, path, body, role=role, key=key, headers={"if-match": '"1"'})
    content = reply.json() if "json" in reply.headers["content-type"] else {"text": reply.text}
    return reply.status_code, {name: value for name, value in content.items() if name != "trace_id"}


def filled(route: EdgeRoute, value: object) -> str:
    """Return the route's path with every id replaced by `value`."""
    path = route.path
    for name in route.param_convertors:
        path = path.replace("{" + name + "}", str(value))
    return path


async def test_without_a_token_every_route_answers_401(probed: Probed):
    practice = await probed.harness.practice()
    for method, route in probed.routes:
        status, _ = await probe(practice, method, filled(route, new_id()), None)
        assert status == 401, f"{method} {route.path}"


async def test_in_every_role_that_its_permission_lacks_every_route_answers_403_and_no_other(probed: Probed):
    practice = await probed.harness.practice()
    for method, route in probed.routes:
        for role in ROLES:
            status, problem = await probe(practice, method, filled(route, new_id()), role)
            refused = not allow((role,), route.rule.permission).allowed
            assert (status == 403) == refused, f"{method} {route.path} as {role}: {status}"
            assert status < 500, f"{method} {route.path} as {role}: {problem}"


async def populated(harness: Harness) -> PracticeUnderTest:
    """Return a practice of the service in which something of every kind has happened."""
    if harness.settings.service == "scheduling":
        clinic = await new_clinic(harness)
        await clinic.completed()
        return clinic.practice
    if harness.settings.service == "inventory":
        shelf = await open_shelf(await harness.practice())
        item = await shelf.item()
        await shelf.receive(item, 5)
        await shelf.issue(item)
        await shelf.kit((item, 1))
        return shelf.practice
    if harness.settings.service == "billing":
        desk = await ready_desk(harness)
        await desk.signed(await desk.opened())
        return desk.practice
    practice = await harness.practice()
    person = (await practice.post("/v1/staff-members", PERSON)).json()
    await practice.post("/v1/credentials", {**CREDENTIAL, "staff_member_id": person["id"]})
    return practice


async def ids_of(practice: PracticeUnderTest) -> set[str]:
    """Return the id of every row that the practice's app role can see."""
    tables = await practice.sql(
        "select c.relname::text as table_name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'id' "
        "where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')"
    )
    found: set[str] = set()
    for table in tables:
        found |= {str(row["id"]) for row in await practice.sql(f"select id from {table['table_name']} limit 20")}
    return found


async def test_an_id_of_another_practice_is_answered_like_one_that_nobody_has(probed: Probed):
    there, here = await populated(probed.harness), await probed.harness.practice()
    foreign = await ids_of(there)
    assert len(foreign) >= 2
    answers: Counter[int] = Counter()
    for method, route in probed.routes:
        if not route.param_convertors or route.path.startswith("/internal/"):
            continue
        role = sorted(PERMISSIONS[route.rule.permission])[0]
        unknown = await probe(here, method, filled(route, new_id()), role)
        for value in foreign:
            found = await probe(here, method, filled(route, value), role)
            assert found == unknown, f"{method} {route.path}"
            answers[found[0]] += 1
    assert answers[404] > 0
    assert set(answers) <= {404, 422}


async def test_lists_of_one_practice_never_hold_an_id_of_another(probed: Probed):
    there, here = await populated(probed.harness), await populated(probed.harness)
    foreign = await ids_of(there) - await ids_of(here)
    for method, route in probed.routes:
        if method != "GET" or route.param_convertors:
            continue
        role = sorted(PERMISSIONS[route.rule.permission])[0]
        for query in ("", "?on=2027-02-01", "?family_prefix=a", "?birth_on=1980-01-01"):
            reply = await here.get(route.path + query, role=role)
            assert reply.status_code < 500
            assert not [value for value in foreign if value in reply.text], f"{route.path}{query}"
