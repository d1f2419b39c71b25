"""The inventory service, wired."""

from fastapi import FastAPI

from praxis.kit.app import Service
from services.inventory.catalog import api as catalog
from services.inventory.catalog.domain import REFUSALS as CATALOG_REFUSALS
from services.inventory.stock import api as stock
from services.inventory.stock import consumers as stock_consumers
from services.inventory.stock.domain import REFUSALS as STOCK_REFUSALS
from services.inventory.usage import api as usage
from services.inventory.usage import consumers as usage_consumers
from services.inventory.usage.domain import REFUSALS as USAGE_REFUSALS

service = Service(
    name="inventory",
    package="services.inventory",
    routers=[catalog.routes, stock.routes, usage.routes],
    consumers=[stock_consumers.consumers, usage_consumers.consumers],
    refusals={**CATALOG_REFUSALS, **STOCK_REFUSALS, **USAGE_REFUSALS},
)


def create() -> FastAPI:
    """Return the application (uvicorn factory)."""
    return service.build()
