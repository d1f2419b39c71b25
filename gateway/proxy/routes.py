"""Which service answers which path. Public paths never name a service, so the first segment behind the version decides."""

from dataclasses import dataclass
from typing import Final

PREFIXES: Final = {
    "scheduling": (
        "/v1/patients",
        "/v1/locations",
        "/v1/rooms",
        "/v1/visit-types",
        "/v1/practitioners",
        "/v1/appointments",
        "/v1/visits",
        "/v1/tasks",
    ),
    "inventory": (
        "/v1/items",
        "/v1/places",
        "/v1/kits",
        "/v1/lots",
        "/v1/receipts",
        "/v1/adjustments",
        "/v1/issues",
        "/v1/stock",
        "/v1/movements",
        "/v1/usages",
    ),
    "staff": ("/v1/staff-members", "/v1/credentials"),
    "billing": (
        "/v1/billing-provider",
        "/v1/payers",
        "/v1/fee-schedules",
        "/v1/coverages",
        "/v1/charge-sheets",
        "/v1/claims",
        "/v1/ledger",
    ),
}
"""Every prefix of every service. A test compares them with the services' own routes, both ways."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """One entry of the table; `path` also labels the request in metrics."""

    path: str
    service: str


_TABLE: Final = {path: Prefix(path, service) for service, paths in PREFIXES.items() for path in paths}


def prefix_of(path: str) -> Prefix | None:
    """Return the entry that a path falls under, by whole segments, or None when no service answers it."""
    return _TABLE.get("/".join(path.split("/", 3)[:3]))
