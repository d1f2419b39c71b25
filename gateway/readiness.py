"""What the gateway tells orchestrators and the operator's Prometheus about itself."""

import asyncpg
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from gateway.addresses import is_local
from praxis.kit import health
from praxis.kit.health import HealthOut
from praxis.kit.http import failure_response, problem_response
from praxis.kit.problems import NotFound, Problem


async def ready(request: Request) -> Response:
    """Answer as every publisher does, and name the services that do not; the gateway still serves what the others answer."""
    try:
        request.app.state.doorkeeper.admit_anybody(request.scope)
    except Problem as refusal:
        return failure_response(refusal)
    told: HealthOut = await request.app.state.health.get()
    return Response(told.model_dump_json(), 503 if told.status == "unavailable" else 200, media_type="application/json")


async def metrics(request: Request) -> Response:
    """Answer programs of this machine; whoever else asks learns nothing unless the settings open it."""
    if request.app.state.metrics_open or is_local(request.scope):
        return await health.metrics()
    return problem_response(NotFound())


async def whole_health(app: FastAPI) -> HealthOut:
    """Ask the gateway's own database and bus, then every service. A pool without a free connection is unavailable too."""
    try:
        own = await health.ready(Request({"type": "http", "app": app}), Response())
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        own = HealthOut(status="unavailable", missing=["database"])
    return own if own.status == "unavailable" else _with_services(own, await app.state.services.unready())


def _with_services(own: HealthOut, unready: list[str]) -> HealthOut:
    missing = [*own.missing, *unready]
    return HealthOut(status="degraded" if missing else own.status, missing=missing)
