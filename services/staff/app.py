"""The staff service, wired."""

from fastapi import FastAPI

from praxis.kit.app import Service
from services.staff.credentials import api as credentials
from services.staff.people import api as people
from services.staff.people.domain import REFUSALS

service = Service(
    name="staff",
    package="services.staff",
    routers=[people.routes, credentials.routes],
    refusals=REFUSALS,
)


def create() -> FastAPI:
    """Return the application (uvicorn factory)."""
    return service.build()
