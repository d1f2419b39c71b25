"""Practices, users, sessions and API clients."""

from alembic import op

from gateway.db import GATEWAY_SYSTEM_TABLES
from praxis.kit.db import role_name
from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_practices_and_identity"
down_revision = None
branch_labels = None
depends_on = None

tables = Tables("gateway")

STAFF_ROLES = "array['medical_office_manager', 'lead_medical_assistant', 'medical_assistant', 'provider', 'receptionist', 'biller']"
CLIENT_ROLES = "array['ehr_client', 'partner_client']"


def upgrade() -> None:
    tables.create_kit()
    _create_practices()
    _create_users()
    _create_sessions()
    _create_clients()
    _create_login_attempts()
    system = role_name("gateway", "system")
    for table, grants in GATEWAY_SYSTEM_TABLES.items():
        op.execute(f"create policy system_duty on {table} to {system} using (true) with check (true)")
        op.execute(f"grant {grants} on {table} to {system}")


def _create_practices() -> None:
    op.execute(f"""
        create table practice_codes (
            {PRACTICE_COLUMN},
            code text not null check (code ~ '^[a-z][a-z0-9-]{{2,39}}$'),
            primary key (practice_id),
            constraint practice_codes_code unique (code)
        )
    """)
    tables.protect("practice_codes", app="select, insert")


def _create_users() -> None:
    op.execute(f"""
        create table users (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            login text not null check (login ~ '^[a-z0-9][a-z0-9._@+-]{{2,63}}$'),
            roles text[] not null check (cardinality(roles) > 0 and roles <@ {STAFF_ROLES}),
            staff_member_id uuid,
            status text not null check (status in ('active', 'inactive')),
            password_hash text not null check (password_hash ~ '^\\$argon2id\\$'),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint users_login unique (practice_id, login)
        )
    """)
    op.execute(
        "create unique index users_staff_member on users (practice_id, staff_member_id) "
        "where status = 'active' and staff_member_id is not null"
    )
    tables.protect("users")
    op.execute(f"""
        create table staff_departures (
            {PRACTICE_COLUMN},
            staff_member_id uuid not null,
            heard_at timestamptz not null,
            primary key (practice_id, staff_member_id)
        )
    """)
    tables.protect("staff_departures", app="select, insert")


def _create_sessions() -> None:
    op.execute(f"""
        create table sessions (
            {PRACTICE_COLUMN},
            id uuid not null,
            user_id uuid not null,
            token_hash bytea not null check (length(token_hash) = 32),
            started_at timestamptz not null,
            last_seen_at timestamptz not null,
            expires_at timestamptz not null check (expires_at > started_at),
            revoked_at timestamptz,
            primary key (practice_id, id),
            constraint sessions_user foreign key (practice_id, user_id) references users (practice_id, id)
        )
    """)
    op.execute("create index sessions_token on sessions (token_hash)")
    op.execute("create index sessions_of on sessions (practice_id, user_id) where revoked_at is null")
    tables.protect("sessions")


def _create_clients() -> None:
    op.execute(f"""
        create table api_clients (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            name text not null check (length(name) between 1 and 80),
            roles text[] not null check (cardinality(roles) > 0 and roles <@ {CLIENT_ROLES}),
            status text not null check (status in ('active', 'revoked')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint api_clients_name unique (practice_id, name)
        )
    """)
    tables.protect("api_clients")
    op.execute(f"""
        create table api_keys (
            {PRACTICE_COLUMN},
            id uuid not null,
            api_client_id uuid not null,
            token_hash bytea not null check (length(token_hash) = 32),
            issued_at timestamptz not null,
            expires_at timestamptz not null check (expires_at > issued_at),
            revoked_at timestamptz,
            primary key (practice_id, id),
            constraint api_keys_client foreign key (practice_id, api_client_id) references api_clients (practice_id, id)
        )
    """)
    op.execute("create index api_keys_token on api_keys (token_hash)")
    op.execute("create index api_keys_of on api_keys (practice_id, api_client_id)")
    tables.protect("api_keys")


def _create_login_attempts() -> None:
    op.execute("""
        create table login_attempts (
            subject bytea primary key check (length(subject) = 32),
            attempted_at timestamptz[] not null,
            last_at timestamptz not null
        )
    """)
    op.execute("create index login_attempts_stale on login_attempts (last_at)")
    op.execute("alter table login_attempts enable row level security")
    op.execute("alter table login_attempts force row level security")
