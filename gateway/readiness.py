"""Readiness of the gateway: its own database and bus, and which services do not answer."""

from fastapi import Request, Response

from praxis.kit import health
from praxis.kit.health import HealthOut


async def ready(request: Request) -> Response:
    """Answer as every publisher does, and name the services that do not; the gateway still serves what the others answer."""
    response = Response(media_type="application/json")
    own = await health.ready(request, response)
    told = own if own.status == "unavailable" else _with_services(own, await request.app.state.services.unready())
    return Response(told.model_dump_json(), response.status_code, media_type="application/json")


def _with_services(own: HealthOut, unready: list[str]) -> HealthOut:
    missing = [*own.missing, *unready]
    return HealthOut(status="degraded" if missing else own.status, missing=missing)
