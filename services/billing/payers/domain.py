"""Rules of payers, fees and providers as payers know them."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from praxis.kit.npi import is_npi
from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem, Stale

EIN: Final = "billing.billing-provider.ein"
"""Purpose under which the practice's employer identification number is sealed."""

HCPCS_PATTERN: Final = r"^([A-Z][0-9]{4}|[0-9]{4}[0-9A-Z])$"
"""Shape of a HCPCS code of level I or II; which codes exist is not checked here."""

MODIFIER_PATTERN: Final = r"^[0-9A-Z]{2}$"

STATES: Final = (
    "AK|AL|AR|AZ|CA|CO|CT|DC|DE|FL|GA|HI|IA|ID|IL|IN|KS|KY|LA|MA|MD|ME|MI|MN|MO|MS|MT|NC|ND|NE|NH|NJ|NM|NV|NY|OH|OK|OR|PA|RI|"
    "SC|SD|TN|TX|UT|VA|VT|WA|WI|WV|WY|AS|GU|MP|PR|VI|FM|MH|PW|AA|AE|AP"
)
"""States, the district, territories, freely associated states and military mail, as the postal service writes them."""

MOST_CHARGE_CENTS: Final = 999_999_999
"""9,999,999.99: the most one line may cost."""


class PayerUnknown(NotFound):
    """No such payer in this practice."""

    code = "payer-unknown"
    title = "There is no such payer"


class NamedPayerUnknown(Invalid):
    """The body names a payer that is not of this practice."""

    code = "payer-unknown"
    title = "There is no such payer"

    def __init__(self) -> None:
        super().__init__(
            errors=[
                FieldError("/payer_id", "known-payer", "Name the id of a payer of this practice, see GET /v1/payers.")
            ]
        )


class PayerKnown(Conflict):
    """Two payers of a practice cannot share the id under which claims reach them."""

    code = "payer-known"
    title = "Another payer has this payer_id"


class FeeScheduleUnknown(NotFound):
    """No such fee schedule in this practice."""

    code = "fee-schedule-unknown"
    title = "There is no such fee schedule"


class FeeSchedulesOverlap(Conflict):
    """On each day at most one schedule of a payer, and one default schedule, is valid."""

    code = "fee-schedules-overlap"
    title = "Another fee schedule of the same payer is valid on some of these days: end it first"


class BillingProviderUnset(NotFound):
    """The practice has not yet said under which identity it bills."""

    code = "billing-provider-unset"
    title = 'The billing provider is not set: PUT it with If-Match "0"'


REFUSALS: Final[dict[str, type[Problem]]] = {
    "payers_payer_id": PayerKnown,
    "fee_schedules_payer": NamedPayerUnknown,
    "fee_schedules_overlap": FeeSchedulesOverlap,
    "billing_providers_one": Stale,
}


def spelled(pattern: str, sentence: str) -> Callable[[str], str]:
    """Return a check that lets through text of a shape; its ValueError is `sentence`, which shows an example."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(sentence)
        return text

    return check


spelled_hcpcs = spelled(HCPCS_PATTERN, "Write a CPT or HCPCS code in five characters, such as 99213 or G0402.")
spelled_modifier = spelled(MODIFIER_PATTERN, "Write a modifier in two digits or capital letters, such as 25 or LT.")
spelled_state = spelled(STATES, "Write the state in the two capital letters of the postal service, such as NY.")


def plain_postal_code(text: str) -> str:
    """Return a postal code of 5 or 9 digits without its hyphen, as claims carry it; raises ValueError."""
    if not re.fullmatch(r"[0-9]{5}(-?[0-9]{4})?", text):
        raise ValueError("Write the postal code as 12345, 123456789 or 12345-6789.")
    return text.replace("-", "")


def full_postal_code(text: str) -> str:
    """Return a postal code of 9 digits without its hyphen (N403 of loop 2010AA); raises ValueError."""
    plain = plain_postal_code(text)
    if len(plain) != 9:
        raise ValueError("A billing provider needs all nine digits of ZIP+4: write 12345-6789 or 123456789.")
    return plain


def require_npi(text: str, pointer: str) -> None:
    """Refuse an NPI that fails its check digit."""
    if not is_npi(text):
        message = "Ten digits with a valid check digit, as in the NPPES registry."
        raise Invalid(errors=[FieldError(pointer, "npi-check-digit", message)])


def require_single_fees(keys: Iterable[tuple[str, str | None]]) -> None:
    """Refuse two prices for one code and modifier."""
    seen: set[tuple[str, str | None]] = set()
    errors = []
    for place, key in enumerate(keys):
        if key in seen:
            message = "This code and modifier already stand above: keep one price."
            errors.append(FieldError(f"/items/{place}", "one-price-per-code", message))
        seen.add(key)
    if errors:
        raise Invalid(errors=errors)
