"""Signing in, and changing users and API clients."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.db import across_practices
from gateway.identity.domain import (
    ABSOLUTE,
    ATTEMPTS,
    ATTEMPTS_WITHIN,
    ApiKeyUnknown,
    SessionUnknown,
    StaffMemberLeft,
    WrongCredentials,
    WrongPassword,
    attempt_subject,
    new_api_key,
    new_session_token,
    own_password_subject,
    require_active_client,
    require_active_user,
    require_attempt_left,
    require_duties_apart,
    require_other,
    require_room_for_key,
    require_unguessable,
    session_end,
    token_digest,
)
from gateway.identity.engine.passwords import Verdict, hash_password, is_guessable, verify_password
from gateway.identity.models import ApiClient, ApiKey, StaffDeparture, User, UserSession
from gateway.identity.queries import (
    Account,
    account,
    api_client,
    api_key,
    credentials,
    has_left,
    live_keys,
    user,
    user_of_staff_member,
)
from gateway.identity.schemas import (
    AddApiClient,
    AddUser,
    ChangeUser,
    IssueKey,
    KeyIssued,
    SessionStarted,
    SetPassword,
    StartSession,
)
from praxis.kit.app import Parts
from praxis.kit.auth import SYSTEM_ID, Principal
from praxis.kit.db import Database
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.problems import FieldError
from praxis.kit.unit_of_work import Cause, Session

SIGN_IN = "gateway.sessions.start"
SET_PASSWORD = "gateway.users.set-password"

# One statement, so that guesses sent at the same moment are counted one after the other: each is written down before its
# password is looked at. No row comes back when too many are known already.
_COUNT_ATTEMPT = text("""
    insert into login_attempts as known (subject, attempted_at, last_at) values (:subject, array[:now]::timestamptz[], :now)
    on conflict (subject) do update set last_at = :now,
        attempted_at = array(select a from unnest(known.attempted_at) a where a > :since order by a) || array[:now]::timestamptz[]
    where (select count(*) from unnest(known.attempted_at) a where a > :since) < :most
    returning 1
""")
_ATTEMPTS = text("select attempted_at from login_attempts where subject = :subject")
_FORGET_ATTEMPTS = text("delete from login_attempts where subject = :subject")

# Each attempt clears a few old ones away, so the table stays as small as the guesses of the last minutes.
_FORGET_STALE = text("""
    delete from login_attempts where subject in (
        select subject from login_attempts where last_at < :since order by last_at limit 8 for update skip locked)
