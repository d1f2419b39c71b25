"""PostgreSQL as Praxis uses it: three roles per publisher, row-level security everywhere, transactions begun by one message.

SQLAlchemy runs in autocommit mode and the edge (`kit.unit_of_work`) sends BEGIN, the practice setting and any advisory lock as one
simple-query message: one round trip instead of three, and each statement of it sees the effect of the lock before it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import FetchedValue, MetaData, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool

from praxis.kit.settings import LIMITS, RoleKind, Settings, role_name

__all__ = ["SYSTEM_TABLES", "UNSCOPED_TABLES", "Base", "Database", "UnsafeDatabase", "begin_message", "role_name"]

UNSCOPED_TABLES = {
    "alembic_version": "the state of the schema, not of a practice",
    "relay_state": "one producer sequence per publisher, over all practices",
    "failed_deliveries": "an event that cannot be verified has no practice to trust",
}
"""Tables without a practice_id, each with its reason. The census refuses any other."""

SYSTEM_TABLES = {
    "practices": "select",
    "outbox": "select, update",
    "inbox": "select",
    "audit": "select",
    "audit_seals": "select, insert",
    "job_leases": "select, insert, update",
    "relay_state": "select, update",
    "failed_deliveries": "select, insert, update",
}
"""What the `_system` role (relay, consumers' failure table, jobs, sealing) may touch across practices."""


class Base(DeclarativeBase):
    """Declarative base of every table: its key starts with the practice, which the database fills in from the transaction."""

    metadata = MetaData()

    practice_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=FetchedValue(), sort_order=-1)


class UnsafeDatabase(RuntimeError):
    """The database would not protect one practice from another; the process does not start."""


def begin_message(practice_id: UUID, lock: int | None = None) -> str:
    """Return the simple-query text that opens a transaction for one practice, and waits for an advisory lock when asked."""
    message = f"BEGIN; SELECT set_config('app.practice_id', '{UUID(str(practice_id))}', true)"
    return message if lock is None else f"{message}; SELECT pg_advisory_xact_lock({int(lock)})"


class Database:
    """The connections of one publisher: `app` under row-level security, `system` for the relay, jobs and failures."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.service = settings.service
        self.app = self._engine("app", LIMITS.app_pool)
        self.system = self._engine("system", LIMITS.system_pool)

    def _engine(self, kind: RoleKind, size: int) -> AsyncEngine:
        return create_async_engine(
            self._settings.role_dsn(kind).replace("postgresql://", "postgresql+asyncpg://", 1),
            isolation_level="AUTOCOMMIT",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=LIMITS.pool_wait / 1000,
            pool_reset_on_return=None,
            connect_args=connection_arguments(f"{self._settings.service}-{kind}"),
        )

    async def listener(self, on_close: Callable[..., Any] | None = None) -> asyncpg.Connection:
        """Open a connection of its own for LISTEN, NOTIFY or a session advisory lock; not from a pool."""
        connection: asyncpg.Connection = await asyncpg.connect(
            self._settings.role_dsn("system"), **connection_arguments(f"{self._settings.service}-listener")
        )
        if on_close:
            connection.add_termination_listener(on_close)
        return connection

    async def wait_migrated(self, package: str) -> None:
        """Wait until the database is at this code's newest migration; raises UnsafeDatabase after half a minute.

        Processes may be started beside the one that migrates: importing takes longer than migrating.
        """
        newest = newest_revision(package)
        found: str | None = None
        for _ in range(150):
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                found = await self._revision()
                if found is not None and found >= newest:
                    return
            await asyncio.sleep(0.2)
        raise UnsafeDatabase(
            f"{self.service}: the database is at migration {found}, this code needs {newest}: migrate it"
        )

    async def _revision(self) -> str | None:
        async with self.app.connect() as connection:
            if not await connection.scalar(text("select to_regclass('alembic_version') is not null")):
                return None
            found: str | None = await connection.scalar(text("select max(version_num) from alembic_version"))
            return found

    async def require_safe(self) -> None:
        """Refuse a database whose app role could see past row-level security; raises UnsafeDatabase."""
        async with self.app.connect() as connection:
            found = (await connection.execute(text(_UNSAFE))).scalars().all()
            exposed = (await connection.execute(text(_EXPOSED), {"unscoped": list(UNSCOPED_TABLES)})).scalars().all()
        if found or exposed:
            raise UnsafeDatabase(
                f"{self._settings.service}: roles {list(found)}, tables without forced row security {list(exposed)}"
            )

    async def close(self) -> None:
        """Close both pools."""
        await self.app.dispose()
        await self.system.dispose()


def migrations_folder(package: str) -> Path:
    """Return the folder of a publisher's Alembic history; `package` is e.g. `services.billing`."""
    return Path(__file__).resolve().parents[2].joinpath(*package.split("."), "migrations")


def newest_revision(package: str) -> str:
    """Return the publisher's newest migration: revisions are dated file names, so the greatest is the newest."""
    return max(file.stem for file in (migrations_folder(package) / "versions").glob("20*.py"))


def connection_arguments(name: str) -> dict[str, Any]:
    """Return asyncpg's arguments: every connection carries the deadlines of `LIMITS`, in UTC, and finds a dead peer itself."""
    return {
        "timeout": LIMITS.connect_timeout / 1000,
        "command_timeout": LIMITS.statement_timeout / 1000 + 1,
        "server_settings": {
            "application_name": f"praxis-{name}",
            "timezone": "UTC",
            "statement_timeout": str(LIMITS.statement_timeout),
            "lock_timeout": str(LIMITS.lock_timeout),
            "idle_in_transaction_session_timeout": str(LIMITS.idle_in_transaction),
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            "jit": "off",
        },
    }


_UNSAFE = """
select current_user::text from pg_roles r
where r.rolname = current_user
  and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb
       or has_schema_privilege(current_user, 'public', 'CREATE')
       or exists (select from pg_class c where c.relowner = r.oid))
"""

_EXPOSED = """
select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relname = any(:unscoped)
  and not (c.relrowsecurity and c.relforcerowsecurity)
"""
