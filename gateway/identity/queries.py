"""Reading identity: within a practice for its managers, across practices for whoever holds a token."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select, tuple_, update

from gateway.db import across_practices
from gateway.identity.domain import (
    ACTIVE,
    IDLE,
    SEEN_EVERY,
    ApiClientUnknown,
    ApiKeyUnknown,
    UserUnknown,
    is_api_key,
    session_end,
    token_digest,
)
from gateway.identity.models import ApiClient, ApiKey, StaffDeparture, User, UserSession
from gateway.practices.queries import practice_with_code
from praxis.kit.auth import Principal
from praxis.kit.db import Database
from praxis.kit.unit_of_work import Session

_USER = tuple(User.__table__.c[name] for name in ("id", "revision", "login", "roles", "staff_member_id", "status"))
_CLIENT = tuple(ApiClient.__table__.c[name] for name in ("id", "revision", "name", "roles", "status"))
_KEY = tuple(ApiKey.__table__.c[name] for name in ("id", "issued_at", "expires_at", "revoked_at"))


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a practice code and login that somebody typed; `user_id` is None when the practice has no such user."""

    practice_id: UUID
    user_id: UUID | None
    roles: tuple[str, ...]
    staff_member_id: UUID | None
    password_hash: str | None


async def user(session: Session, user_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one user, locked for change when asked; raises UserUnknown."""
    statement: Select[Any] = select(*_USER).where(User.id == user_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise UserUnknown
    return row


async def credentials(session: Session, user_id: UUID) -> Row[Any]:
    """Return login and password hash of a user."""
    return await session.one(select(User.login, User.password_hash).where(User.id == user_id))


async def users(session: Session, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return users by login, `limit` + 1 at most."""
    statement: Select[Any] = select(*_USER).order_by(User.login).limit(limit + 1)
    return await session.all(statement.where(User.login > str(after[0])) if after else statement)


async def user_of_staff_member(session: Session, staff_member_id: UUID) -> Row[Any] | None:
    """Return the active user of a staff member, locked for change, or None."""
    linked = and_(User.staff_member_id == staff_member_id, User.status == ACTIVE)
    return await session.one_or_none(select(*_USER).where(linked).with_for_update())


async def has_left(session: Session, staff_member_id: UUID) -> bool:
    """Tell whether staff has announced that this person left."""
    return bool(await session.scalar(select(exists().where(StaffDeparture.staff_member_id == staff_member_id))))


async def names(session: Session, actor_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the login of each user and the name of each API client among `actor_ids`; others are left out."""
    people = select(User.id, User.login.label("name")).where(User.id.in_(actor_ids))
    systems = select(ApiClient.id, ApiClient.name).where(ApiClient.id.in_(actor_ids))
    return {row.id: row.name for row in await session.all(people.union_all(systems))}


async def session_expiry(session: Session, session_id: UUID) -> datetime:
    """Return when the session ends if nothing more is asked."""
    row = await session.one(
        select(UserSession.started_at, UserSession.last_seen_at).where(UserSession.id == session_id)
    )
    return session_end(row.started_at, row.last_seen_at)


async def api_client(session: Session, client_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one API client, locked for change when asked; raises ApiClientUnknown."""
    statement: Select[Any] = select(*_CLIENT).where(ApiClient.id == client_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise ApiClientUnknown
    return row


async def api_clients(session: Session, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return API clients by name, `limit` + 1 at most."""
    statement: Select[Any] = select(*_CLIENT).order_by(ApiClient.name).limit(limit + 1)
    return await session.all(statement.where(ApiClient.name > str(after[0])) if after else statement)


async def api_keys(
    session: Session, client_id: UUID, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return the keys of an API client in the order they were issued, `limit` + 1 at most."""
    statement: Select[Any] = select(*_KEY).where(ApiKey.api_client_id == client_id).order_by(ApiKey.id).limit(limit + 1)
    return await session.all(statement.where(tuple_(ApiKey.id) > tuple_(UUID(str(after[0])))) if after else statement)


async def api_key(session: Session, client_id: UUID, key_id: UUID) -> Row[Any]:
    """Return one key of an API client; raises ApiKeyUnknown."""
    row = await session.one_or_none(select(*_KEY).where(ApiKey.api_client_id == client_id, ApiKey.id == key_id))
    if row is None:
        raise ApiKeyUnknown
    return row


async def live_keys(session: Session, client_id: UUID) -> int:
    """Return how many keys of an API client open the door now."""
    return int(await session.scalar(select(func.count()).where(ApiKey.api_client_id == client_id, _opens(session.now))))


async def account(database: Database, practice_code: str, login: str) -> Account | None:
    """Return what is known of an account, or None when no practice has the code."""
    practice_id = await practice_with_code(database, practice_code)
    if practice_id is None:
        return None
    statement = select(User.id, User.roles, User.staff_member_id, User.password_hash)
    is_user = and_(User.practice_id == practice_id, User.login == login, _may_act())
    async with across_practices(database) as connection:
        row = (await connection.execute(statement.where(is_user))).one_or_none()
    if row is None:
        return Account(practice_id, None, (), None, None)
    return Account(practice_id, row.id, tuple(row.roles), row.staff_member_id, row.password_hash)


async def principal_of(database: Database, token: str, now: datetime) -> Principal | None:
    """Return who holds a session token or API key that is live at `now`, or None."""
    return await (_client_of if is_api_key(token) else _signed_in)(database, token_digest(token), now)


async def _signed_in(database: Database, digest: bytes, now: datetime) -> Principal | None:
    found = select(
        UserSession.id,
        UserSession.practice_id,
        UserSession.user_id,
        UserSession.last_seen_at,
        User.roles,
        User.staff_member_id,
    )
    is_user = and_(User.practice_id == UserSession.practice_id, User.id == UserSession.user_id)
    lives = and_(UserSession.revoked_at.is_(None), UserSession.expires_at > now, UserSession.last_seen_at > now - IDLE)
    statement = found.join(User, is_user).where(UserSession.token_hash == digest, lives, _may_act())
    async with across_practices(database) as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        if row.last_seen_at <= now - SEEN_EVERY:
            is_session = and_(UserSession.practice_id == row.practice_id, UserSession.id == row.id)
            await connection.execute(update(UserSession).where(is_session).values(last_seen_at=now))
    roles, person = tuple(row.roles), row.staff_member_id
    return Principal(row.user_id, row.practice_id, roles, "staff", session_id=row.id, staff_member_id=person)


async def _client_of(database: Database, digest: bytes, now: datetime) -> Principal | None:
    is_client = and_(ApiClient.practice_id == ApiKey.practice_id, ApiClient.id == ApiKey.api_client_id)
    found = select(ApiClient.id, ApiClient.practice_id, ApiClient.roles).join(ApiKey, is_client)
    async with across_practices(database) as connection:
        statement = found.where(ApiKey.token_hash == digest, _opens(now), ApiClient.status == ACTIVE)
        row = (await connection.execute(statement)).one_or_none()
    return row and Principal(row.id, row.practice_id, tuple(row.roles), "client")


def _opens(now: datetime) -> ColumnElement[bool]:
    return and_(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)


def _may_act() -> ColumnElement[bool]:
    # A departure heard while the user was being added is caught here, whichever of the two commits first.
    departed = and_(
        StaffDeparture.practice_id == User.practice_id, StaffDeparture.staff_member_id == User.staff_member_id
    )
    return and_(User.status == ACTIVE, ~exists().where(departed))
