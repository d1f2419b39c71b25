"""A census of every route of every application: each has a rule or is one of the few that anybody may call."""

import subprocess
import sys
from collections.abc import Iterator
from subprocess import PIPE

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route

from praxis.kit.http import EdgeRoute
from praxis.kit.permissions import PERMISSIONS
from praxis.runtime.tooling.routes import places, routes_of
from praxis.runtime.tooling.tree import ROOT, Application, applications

EVERYWHERE = {
    "/healthz": "an orchestrator asks it whether the process lives",
    "/readyz": "an orchestrator asks it whether requests can be served",
    "/metrics": "Prometheus reads it; no data of a practice is in it",
    "/internal/openapi.json": "the gateway merges it; it holds no data",
}
AT_THE_GATEWAY = {
    "/v1/sessions": "nobody has signed in before signing in",
    "/v1/openapi.json": "integrators read what there is before they have a key",
    "/docs": "the same as a page",
}


@pytest.fixture(scope="module")
def built() -> Iterator[list[Application]]:
    with applications() as found:
        yield found


def open_routes(application: Application) -> dict[str, str]:
    return EVERYWHERE | (AT_THE_GATEWAY if application.publisher == "gateway" else {})


def uncovered(app: FastAPI, allowed: dict[str, str]) -> list[str]:
    """Return the paths that neither have a rule with a known permission nor are allowed to be open."""
    return [path_of(route) for route in routes_of(app) if not _is_covered(route, allowed)]


def _is_covered(route: BaseRoute, allowed: dict[str, str]) -> bool:
    if isinstance(route, EdgeRoute):
        return route.rule.permission in PERMISSIONS
    return path_of(route) in allowed


def path_of(route: BaseRoute) -> str:
    return route.path if isinstance(route, Route) else type(route).__name__


def edge_routes(built: list[Application]) -> list[tuple[Application, EdgeRoute]]:
    return [(a, route) for a in built for route in routes_of(a.app) if isinstance(route, EdgeRoute)]


def test_every_route_has_a_rule_or_is_named_as_open(built: list[Application]):
    assert {a.publisher: uncovered(a.app, open_routes(a)) for a in built} == {a.publisher: [] for a in built}


def test_every_open_route_is_there(built: list[Application]):
    for application in built:
        paths = {path_of(route) for route in routes_of(application.app)}
        assert set(open_routes(application)) <= paths, application.publisher


def test_every_operation_starts_with_its_publisher(built: list[Application]):
    named = [(a.publisher, route.rule.operation) for a, route in edge_routes(built)]
    assert [pair for pair in named if pair[1].split(".")[0] not in (pair[0], "internal")] == []


def test_every_permission_opens_some_route(built: list[Application]):
    used = {route.rule.permission for _, route in edge_routes(built)}
    assert sorted(set(PERMISSIONS) - used) == []


def test_every_route_can_be_found_in_the_tree():
    assert [place for place in places() if not (ROOT / place.file).is_file() or place.line < 1] == []


def test_a_reader_who_stops_early_ends_the_printing_quietly():
    printing = "from praxis.runtime.tooling.printing import print_lines; print_lines('x' * 99 for _ in range(9999))"
    process = subprocess.Popen([sys.executable, "-c", printing], cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True)
    with process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_route_around_the_edge_is_caught():
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    routes = APIRouter()
    routes.add_api_route("/v1/loophole", lambda: None)
    app.include_router(routes)
    assert uncovered(app, EVERYWHERE) == ["/v1/loophole"]
