"""A FHIR Patient as the registration desk would enter it."""

import re
from datetime import date
from typing import Any

from praxis.runtime.demo.fhir import Resource, date_at, dig, items_at, text_at
from praxis.runtime.demo.terms import STATES

SEXES = ("male", "female", "other", "unknown")


class Unusable(Exception):
    """The resource cannot be imported; the message says why."""


def registration(patient: Resource) -> tuple[dict[str, Any], list[str]]:
    """Return the body that registers the patient, and what was left out of it; raises Unusable."""
    family, given = _name(patient)
    birth_on = date_at(patient, "birthDate")
    if birth_on is None:
        raise Unusable("birthDate is not a full date")
    left_out = []
    body = {
        "family_name": family,
        "given_name": given,
        "birth_on": birth_on.isoformat(),
        "sex": patient.get("gender") if patient.get("gender") in SEXES else "unknown",
    }
    for field, value, why in (("phone", *_phone(patient)), ("address", *_address(patient))):
        if value:
            body[field] = value
        else:
            left_out.append(f"registered without {field}: {why}")
    return body, left_out


def member_id(patient: Resource) -> str | None:
    """Return the letters and digits of the patient's first identifier, which stand in for a membership number."""
    for identifier in items_at(patient, "identifier"):
        bare = re.sub(r"[^0-9A-Za-z]", "", text_at(identifier, "value") or "").upper()
        if 2 <= len(bare) <= 80:
            return bare
    return None


def age_on(birth_on: date, day: date) -> int:
    """Return the completed years of life on a day."""
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def _name(patient: Resource) -> tuple[str, str]:
    for name in sorted(items_at(patient, "name"), key=lambda name: text_at(name, "use") != "official"):
        parts = [text_at(name, "given", place) for place in range(len(items_at(name, "given")))]
        family, given = text_at(name, "family"), " ".join(filter(None, parts))
        if family and given:
            return family, given
    raise Unusable("it has no name with both family and given")


def _phone(patient: Resource) -> tuple[str | None, str]:
    """Return the first phone number as E.164; ten digits are a number of the United States."""
    numbers = [
        text_at(point, "value") or "" for point in items_at(patient, "telecom") if dig(point, "system") == "phone"
    ]
    for number in numbers:
        digits = re.sub(r"\D", "", number)
        international = f"+{digits}" if number.startswith("+") or len(digits) == 11 else f"+1{digits}"
        if re.fullmatch(r"\+1[2-9]\d{9}|\+[2-9]\d{7,14}", international):
            return international, ""
    return None, "no number of ten digits or with a country code" if numbers else "there is none"


def _address(patient: Resource) -> tuple[dict[str, Any] | None, str]:
    address = dig(patient, "address", 0)
    state = text_at(address, "state") or ""
    code = STATES.get(state.lower(), state.upper())
    postal = text_at(address, "postalCode") or ""
    line1, city = text_at(address, "line", 0), text_at(address, "city")
    if not line1 or not city:
        return None, "it has no line or no city"
    if code not in STATES.values():
        return None, f"{state or 'nothing'} is no state of the United States"
    if not re.fullmatch(r"\d{5}(-\d{4})?", postal):
        return None, "its postal code has not 5 or 9 digits"
    line2 = text_at(address, "line", 1)
    return {"line1": line1, "line2": line2, "city": city, "state": code, "postal_code": postal}, ""
