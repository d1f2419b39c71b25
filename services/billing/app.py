"""The billing service, wired."""

from fastapi import FastAPI

from praxis.kit.app import Service
from services.billing.charges import api as charges
from services.billing.charges import consumers as charges_heard
from services.billing.claims import api as claims
from services.billing.claims import consumers as claims_heard
from services.billing.coverage import api as coverage
from services.billing.coverage import consumers as coverage_heard
from services.billing.coverage.domain import REFUSALS as COVERAGE
from services.billing.ledger import api as ledger
from services.billing.ledger.domain import REFUSALS as LEDGER
from services.billing.payers import api as payers
from services.billing.payers import consumers as payers_heard
from services.billing.payers.domain import REFUSALS as PAYERS

service = Service(
    name="billing",
    package="services.billing",
    routers=[payers.routes, coverage.routes, charges.routes, claims.routes, ledger.routes],
    consumers=[payers_heard.consumers, coverage_heard.consumers, charges_heard.consumers, claims_heard.consumers],
    refusals={**PAYERS, **COVERAGE, **LEDGER},
)


def create() -> FastAPI:
    """Return the application (uvicorn factory)."""
    return service.build()
