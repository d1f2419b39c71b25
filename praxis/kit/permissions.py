"""Who may do what: one table, one pure function.

A permission reads `<service>.<thing>:<verb>`. A route names exactly one; a route without one does not build.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

MANAGER: Final = "medical_office_manager"
LEAD: Final = "lead_medical_assistant"
ASSISTANT: Final = "medical_assistant"
PROVIDER: Final = "provider"
RECEPTION: Final = "receptionist"
BILLER: Final = "biller"
EHR: Final = "ehr_client"
PARTNER: Final = "partner_client"

STAFF_ROLES: Final = frozenset({MANAGER, LEAD, ASSISTANT, PROVIDER, RECEPTION, BILLER})
CLIENT_ROLES: Final = frozenset({EHR, PARTNER})

_FLOOR = {MANAGER, LEAD, ASSISTANT, PROVIDER, RECEPTION}
_CLINIC = {LEAD, ASSISTANT, PROVIDER}
_BOOKS = {MANAGER, BILLER}

PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    permission: frozenset(roles)
    for permission, roles in {
        "scheduling.patient:read": _FLOOR | {BILLER, EHR},
        "scheduling.patient:write": {MANAGER, LEAD, ASSISTANT, RECEPTION, EHR},
        "scheduling.resource:read": _FLOOR | {BILLER, EHR, PARTNER},
        "scheduling.resource:write": {MANAGER, LEAD},
        "scheduling.appointment:read": _FLOOR | {BILLER, EHR},
        "scheduling.appointment:write": {MANAGER, LEAD, ASSISTANT, RECEPTION, EHR},
        "scheduling.visit:read": _FLOOR | {BILLER, EHR},
        "scheduling.visit:write": {LEAD, ASSISTANT, PROVIDER, RECEPTION},
        "scheduling.visit:amend": {PROVIDER, LEAD},
        "scheduling.task:read": _CLINIC,
        "scheduling.task:write": _CLINIC,
        "inventory.item:read": _FLOOR | {BILLER},
        "inventory.item:write": {MANAGER, LEAD},
        "inventory.stock:read": _FLOOR | {BILLER},
        "inventory.stock:write": {MANAGER, LEAD, ASSISTANT},
        "inventory.kit:read": _FLOOR,
        "inventory.kit:write": {MANAGER, LEAD},
        "inventory.usage:read": _FLOOR | {BILLER},
        "staff.person:read": STAFF_ROLES,
        "staff.person:write": {MANAGER},
        "staff.credential:read": {MANAGER, LEAD},
        "staff.credential:write": {MANAGER, LEAD},
        "billing.payer:read": _BOOKS | {LEAD, RECEPTION},
        "billing.payer:write": _BOOKS,
        "billing.coverage:read": _BOOKS | {LEAD, ASSISTANT, RECEPTION, EHR},
        "billing.coverage:write": _BOOKS | {LEAD, ASSISTANT, RECEPTION, EHR},
        "billing.fee:read": _BOOKS | {LEAD, PROVIDER},
        "billing.fee:write": _BOOKS,
        "billing.charge:read": _BOOKS | {LEAD, PROVIDER},
        "billing.charge:code": {PROVIDER},
        "billing.claim:read": _BOOKS | {LEAD},
        "billing.claim:write": _BOOKS | {LEAD},
        "billing.ledger:read": _BOOKS,
        "gateway.self:read": STAFF_ROLES | CLIENT_ROLES,
        "gateway.self:write": STAFF_ROLES,
        "gateway.practice:read": STAFF_ROLES,
        "gateway.user:read": {MANAGER},
        "gateway.user:write": {MANAGER},
        "gateway.client:read": {MANAGER},
        "gateway.client:write": {MANAGER},
        "gateway.trace:read": {MANAGER, LEAD, BILLER},
    }.items()
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of `allow` and, when it is no, the roles that would do."""

    allowed: bool
    sufficient_roles: tuple[str, ...]


def allow(roles: Collection[str], permission: str) -> Decision:
    """Decide whether any of `roles` grants `permission`; raises KeyError for a permission that the table does not know."""
    granted_to = PERMISSIONS[permission]
    return Decision(not granted_to.isdisjoint(roles), tuple(sorted(granted_to)))
