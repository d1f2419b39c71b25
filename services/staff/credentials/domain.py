"""Rules of credentials."""

from collections.abc import Collection
from datetime import date
from typing import Final
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Forbidden, Invalid, NotFound, Problem, TransitionRefused

MANAGER: Final = "medical_office_manager"

NUMBER: Final = "credential-number"
"""Purpose under which a credential's number is sealed and indexed."""

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "unverified": frozenset({"verified", "revoked"}),
    "verified": frozenset({"revoked"}),
    "revoked": frozenset(),
}


class CredentialUnknown(NotFound):
    """No such credential in this practice."""

    code = "credential-unknown"
    title = "There is no such credential"


class CredentialKnown(Conflict):
    """The same number of the same issuer and kind is on file for a period that begins on the same day."""

    code = "credential-known"
    title = "This credential is already on file"


class CredentialHolderUnknown(Invalid):
    """The person is not of this practice."""

    code = "staff-member-unknown"
    title = "There is no such staff member"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/staff_member_id", "known-staff-member", "Register the person first.")])


class OwnCredential(Forbidden):
    """Nobody confirms their own qualification."""

    code = "own-credential"
    title = "Somebody else has to verify your credential"


class CredentialExpired(Conflict):
    """What has expired is not verified; a renewal is a credential of its own."""

    code = "credential-expired"
    title = "This credential has expired: record the renewal"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "credentials_number": CredentialKnown,
    "credentials_staff_member": CredentialHolderUnknown,
}


def require_other_person(holder: UUID, verifier: UUID | None, roles: Collection[str]) -> None:
    """Refuse a verification by the holder, and by a login that is linked to nobody and so may be the holder.

    The office manager's login may be unlinked: somebody has to verify the first credentials of a new practice.
    """
    if verifier == holder or (verifier is None and MANAGER not in roles):
        raise OwnCredential


def require_in_date(valid_until: date | None, today: date) -> None:
    """Refuse to verify what has expired; the last day itself still counts."""
    if valid_until and valid_until < today:
        raise CredentialExpired(facts={"valid_until": valid_until.isoformat()})


def require_transition(present: str, wanted: str, revision: int) -> None:
    """Refuse a status change that the table does not list."""
    if wanted not in TRANSITIONS[present]:
        raise TransitionRefused("credential", present, TRANSITIONS[present], revision)
