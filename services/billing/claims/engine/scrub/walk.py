"""Find every text on a claim, with the longest that its element holds."""

from collections.abc import Mapping
from dataclasses import fields
from typing import NamedTuple

from services.billing.claims.engine.claim import (
    Accident,
    Address,
    BillingProvider,
    Drug,
    Organization,
    Patient,
    Payer,
    PersonName,
    ProfessionalClaim,
    RenderingProvider,
    ServiceFacility,
    ServiceLine,
    Subscriber,
)


class Text(NamedTuple):
    """Hold a text with its JSON pointer; `limit` is None where a rule of its own knows the shape."""

    pointer: str
    value: str
    limit: int | None


LIMITS: Mapping[type, Mapping[str, int]] = {
    Accident: {},
    Address: {"line1": 55, "line2": 55, "city": 30},
    BillingProvider: {},
    Drug: {},
    Organization: {"name": 60},
    Patient: {},
    Payer: {"name": 60, "payer_id": 80},
    PersonName: {"last": 60, "first": 35, "middle": 25, "suffix": 10},
    ProfessionalClaim: {"payer_claim_number": 50, "prior_authorization": 50, "trace_number": 20},
    RenderingProvider: {},
    ServiceFacility: {"name": 60},
    ServiceLine: {"control_number": 30},
    Subscriber: {"member_id": 80, "group_number": 50},
}
FIELDS = {
    part: tuple((field.name, limits.get(field.name)) for field in fields(part)) for part, limits in LIMITS.items()
}


def texts_of(claim: ProfessionalClaim) -> tuple[Text, ...]:
    """Return every text below the claim, in the order of its fields."""
    found: list[Text] = []
    _gather(claim, "", found)
    return tuple(found)


def _gather(part: object, pointer: str, found: list[Text]) -> None:
    for name, limit in FIELDS.get(type(part), ()):
        value = getattr(part, name)
        if isinstance(value, str):
            found.append(Text(f"{pointer}/{name}", value, limit))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, str):
                    found.append(Text(f"{pointer}/{name}/{index}", item, limit))
                else:
                    _gather(item, f"{pointer}/{name}/{index}", found)
        else:
            _gather(value, f"{pointer}/{name}", found)
