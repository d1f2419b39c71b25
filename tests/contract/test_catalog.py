"""Drift: an empty database, migrated, is exactly what docs/catalog says, and a page misses no kind of thing."""

import asyncpg
import pytest

from praxis.kit.databases import create_database
from praxis.kit.migrations import migrate
from praxis.runtime.tooling.catalog import FOLDER, PARTITIONS_FROM, snapshot
from praxis.runtime.tooling.tree import ROOT, publishers, service_of
from tests.support.servers import Servers


async def catalog(servers: Servers, publisher: str, change: str | None = None) -> str:
    """Return the catalog of a freshly migrated database, after `change` when one is given; the change is taken back."""
    settings = servers.settings(publisher, f"drift_{publisher}")
    await create_database(servers.admin_dsn, settings, f"drift_{publisher}")
    await migrate(settings, service_of(publisher).package, PARTITIONS_FROM)
    connection = await asyncpg.connect(settings.role_dsn("migrate"))
    try:
        await connection.execute("begin")
        if change:
            await connection.execute(change)
        return await snapshot(connection)
    finally:
        await connection.close()


@pytest.mark.parametrize("publisher", publishers())
async def test_a_migrated_database_is_what_its_page_says(servers: Servers, publisher: str):
    assert await catalog(servers, publisher) == (ROOT / FOLDER / f"{publisher}.txt").read_text("utf-8"), (
        "run `make catalog`"
    )


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
    before = await catalog(servers, "staff")
    assert await catalog(servers, "staff", change) != before
