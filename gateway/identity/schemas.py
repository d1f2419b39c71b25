"""What is said about users, sessions and API clients."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints

from praxis.contracts.staff import StaffRole
from praxis.kit.auth import ActorKind
from praxis.kit.http import Answer, Body

ClientRole = Literal["ehr_client", "partner_client"]

Login = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{2,63}$")]
PracticeCode = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z][A-Za-z0-9-]{2,39}$")]
Password = Annotated[SecretStr, Field(min_length=12, max_length=256)]
StaffRoles = Annotated[list[StaffRole], Field(min_length=1, max_length=6)]
ClientRoles = Annotated[list[ClientRole], Field(min_length=1, max_length=2)]
ValidDays = Annotated[int, Field(ge=1, le=366)]


class StartSession(Body):
    """Who wants to sign in. `practice` is the practice's code."""

    practice: PracticeCode
    login: Login
    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]


class SessionStarted(Answer):
    """The token to send as `Authorization: Bearer`; it is shown once."""

    token: str
    expires_at: datetime
    roles: list[str]


class CurrentOut(Answer):
    """Who asks. `expires_at` is when the session or key ends if nothing more is asked."""

    id: UUID
    kind: ActorKind
    name: str
    roles: list[str]
    practice_id: UUID
    staff_member_id: UUID | None = None
    expires_at: datetime | None = None


class AddUser(Body):
    """A new user. `staff_member_id` links the person; the user ends when that person leaves."""

    login: Login
    password: Password
    roles: StaffRoles
    staff_member_id: UUID | None = None


class ChangeUser(Body):
    """The whole new state of a user; sessions end, so that the new roles hold at once."""

    roles: StaffRoles
    staff_member_id: UUID | None = None


class SetPassword(Body):
    """A new password for whoever asks, who shows that the present one is known."""

    current_password: Annotated[SecretStr, Field(min_length=1, max_length=256)]
    new_password: Password


class UserOut(Answer):
    """A user."""

    id: UUID
    revision: int
    login: str
    roles: list[StaffRole]
    staff_member_id: UUID | None
    status: Literal["active", "inactive"]


class AddApiClient(Body):
    """Another system that may call. Its first key is valid for `valid_days`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    roles: ClientRoles
    valid_days: ValidDays = 180


class IssueKey(Body):
    """A further key for an API client, beside the one in use."""

    valid_days: ValidDays = 180


class ApiClientOut(Answer):
    """An API client."""

    id: UUID
    revision: int
    name: str
    roles: list[ClientRole]
    status: Literal["active", "revoked"]


class ApiKeyOut(Answer):
    """A key of an API client, without its secret."""

    id: UUID
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class KeyIssued(Answer):
    """A key to send as `Authorization: Bearer`; it is shown once."""

    id: UUID
    key: str
    expires_at: datetime


class ApiClientAdded(ApiClientOut):
    """A new API client with its first key."""

    first_key: KeyIssued
