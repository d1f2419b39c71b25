"""The one edge: every change of data in Praxis begins, is proven, and is committed here and nowhere else.

Order of one attempt: begin and set the practice (and wait for the key's lock) in one message; replay a stored reply; run the
handler; make the reply's bytes; write events, audit and key in one statement; commit; wake the relay. Only then may anything be
sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from praxis.contracts.event import Event, envelope_members
from praxis.kit import failpoints
from praxis.kit.audit import Touch
from praxis.kit.audit import columns as audit_columns
from praxis.kit.auth import Principal
from praxis.kit.clock import Clock
from praxis.kit.db import Database, begin_message
from praxis.kit.idempotency import PURPOSE, Claim, Reply, TwinRunning, find_reply, keyed_hash
from praxis.kit.ids import new_id
from praxis.kit.observe import current_trace, traceparent
from praxis.kit.outbox import Announcement
from praxis.kit.outbox import columns as outbox_columns
from praxis.kit.problems import Conflict, Invalid, Problem, Unavailable
from praxis.kit.secrets import Keyring
from praxis.kit.settings import LIMITS

BEFORE_WORK = failpoints.declare("edge.before-work")
BEFORE_RECORD = failpoints.declare("edge.before-record")
BEFORE_COMMIT = failpoints.declare("edge.before-commit")
AFTER_COMMIT = failpoints.declare("edge.after-commit")


class Busy(Conflict):
    """409: other requests kept changing the same thing; nothing was done."""

    code = "busy"
    title = "Others are changing the same thing just now"
    retryable = True


class NotStorable(Invalid):
    """422: a value has the right shape and is outside what the database can hold."""

    code = "not-storable"
    title = "A value is outside what can be stored"


class OutcomeUnknown(Unavailable):
    """503: the connection broke while committing; only a repeat with the same Idempotency-Key tells."""

    code = "outcome-unknown"
    title = "It is not known whether this was done: repeat it with the same Idempotency-Key"


class NoRoom(Unavailable):
    """503: no database connection was free in time."""

    code = "database-busy"
    title = "The service is at its limit just now"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a unit of work runs: who, doing what, and within which story."""

    principal: Principal
    operation: str
    claim: Claim | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    audited: bool = True
    outcome: Literal["success", "refused"] = "success"


class Work(Protocol):
    """What runs inside: returns the reply to keep, or None for consumers and jobs."""

    def __call__(self, session: "Session", /) -> Awaitable[Reply | None]: ...


@dataclass(slots=True)
class Session:
    """What a command works with: statements in the open transaction, the time, the actor, and what to announce.

    `now` is one instant for the whole unit of work. `driver` is the transaction's own asyncpg connection for the hottest commands.
    """

    service: str
    connection: AsyncConnection
    driver: asyncpg.Connection
    keyring: Keyring
    cause: Cause
    now: datetime
    announcements: list[Announcement] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)

    @property
    def practice_id(self) -> UUID:
        """Return the practice whose rows are visible."""
        return self.cause.principal.practice_id

    @property
    def principal(self) -> Principal:
        """Return who acts."""
        return self.cause.principal

    async def execute(self, statement: Executable, parameters: Any = None) -> int:
        """Run a statement that returns no rows; return how many rows it touched."""
        return (await self.connection.execute(statement, parameters)).rowcount

    async def all(self, statement: Executable) -> list[Row[Any]]:
        """Return every row."""
        return list((await self.connection.execute(statement)).all())

    async def one_or_none(self, statement: Executable) -> Row[Any] | None:
        """Return the only row, or None; more than one is a defect."""
        return (await self.connection.execute(statement)).one_or_none()

    async def one(self, statement: Executable) -> Row[Any]:
        """Return the only row; none or several is a defect."""
        return (await self.connection.execute(statement)).one()

    async def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return await self.connection.scalar(statement)

    async def scalars(self, statement: Executable) -> list[Any]:
        """Return the first column of every row."""
        return list((await self.connection.scalars(statement)).all())

    def publish(self, event: Event, story: UUID | None = None) -> UUID:
        """Announce `event` when this unit of work commits; return its id.

        `story` is the correlation id (the id of the story's first aggregate); a consumer's events stay in the story it heard, other
        events start one of their own.
        """
        event_id = new_id()
        correlation_id = story or self.cause.correlation_id or event.aggregate_id
        members = envelope_members(
            event,
            event_id=event_id,
            practice_id=self.practice_id,
            at=self.now,
            correlation_id=correlation_id,
            causation_id=self.cause.causation_id,
            traceparent=traceparent(),
        )
        self.announcements.append(Announcement(event_id, event, correlation_id, orjson.dumps(members).decode()))
        return event_id

    def touch(self, entity: str, entity_id: UUID, revision: int | None = None, patient_id: UUID | None = None) -> None:
        """Name a record that this unit of work changed or showed, for the audit trail."""
        self.touches.append(Touch(entity, entity_id, revision, patient_id))

    def seal(self, purpose: str, text: str) -> bytes:
        """Encrypt a value for a sealed column of this practice."""
        return self.keyring.seal(self.practice_id, purpose, text)

    def unseal(self, purpose: str, sealed: bytes) -> str:
        """Decrypt a value of a sealed column of this practice."""
        return self.keyring.unseal(self.practice_id, purpose, sealed)


