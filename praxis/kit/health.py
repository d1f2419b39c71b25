"""What a process says about itself: alive, ready or degraded (and what is missing), and its metrics. No data, no secrets."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from praxis.kit.observe import metrics_response

routes = APIRouter(include_in_schema=False)


class HealthOut(BaseModel):
    """`status` is `live`, `ready`, `degraded` or `unavailable`; `missing` names the parts that do not answer."""

    status: str
    missing: list[str] = []


@routes.get("/healthz")
async def live() -> HealthOut:
    """Answer as long as the process runs."""
    return HealthOut(status="live")


@routes.get("/readyz")
async def ready(request: Request, response: Response) -> HealthOut:
    """Tell whether requests can be served: without the bus they can (degraded), without the database they cannot (503)."""
    parts = request.app.state.parts
    try:
        async with parts.database.app.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        response.status_code = 503
        return HealthOut(status="unavailable", missing=["database"])
    missing = ([] if parts.bus.is_connected else ["bus"]) + parts.ended_duties
    return HealthOut(status="degraded" if missing else "ready", missing=missing)


@routes.get("/metrics")
async def metrics() -> Response:
    """Return the Prometheus text format."""
    return Response(metrics_response(), media_type="text/plain; version=0.0.4")
