"""Schemas: running a publisher's Alembic history, and the tables that every publisher has.

A migration is dated SQL, one statement per `op.execute`, and works beside the code that is running now. `Tables` says what every
table of Praxis needs: row-level security forced, a policy per role, exact grants, and triggers where rows must never change.
"""

from collections.abc import Iterable
from datetime import date

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from praxis.kit.db import SYSTEM_TABLES, migrations_folder
from praxis.kit.settings import Settings, role_name

PRACTICE = "nullif(current_setting('app.practice_id', true), '')::uuid"
"""SQL for the practice of this transaction: null (so no row) when none is set, also after a setting has ended and reads ''."""

PRACTICE_COLUMN = f"practice_id uuid not null default {PRACTICE}"
"""First column of every table; commands never name the practice, the transaction does."""


class Tables:
    """Migration vocabulary of one publisher. Usage: `tables = Tables("inventory")`, then `tables.protect("items")`."""

    def __init__(self, service: str) -> None:
        self._app = role_name(service, "app")
        self._system = role_name(service, "system")

    def protect(self, table: str, app: str = "select, insert, update") -> None:
        """Force row-level security on `table` and grant exactly `app` to the app role, on rows of its practice alone."""
        self._wall(table)
        op.execute(f"grant {app} on {table} to {self._app}")
        if table in SYSTEM_TABLES:
            op.execute(f"create policy system_duty on {table} to {self._system} using (true) with check (true)")
            op.execute(f"grant {SYSTEM_TABLES[table]} on {table} to {self._system}")

    def append_only(self, table: str) -> None:
        """Protect `table` so that rows are only ever added: no grant to change them and a trigger that refuses the owner too."""
        self.protect(table, app="select, insert")
        for moment, each in (("update or delete", "row"), ("truncate", "statement")):
            op.execute(
                f"create trigger {table}_append_only_{each} before {moment} on {table} "
                f"for each {each} execute function refuse_change()"
            )

    def _wall(self, table: str) -> None:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy practice_wall on {table} to {self._app} "
            f"using (practice_id = {PRACTICE}) with check (practice_id = {PRACTICE})"
        )

    def create_kit(self) -> None:
        """Create the tables that every publisher has: practices, outbox, inbox, keys, audit, leases, failures."""
        for statement in _KIT_TABLES:
            op.execute(statement)
        for table in ("practices", "inbox", "idempotency_keys", "outbox"):
            self.protect(table, app="select, insert")
        self.append_only("audit")
        self.protect("audit_seals", app="select")
        self.protect("job_leases", app="select")
        op.execute(f"grant update (time_zone, currency, revision, opened_at) on practices to {self._app}")
        op.execute(f"grant select on alembic_version to {self._app}")
        for table in ("relay_state", "failed_deliveries"):
            op.execute(f"grant {SYSTEM_TABLES[table]} on {table} to {self._system}")
        op.execute(f"grant delete on failed_deliveries to {self._system}")