_RECORD = """
with announced as (
    insert into outbox (event_id, subject, aggregate_id, correlation_id, envelope, recorded_at, actor_id, actor_roles)
    select e.*, $6, $7, $8 from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[]) e
), trail as (
    insert into audit (audit_id, entity, entity_id, entity_revision, patient_id,
                       at, actor_id, actor_roles, actor_kind, action, outcome, purpose, trace_id)
    select a.*, $6, $7, $8, $14, $15, $24, $16, $17
    from unnest($9::uuid[], $10::text[], $11::uuid[], $12::bigint[], $13::uuid[]) a
)
insert into idempotency_keys (principal_id, route, key, created_at, body_hash, status, headers, reply)
select $7, $18, $19, $6, $20, $21, $22, $23 where $19::text is not null
"""


class UnitOfWork:
    """Runs work in transactions of one publisher's app role. `refusals` maps a constraint's name to the Problem it means."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        refusals: Mapping[str, type[Problem]],
        wake_relay: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._refusals = refusals
        self._wake_relay = wake_relay

    async def run(self, cause: Cause, work: Work) -> Reply | None:
        """Run `work` and commit it, at most three times when PostgreSQL asks for a retry.

        Raises the Problems of `work`, of violated constraints (through `refusals`), Busy, TwinRunning, NoRoom and OutcomeUnknown.
        """
        for attempt in range(1, LIMITS.attempts + 1):
            try:
                return await self._attempt(cause, work)
            except (asyncpg.PostgresError, DBAPIError) as error:
                cause_error = driver_error(error)
                if is_retryable(cause_error) and attempt < LIMITS.attempts:
                    continue
                raise self._refusal(cause_error) from error
            except PoolTimeout as error:
                raise NoRoom(retry_after=1) from error
            except (OSError, asyncpg.InterfaceError) as error:
                if isinstance(error, ValueError):
                    raise NotStorable from error
                raise Unavailable("The database is out of reach.", retry_after=2) from error
        raise AssertionError("unreachable")

    async def record_refusal(self, principal: Principal, operation: str) -> None:
        """Write to the audit trail, in a transaction of its own, that `principal` was refused `operation`."""

        async def nothing(_session: Session) -> None:
            return

        await self.run(Cause(principal, operation, outcome="refused"), nothing)

    def _refusal(self, error: BaseException) -> Exception:
        constraint = str(getattr(error, "constraint_name", None))
        if constraint in self._refusals:
            return self._refusals[constraint]()
        if isinstance(error, asyncpg.DataError):
            return NotStorable()
        if is_retryable(error) or isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)):
            return Busy(retry_after=1)
        if isinstance(error, (asyncpg.InterfaceError, OSError)) or _is_server_trouble(error):
            return Unavailable("The database is out of reach.", retry_after=2)
        assert isinstance(error, Exception)
        return error

    async def _attempt(self, cause: Cause, work: Work) -> Reply | None:
        async with self._database.app.connect() as connection:
            driver: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection  # type: ignore[assignment]
            try:
                await self._begin(driver, cause)
                reply = await self._work(connection, driver, cause, work)
            except BaseException:
                await asyncio.shield(_abandon(connection, driver))
                raise
        return reply

    async def _begin(self, driver: asyncpg.Connection, cause: Cause) -> None:
        try:
            lock = cause.claim.lock if cause.claim else None
            await driver.execute(begin_message(cause.principal.practice_id, lock))
        except asyncpg.LockNotAvailableError as error:
            raise TwinRunning(retry_after=1) from error

    async def _work(
        self, connection: AsyncConnection, driver: asyncpg.Connection, cause: Cause, work: Work
    ) -> Reply | None:
        now = self._clock.now()
        session = Session(self._database.service, connection, driver, self._keyring, cause, now)
        if cause.claim and (stored := await find_reply(driver, cause.claim, self._keyring, now)):
            # A replay shows what the first reply showed: it is audited like one, and stores nothing.
            await self._record(session, None)
            await _commit(driver)
            return stored
        failpoints.hit(BEFORE_WORK)
        reply = await work(session)
        if reply and not 200 <= reply.status < 300:
            await driver.execute("ROLLBACK")
            return reply
        failpoints.hit(BEFORE_RECORD)
        await self._record(session, reply)
        failpoints.hit(BEFORE_COMMIT)
        await _commit(driver)
        failpoints.hit(AFTER_COMMIT)
        if session.announcements:
            self._wake_relay()
        return reply

    def _stored(self, claim: Claim | None, reply: Reply | None) -> tuple[Any, ...]:
        if claim is None or reply is None:
            return _NOT_STORED
        sealed = self._keyring.seal(claim.practice_id, PURPOSE, reply.body.decode("utf-8"))
        body_hash = keyed_hash(claim, self._keyring)
        return claim.route, claim.key, body_hash, reply.status, orjson.dumps(reply.headers).decode(), sealed

    async def _record(self, session: Session, reply: Reply | None) -> None:
        cause, principal = session.cause, session.principal
        claim = cause.claim if reply else None
        touches = (session.touches or [Touch()]) if cause.audited else session.touches
        if not (session.announcements or touches or claim):
            return
        await session.driver.execute(
            _RECORD,
            *outbox_columns(session.announcements),
            session.now,
            principal.id,
            list(principal.roles),
            *audit_columns(touches),
            principal.kind,
            cause.operation,
            principal.purpose,
            current_trace().trace_id,
            *self._stored(claim, reply),
            cause.outcome,
        )


_NOT_STORED = (None,) * 6


def driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's own error from below SQLAlchemy's wrappers."""
    while not isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError)) and error.__cause__:
        error = error.__cause__
    return error


def is_retryable(error: BaseException) -> bool:
    """Tell whether PostgreSQL says that the same transaction may succeed when run again (40001, 40P01, stale plan)."""
    return isinstance(
        error,
        (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.exceptions.InvalidCachedStatementError),
    )


_SERVER_TROUBLE = ("08", "25", "28", "53", "55", "57", "58", "F0", "XX")
"""SQLSTATE classes that say nothing about the request: connection, transaction state, login, resources, operator, system."""


def _is_server_trouble(error: BaseException) -> bool:
    return str(getattr(error, "sqlstate", None) or "").startswith(_SERVER_TROUBLE)


async def _commit(driver: asyncpg.Connection) -> None:
    try:
        await driver.execute("COMMIT")
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise OutcomeUnknown(retry_after=2) from error


async def _abandon(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    try:
        if driver.is_closed():
            await connection.invalidate()
        elif driver.is_in_transaction():
            await driver.execute("ROLLBACK", timeout=2)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.invalidate()
