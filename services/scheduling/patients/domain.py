"""Rules of patients: how names compare, how record numbers are made, who counts as known."""

import unicodedata
from datetime import date
from typing import Final
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AFTER_ALL: Final = "\U0010ffff"


class PatientUnknown(NotFound):
    """No such patient in this practice."""

    code = "patient-unknown"
    title = "There is no such patient"


class MrnTaken(Conflict):
    """Two patients cannot have one medical record number."""

    code = "mrn-taken"
    title = "Another patient has this medical record number"


class PatientProbablyKnown(Conflict):
    """Someone of this name and birth date is registered; the fact `known_patient_ids` names them."""

    code = "patient-probably-known"
    title = "A patient of this name and birth date is already registered"


class SearchTooWide(Invalid):
    """Nobody reads every patient: a search names whom it looks for (45 CFR 164.502(b))."""

    code = "search-too-wide"
    title = "Say whom you look for"


class NameUnusable(Invalid):
    """A name needs at least one letter or digit."""

    code = "name-unusable"
    title = "This name has no letter in it"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "patients_mrn": MrnTaken,
    "patients_probably_known": PatientProbablyKnown,
}


def normalised_name(name: str) -> str:
    """Return the form names are compared and searched in: no case, accents or punctuation, single spaces.

    Letters that decompose lose their accent (é, ö, Å); those that do not are folded alone (ß becomes ss, ø stays).
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    spaced = "".join(c if c.isalnum() else " " if c.isspace() or c == "-" else "" for c in bare)
    return " ".join(spaced.split())


def name_key(name: str, pointer: str) -> str:
    """Return the normalised name; raises NameUnusable when nothing is left of it."""
    key = normalised_name(name)
    if not key:
        raise NameUnusable(
            errors=[FieldError(pointer, "has-a-letter", "Send the name with at least one letter or digit.")]
        )
    return key


def prefix_range(prefix: str) -> tuple[str, str]:
    """Return the half-open range of keys, by code point, that begin with the normalised `prefix`."""
    key = name_key(prefix, "/family_prefix")
    return key, key + _AFTER_ALL


def generated_mrn(patient_id: UUID) -> str:
    """Return a record number of ten characters that can be read out loud, from 50 random bits of a UUIDv7."""
    bits = patient_id.int & (1 << 50) - 1
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(45, -1, -5))


def require_search(family_prefix: str | None, birth_on: date | None, mrn: str | None) -> None:
    """Refuse a search that names nothing."""
    if family_prefix is None and birth_on is None and mrn is None:
        raise SearchTooWide(errors=[FieldError("", "one-of", "Send at least one of family_prefix, birth_on and mrn.")])


def require_unknown(known: list[UUID], confirm_new: bool) -> None:
    """Refuse someone who is probably registered already, unless the caller says that this is another person."""
    if known and not confirm_new:
        raise PatientProbablyKnown(
            "Use the registered patient, or send confirm_new true when this is another person.",
            facts={"known_patient_ids": known},
        )


def require_born(birth_on: date, today: date) -> None:
    """Refuse a birth date after `today`."""
    if birth_on > today:
        raise Invalid(errors=[FieldError("/birth_on", "not-after-today", f"Send a date up to {today.isoformat()}.")])
