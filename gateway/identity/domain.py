"""Rules of identity: logins, tokens, how long a session lives, how often one may guess."""

import hashlib
import math
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from praxis.kit.problems import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooMany,
    Unauthenticated,
    Unavailable,
)

ACTIVE: Final = "active"

IDLE: Final = timedelta(minutes=15)
"""A session ends after so long without a request (45 CFR 164.312(a)(2)(iii), automatic logoff)."""

ABSOLUTE: Final = timedelta(hours=12)
"""A session ends so long after it began, whatever happens."""

SEEN_EVERY: Final = timedelta(seconds=30)
"""How exactly the last request is remembered; a session may end so much earlier than `IDLE` says, never later."""

ATTEMPTS: Final = 5
ATTEMPTS_WITHIN: Final = timedelta(minutes=15)
LIVE_KEYS: Final = 2


class UserUnknown(NotFound):
    """No such user in this practice."""

    code = "user-unknown"
    title = "There is no such user"


class LoginTaken(Conflict):
    """Two users of a practice cannot have one login."""

    code = "login-taken"
    title = "Another user has this login"


class StaffMemberHasLogin(Conflict):
    """A person acts under one login, so that the audit trail names one person."""

    code = "staff-member-has-login"
    title = "This staff member already has an active user"


class StaffMemberLeft(Conflict):
    """Who has left gets no login."""

    code = "staff-member-left"
    title = "This staff member has left"


class UserInactive(Conflict):
    """An inactive user cannot be changed."""

    code = "user-inactive"
    title = "This user is inactive"


class DutiesNotApart(Invalid):
    """Who codes the care does not run the money: one person with both could bill for care that nobody gave, unseen."""

    code = "duties-not-apart"
    title = "These roles do not go together"


class WrongPassword(Forbidden):
    """The present password of a signed-in user is not what was sent."""

    code = "wrong-password"
    title = "The current password is wrong"


class OwnAccount(Forbidden):
    """Nobody changes their own roles or account: another manager does."""

    code = "own-account"
    title = "You cannot change your own account"


class WrongCredentials(Unauthenticated):
    """Practice, login or password is wrong; which one is not said."""

    code = "wrong-credentials"
    title = "Practice, login or password is wrong"


class TooManyAttempts(TooMany):
    """Too many guesses for one account from one address."""

    code = "too-many-attempts"
    title = "Too many attempts to sign in"


class SignInBusy(Unavailable):
    """More people sign in at this moment than passwords can be checked."""

    code = "sign-in-busy"
    title = "Too many people sign in just now"


class SessionUnknown(NotFound):
    """The caller came with a key, not with a session."""

    code = "session-unknown"
    title = "There is no session to end"


class ApiClientUnknown(NotFound):
    """No such API client in this practice."""

    code = "api-client-unknown"
    title = "There is no such API client"


class ApiKeyUnknown(NotFound):
    """No such live key of this API client."""

    code = "api-key-unknown"
    title = "There is no such live key"


class ApiClientNameTaken(Conflict):
    """Two API clients of a practice cannot have one name."""

    code = "api-client-name-taken"
    title = "Another API client has this name"


class ApiClientRevoked(Conflict):
    """A revoked API client stays revoked."""

    code = "api-client-revoked"
    title = "This API client is revoked"


class TooManyKeys(Conflict):
    """An API client has two live keys at most: the one in use and the one that replaces it."""

    code = "too-many-keys"
    title = "This API client has two live keys: revoke one first"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "users_login": LoginTaken,
    "users_staff_member": StaffMemberHasLogin,
    "api_clients_name": ApiClientNameTaken,
}


def new_session_token() -> str:
    """Make an opaque session token of 256 random bits."""
    return f"ps_{secrets.token_urlsafe(32)}"


def new_api_key(key_id: UUID) -> str:
    """Make the key `pk_<id>_<secret>` with a secret of 256 random bits."""
    return f"pk_{key_id.hex}_{secrets.token_urlsafe(32)}"


def is_api_key(token: str) -> bool:
    """Tell whether a bearer token is an API key rather than a session token."""
    return token.startswith("pk_")


def token_digest(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256. Random 256 bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def attempt_subject(practice_code: str, login: str, address: str) -> bytes:
    """Return whom guesses are counted for: one account from one address, known or not."""
    return hashlib.sha256("\0".join((practice_code, login, address)).encode()).digest()


def own_password_subject(user_id: UUID) -> bytes:
    """Return whom guesses at the password of a signed-in user are counted for: the user, from wherever."""
    return attempt_subject("", str(user_id), "")


def session_end(started_at: datetime, last_seen_at: datetime) -> datetime:
    """Return when a session ends if nothing more is asked."""
    return min(started_at + ABSOLUTE, last_seen_at + IDLE)


def require_other(actor_id: UUID, user_id: UUID) -> None:
    """Refuse a change of one's own account."""
    if actor_id == user_id:
        raise OwnAccount


def require_duties_apart(roles: Collection[str]) -> None:
    """Refuse `provider` together with `biller`."""
    if {"provider", "biller"} <= set(roles):
        advice = "Give provider to the person who codes care and biller to another user: one of the two, not both."
        raise DutiesNotApart(errors=[FieldError("/roles", "duties-apart", advice)])


def require_active_user(status: str) -> None:
    """Refuse a change of an inactive user."""
    if status != ACTIVE:
        raise UserInactive


def require_active_client(status: str) -> None:
    """Refuse a change of a revoked API client."""
    if status != ACTIVE:
        raise ApiClientRevoked


def require_unguessable(guessable: bool, pointer: str = "/password") -> None:
    """Refuse a password that everybody would try first; `pointer` names its field."""
    if guessable:
        advice = "Choose 12 to 256 characters that are on no list of common passwords and do not hold the login."
        raise Invalid(errors=[FieldError(pointer, "guessable", advice)])


def require_attempt_left(attempted_at: Sequence[datetime] | None, now: datetime) -> None:
    """Refuse a guess when `ATTEMPTS` earlier ones, oldest first, are younger than `ATTEMPTS_WITHIN`."""
    if attempted_at:
        wait = attempted_at[-ATTEMPTS] + ATTEMPTS_WITHIN - now
        raise TooManyAttempts(retry_after=max(1, math.ceil(wait.total_seconds())))


def require_room_for_key(live_keys: int) -> None:
    """Refuse a third live key."""
    if live_keys >= LIVE_KEYS:
        raise TooManyKeys