_KIT_TABLES = (
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception '% of % is refused: rows are only added', tg_op, tg_table_name using errcode = 'restrict_violation';
    end $$
    """,
    """
    create table practices (
        practice_id uuid primary key,
        time_zone text not null,
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        revision bigint not null,
        opened_at timestamptz not null
    )
    """,
    f"""
    create table outbox (
        {PRACTICE_COLUMN},
        position bigint generated always as identity,
        event_id uuid not null,
        recorded_at timestamptz not null,
        subject text not null,
        aggregate_id uuid not null,
        correlation_id uuid not null,
        actor_id uuid not null,
        actor_roles text[] not null,
        envelope text not null,
        producersequence bigint,
        published_at timestamptz,
        primary key (practice_id, event_id, recorded_at)
    ) partition by range (recorded_at)
    """,
    "create index outbox_unsent on outbox (position) where published_at is null",
    "create index outbox_story on outbox (practice_id, correlation_id)",
    "create index outbox_number on outbox (producersequence)",
    "create table relay_state (id boolean primary key default true check (id), last_number bigint not null default 0)",
    "insert into relay_state default values",
    f"""
    create table inbox (
        {PRACTICE_COLUMN},
        consumer text not null,
        event_id uuid not null,
        event_at timestamptz not null,
        subject text not null,
        aggregate_id uuid not null,
        correlation_id uuid not null,
        producersequence bigint not null,
        received_at timestamptz not null,
        primary key (practice_id, consumer, event_id, event_at)
    ) partition by range (event_at)
    """,
    "create index inbox_story on inbox (practice_id, correlation_id)",
    f"""
    create table idempotency_keys (
        {PRACTICE_COLUMN},
        principal_id uuid not null,
        route text not null,
        key text not null check (length(key) between 1 and 255),
        created_at timestamptz not null,
        body_hash bytea not null,
        status smallint not null check (status between 200 and 299),
        headers text not null,
        reply bytea not null,
        primary key (practice_id, principal_id, route, key, created_at)
    ) partition by range (created_at)
    """,
    f"""
    create table audit (
        {PRACTICE_COLUMN},
        audit_id uuid not null,
        at timestamptz not null,
        xact xid8 not null default pg_current_xact_id(),
        actor_id uuid not null,
        actor_kind text not null check (actor_kind in ('staff', 'client', 'system')),
        actor_roles text[] not null,
        action text not null,
        outcome text not null check (outcome in ('success', 'refused')),
        purpose text not null,
        entity text,
        entity_id uuid,
        entity_revision bigint,
        patient_id uuid,
        trace_id text not null,
        primary key (practice_id, audit_id, at)
    ) partition by range (at)
    """,
    "create index audit_unsealed on audit (practice_id, xact)",
    "create index audit_patient on audit (practice_id, patient_id, at) where patient_id is not null",
    f"""
    create table audit_seals (
        {PRACTICE_COLUMN},
        number bigint not null check (number > 0),
        before_xact xid8 not null,
        rows integer not null check (rows > 0),
        previous bytea not null,
        hash bytea not null,
        sealed_at timestamptz not null,
        primary key (practice_id, number)
    )
    """,
    f"""
    create table job_leases (
        {PRACTICE_COLUMN},
        job text not null,
        due_at timestamptz not null,
        leased_until timestamptz,
        holder uuid,
        last_run_at timestamptz,
        last_error text,
        primary key (practice_id, job)
    )
    """,
    """
    create table failed_deliveries (
        consumer text not null,
        event_id text not null,
        state text not null check (state in ('trying', 'parked')),
        tries integer not null,
        subject text not null,
        body bytea not null,
        signature text not null,
        error text not null,
        first_at timestamptz not null,
        last_at timestamptz not null,
        primary key (consumer, event_id)
    )
    """,
)


async def migrate(settings: Settings, package: str, today: date, revision: str = "head") -> None:
    """Bring the publisher's database to `revision` and create its monthly partitions. `package` is e.g. `services.billing`."""
    url = settings.role_dsn("migrate").replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("set local lock_timeout = '2s'"))
            await connection.run_sync(_upgrade, package, revision)
            await connection.run_sync(_ensure_partitions, today)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, package: str, revision: str) -> None:
    # Alembic would make this column 32 characters wide; our dated names say more.
    connection.execute(text("create table if not exists alembic_version (version_num text primary key)"))
    config = alembic_config(package)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def alembic_config(package: str) -> Config:
    """Return the Alembic configuration of a publisher's `migrations` folder."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder(package)))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    return config


def run_environment() -> None:
    """Run Alembic's history on the connection that `migrate` opened; the whole body of every `migrations/env.py`."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()


_PARTITION_KEYS = {"outbox": "recorded_at", "inbox": "event_at", "idempotency_keys": "created_at", "audit": "at"}
_MONTHS_AHEAD = 3


def _ensure_partitions(connection: Connection, today: date) -> None:
    for table, key in _PARTITION_KEYS.items():
        _create_partition(connection, table, f"{table}_rest", "default")
        for first, following in _months(today):
            held = connection.scalar(
                text(f"select exists (select from {table}_rest where {key} >= :first and {key} < :following)"),
                {"first": first, "following": following},
            )
            if not held:
                bounds = f"for values from ('{first}') to ('{following}')"
                _create_partition(connection, table, f"{table}_{first:%Y_%m}", bounds)


def _create_partition(connection: Connection, table: str, name: str, bounds: str) -> None:
    if connection.scalar(text("select to_regclass(:name)"), {"name": name}) is None:
        connection.execute(text(f"create table {name} partition of {table} {bounds}"))
        connection.execute(text(f"alter table {name} enable row level security"))
        connection.execute(text(f"alter table {name} force row level security"))


def _months(today: date) -> Iterable[tuple[date, date]]:
    for ahead in range(_MONTHS_AHEAD + 1):
        start = today.year * 12 + today.month - 1 + ahead
        yield date(start // 12, start % 12 + 1, 1), date((start + 1) // 12, (start + 1) % 12 + 1, 1)
