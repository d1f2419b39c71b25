"""Traces over HTTP."""

from uuid import UUID

from fastapi import Request

from gateway.trace import queries
from gateway.trace.schemas import TraceOut
from praxis.kit.http import SessionDep, policy, router

routes = router("trace")


@routes.get("/v1/trace/{appointment_id}", **policy("gateway.traces.get", "gateway.trace:read"))
async def get(appointment_id: UUID, request: Request, session: SessionDep) -> TraceOut:
    """Return what happened to an appointment (or a walk-in visit) in every service, and who did it."""
    session.touch("story", appointment_id)
    return await queries.trace(session, request.app.state.services, appointment_id)
