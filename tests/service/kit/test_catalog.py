"""The catalog that tells drift (tests/service/kit/test_census.py) sees every kind of change that a migration could make."""

import asyncpg
import pytest

from praxis.kit.databases import create_database
from praxis.kit.migrations import migrate
from praxis.runtime.tooling.catalog import catalog_text
from tests.conftest import TODAY
from tests.support.servers import Servers


@pytest.mark.parametrize(
    "change",
    [
        "alter table staff_members add column nickname text",
        "alter table staff_members alter column npi set default '0'",
        "alter table staff_members drop constraint staff_members_npi",
        "alter table staff_members no force row level security",
        "drop policy practice_wall on staff_members",
        "drop index staff_members_name",
        "drop trigger audit_append_only_row on audit",
        "grant delete on staff_members to praxis_staff_app",
        "grant update (envelope) on outbox to praxis_staff_app",
        "create view everybody as select * from staff_members",
        "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
        "create table strays (x int)",
    ],
)
async def test_a_change_that_no_migration_made_shows(servers: Servers, change: str):
    settings = servers.settings("staff", "drift_staff")
    await create_database(servers.admin_dsn, settings, "drift_staff")
    await migrate(settings, "services.staff", TODAY)
    connection = await asyncpg.connect(settings.role_dsn("migrate"))
    try:
        await connection.execute("begin")
        before = await catalog_text(connection)
        await connection.execute(change)
        assert await catalog_text(connection) != before
    finally:
        await connection.close()
