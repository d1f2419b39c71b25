"""Rules of credentials."""

from typing import Final

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem, TransitionRefused

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
    """The same number of the same issuer and kind is on file."""

    code = "credential-known"
    title = "This credential is already on file"


class CredentialHolderUnknown(Invalid):
    """The person is not of this practice."""

    code = "staff-member-unknown"
    title = "There is no such staff member"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/staff_member_id", "known-staff-member", "Register the person first.")])


REFUSALS: Final[dict[str, type[Problem]]] = {
    "credentials_number": CredentialKnown,
    "credentials_staff_member": CredentialHolderUnknown,
}


def require_transition(present: str, wanted: str, revision: int) -> None:
    """Refuse a status change that the table does not list."""
    if wanted not in TRANSITIONS[present]:
        raise TransitionRefused("credential", present, TRANSITIONS[present], revision)
