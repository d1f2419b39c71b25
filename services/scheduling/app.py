"""The scheduling service, wired."""

from fastapi import FastAPI

from praxis.kit.app import Service
from services.scheduling.appointments import api as appointments
from services.scheduling.appointments.domain import REFUSALS as APPOINTMENTS
from services.scheduling.patients import api as patients
from services.scheduling.patients.domain import REFUSALS as PATIENTS
from services.scheduling.resources import api as resources
from services.scheduling.resources.consumers import consumers
from services.scheduling.resources.domain import REFUSALS as RESOURCES
from services.scheduling.tasks import api as tasks
from services.scheduling.visits import api as visits
from services.scheduling.visits.domain import REFUSALS as VISITS

service = Service(
    name="scheduling",
    package="services.scheduling",
    routers=[resources.routes, patients.routes, appointments.booking, appointments.routes, visits.routes, tasks.routes],
    consumers=[consumers],
    refusals={**RESOURCES, **PATIENTS, **APPOINTMENTS, **VISITS},
)


def create() -> FastAPI:
    """Return the application (uvicorn factory)."""
    return service.build()