""")


async def start_session(parts: Parts, body: StartSession, address: str) -> SessionStarted:
    """Sign a user in; raises TooManyAttempts, SignInBusy and WrongCredentials.

    An unknown practice or user takes the same path and the same time as a wrong password.
    """
    now, password = parts.clock.now(), body.password.get_secret_value()
    subject = attempt_subject(body.practice, body.login, address)
    await _count_attempt(parts.database, subject, now)
    found = await account(parts.database, body.practice, body.login)
    verdict = await verify_password(found.password_hash if found else None, password)
    if found is None or found.user_id is None or not verdict.is_right:
        await _record_wrong_guess(parts, found)
        raise WrongCredentials
    await _forget_attempts(parts.database, subject)
    return await _start_session(parts, found, found.user_id, await _renewed_hash(verdict, password))


async def add_user(session: Session, body: AddUser) -> Row[Any]:
    """Add a user; raises Invalid for a guessable password, DutiesNotApart, LoginTaken, StaffMemberHasLogin and StaffMemberLeft.

    A provider may be linked to the staff member later: signing in needs no link, coding care does (billing sees to that).
    """
    password = body.password.get_secret_value()
    require_duties_apart(body.roles)
    require_unguessable(is_guessable(password, body.login))
    await _require_still_here(session, body.staff_member_id)
    user_id = new_id()
    values = {
        "id": user_id,
        "revision": 1,
        "login": body.login,
        "roles": sorted(set(body.roles)),
        "staff_member_id": body.staff_member_id,
        "status": "active",
        "password_hash": await hash_password(password),
        "changed_at": session.now,
    }
    await session.execute(insert(User).values(values))
    return await _touched(session, user_id)


async def change_user(session: Session, user_id: UUID, body: ChangeUser, expected: int | None) -> Row[Any]:
    """Replace roles and link of another user and end their sessions; raises OwnAccount, Stale, UserInactive and as `add_user`."""
    require_duties_apart(body.roles)
    await _require_still_here(session, body.staff_member_id)
    values = {"roles": sorted(set(body.roles)), "staff_member_id": body.staff_member_id}
    return await _change_other(session, user_id, values, expected)


async def set_own_password(session: Session, database: Database, body: SetPassword) -> None:
    """Set the password of whoever asks and end their other sessions; raises WrongPassword, TooManyAttempts, SignInBusy and Invalid.

    Guesses are counted as when signing in, whatever becomes of this unit of work.
    """
    asker, new = session.principal, body.new_password.get_secret_value()
    subject = own_password_subject(asker.id)
    await _count_attempt(database, subject, session.now)
    known = await credentials(session, asker.id)
    if not (await verify_password(known.password_hash, body.current_password.get_secret_value())).is_right:
        raise _wrong_password()
    require_unguessable(is_guessable(new, known.login), "/new_password")
    # Two changes at one moment both knew the old password: the later one finds it gone.
    is_same = (User.id == asker.id, User.password_hash == known.password_hash)
    changed = {"password_hash": await hash_password(new), "revision": User.revision + 1, "changed_at": session.now}
    if not await session.execute(update(User).where(*is_same).values(changed)):
        raise _wrong_password()
    await _end_sessions(session, asker.id, asker.session_id)
    await _forget_attempts(database, subject)
    await _touched(session, asker.id)


async def deactivate_user(session: Session, user_id: UUID, expected: int | None) -> Row[Any]:
    """End another user and their sessions; raises OwnAccount, Stale and UserInactive."""
    return await _change_other(session, user_id, {"status": "inactive"}, expected)


async def end_access_of(session: Session, staff_member_id: UUID) -> None:
    """Remember that a person has left and end their user; a user linked later is refused."""
    departure = upsert(StaffDeparture).values(staff_member_id=staff_member_id, heard_at=session.now)
    await session.execute(departure.on_conflict_do_nothing())
    if row := await user_of_staff_member(session, staff_member_id):
        await _change(session, row, {"status": "inactive"})


async def end_session(session: Session) -> None:
    """End the session of whoever asks; raises SessionUnknown for a caller with an API key."""
    session_id = session.principal.session_id
    if session_id is None:
        raise SessionUnknown
    await session.execute(update(UserSession).where(UserSession.id == session_id).values(revoked_at=session.now))
    session.touch("session", session_id)


async def add_api_client(session: Session, body: AddApiClient) -> tuple[Row[Any], KeyIssued]:
    """Add another system with its first key; raises ApiClientNameTaken."""
    client_id = new_id()
    values = {"id": client_id, "revision": 1, "name": body.name, "roles": sorted(set(body.roles)), "status": "active"}
    await session.execute(insert(ApiClient).values(**values, changed_at=session.now))
    session.touch("api-client", client_id, 1)
    return await api_client(session, client_id), await _issue_key(session, client_id, body.valid_days)


async def issue_key(session: Session, client_id: UUID, body: IssueKey) -> KeyIssued:
    """Issue a further key; raises ApiClientRevoked, and TooManyKeys when two are live."""
    client = await api_client(session, client_id, lock=True)
    require_active_client(client.status)
    require_room_for_key(await live_keys(session, client_id))
    session.touch("api-client", client_id, client.revision)
    return await _issue_key(session, client_id, body.valid_days)


async def revoke_key(session: Session, client_id: UUID, key_id: UUID) -> Row[Any]:
    """Revoke one live key of an API client; raises ApiKeyUnknown."""
    is_live = (ApiKey.api_client_id == client_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
    if not await session.execute(update(ApiKey).where(*is_live).values(revoked_at=session.now)):
        raise ApiKeyUnknown
    session.touch("api-key", key_id)
    return await api_key(session, client_id, key_id)


async def revoke_api_client(session: Session, client_id: UUID, expected: int | None) -> Row[Any]:
    """Revoke an API client and all its keys for good; raises Stale and ApiClientRevoked."""
    client = await api_client(session, client_id, lock=True)
    require_revision(client.revision, expected)
    require_active_client(client.status)
    changed = {"status": "revoked", "revision": client.revision + 1, "changed_at": session.now}
    await session.execute(update(ApiClient).where(ApiClient.id == client_id).values(changed))
    is_live = (ApiKey.api_client_id == client_id, ApiKey.revoked_at.is_(None))
    await session.execute(update(ApiKey).where(*is_live).values(revoked_at=session.now))
    session.touch("api-client", client_id, client.revision + 1)
    return await api_client(session, client_id)


async def _count_attempt(database: Database, subject: bytes, now: datetime) -> None:
    since = now - ATTEMPTS_WITHIN
    async with across_practices(database) as connection:
        await connection.execute(_FORGET_STALE, {"since": since})
        counted = await connection.scalar(
            _COUNT_ATTEMPT, {"subject": subject, "now": now, "since": since, "most": ATTEMPTS}
        )
        if not counted:
            require_attempt_left(await connection.scalar(_ATTEMPTS, {"subject": subject}), now)


async def _forget_attempts(database: Database, subject: bytes) -> None:
    async with across_practices(database) as connection:
        await connection.execute(_FORGET_ATTEMPTS, {"subject": subject})


def _wrong_password() -> WrongPassword:
    return WrongPassword(errors=[FieldError("/current_password", "right", "Send the password you signed in with.")])


async def _record_wrong_guess(parts: Parts, found: Account | None) -> None:
    if found is None:
        return
    actor = Principal(
        found.user_id or SYSTEM_ID, found.practice_id, found.roles, "staff" if found.user_id else "system"
    )
    await parts.unit_of_work.record_refusal(actor, SIGN_IN)


async def _renewed_hash(verdict: Verdict, password: str) -> str | None:
    return await hash_password(password) if verdict.is_outdated else None


async def _start_session(parts: Parts, found: Account, user_id: UUID, renewed_hash: str | None) -> SessionStarted:
    token, session_id = new_session_token(), new_id()
    started: list[SessionStarted] = []

    async def work(session: Session) -> None:
        values = {"id": session_id, "user_id": user_id, "token_hash": token_digest(token), "started_at": session.now}
        ends = {"last_seen_at": session.now, "expires_at": session.now + ABSOLUTE}
        await session.execute(insert(UserSession).values(**values, **ends))
        if renewed_hash:
            is_same = (User.id == user_id, User.password_hash == found.password_hash)
            await session.execute(update(User).where(*is_same).values(password_hash=renewed_hash))
        session.touch("session", session_id)
        started[:] = [
            SessionStarted(token=token, expires_at=session_end(session.now, session.now), roles=list(found.roles))
        ]

    principal = Principal(user_id, found.practice_id, found.roles, "staff", staff_member_id=found.staff_member_id)
    await parts.unit_of_work.run(Cause(principal, SIGN_IN), work)
    return started[0]


async def _require_still_here(session: Session, staff_member_id: UUID | None) -> None:
    if staff_member_id and await has_left(session, staff_member_id):
        raise StaffMemberLeft


async def _change_other(session: Session, user_id: UUID, values: Mapping[str, Any], expected: int | None) -> Row[Any]:
    require_other(session.principal.id, user_id)
    row = await user(session, user_id, lock=True)
    require_revision(row.revision, expected)
    require_active_user(row.status)
    return await _change(session, row, values)


async def _change(session: Session, row: Row[Any], values: Mapping[str, Any]) -> Row[Any]:
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(User).where(User.id == row.id).values(changed))
    await _end_sessions(session, row.id)
    return await _touched(session, row.id)


async def _end_sessions(session: Session, user_id: UUID, but: UUID | None = None) -> None:
    lives = (UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.id.is_distinct_from(but))
    await session.execute(update(UserSession).where(*lives).values(revoked_at=session.now))


async def _touched(session: Session, user_id: UUID) -> Row[Any]:
    row = await user(session, user_id)
    session.touch("user", row.id, row.revision)
    return row


async def _issue_key(session: Session, client_id: UUID, valid_days: int) -> KeyIssued:
    key_id = new_id()
    key, expires_at = new_api_key(key_id), session.now + timedelta(days=valid_days)
    values = {"id": key_id, "api_client_id": client_id, "token_hash": token_digest(key)}
    await session.execute(insert(ApiKey).values(**values, issued_at=session.now, expires_at=expires_at))
    session.touch("api-key", key_id)
    return KeyIssued(id=key_id, key=key, expires_at=expires_at)
