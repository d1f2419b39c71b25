"""The staff service, wired."""

from fastapi import FastAPI

from praxis.kit.app import Service
from services.staff.credentials import api as credentials
from services.staff.credentials.domain import REFUSALS as CREDENTIAL_REFUSALS
from services.staff.people import api as people
from services.staff.people.domain import REFUSALS as PEOPLE_REFUSALS

service = Service(
    name="staff",
    package="services.staff",
    routers=[people.routes, credentials.routes],
    refusals={**PEOPLE_REFUSALS, **CREDENTIAL_REFUSALS},
)


def create() -> FastAPI:
    """Return the application (uvicorn factory)."""
    return service.build()
