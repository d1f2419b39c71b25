"""Every table of every publisher is walled by practice, and is what its committed catalog says.

After a change of migrations: `PRAXIS_WRITE_CATALOG=1 pytest tests/service/kit/test_census.py` writes the new catalogs for review.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from gateway.db import GATEWAY_GLOBAL_KEYS, GATEWAY_SYSTEM_TABLES, GATEWAY_UNSCOPED_TABLES
from praxis.kit.databases import create_database
from praxis.kit.db import SYSTEM_TABLES, UNSCOPED_TABLES
from praxis.kit.migrations import migrate
from praxis.kit.settings import PUBLISHERS, role_name
from praxis.runtime.stack import PACKAGES
from praxis.runtime.tooling.catalog import catalog_text, committed_catalog, write_catalog
from tests.conftest import TODAY
from tests.support.servers import Servers

REVIEWED_DEFINERS = {
    "inventory": {"post_movement"},
}
"""SECURITY DEFINER functions that were read: each names the practice itself and pins its search path."""


@dataclass
class Migrated:
    """A publisher's freshly migrated database, seen by the superuser."""

    publisher: str
    connection: asyncpg.Connection

    async def column(self, query: str) -> set[str]:
        return {row[0] for row in await self.connection.fetch(query)}


@pytest_asyncio.fixture(loop_scope="session", params=PUBLISHERS)
async def migrated(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Migrated]:
    """Migrate a database of its own for one publisher."""
    publisher = request.param
    database = f"census_{publisher}"
    settings = servers.settings(publisher, database)
    await create_database(servers.admin_dsn, settings, database)
    await migrate(settings, PACKAGES[publisher], TODAY)
    connection = await asyncpg.connect(servers.postgres.admin_dsn(database))
    yield Migrated(publisher, connection)
    await connection.close()


_TABLES = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') "


def unscoped(publisher: str) -> set[str]:
    return set(UNSCOPED_TABLES) | (set(GATEWAY_UNSCOPED_TABLES) if publisher == "gateway" else set())


def system_tables(publisher: str) -> set[str]:
    return set(SYSTEM_TABLES) | (set(GATEWAY_SYSTEM_TABLES) if publisher == "gateway" else set())


async def test_every_table_forces_row_security_or_is_listed_with_its_reason(migrated: Migrated):
    tables = await migrated.column(_TABLES)
    forced = await migrated.column(_TABLES + "and relrowsecurity and relforcerowsecurity")
    assert tables - forced <= unscoped(migrated.publisher)
    assert unscoped(migrated.publisher) <= tables


async def test_every_walled_table_admits_the_app_role_to_rows_of_its_practice_alone(migrated: Migrated):
    walled = await migrated.column(
        "select tablename::text from pg_policies where policyname = 'practice_wall' "
        f"and roles = array['{role_name(migrated.publisher, 'app')}']::name[] and cmd = 'ALL' "
        "and qual like '(practice_id = (NULLIF(current_setting(%' and with_check = qual"
    )
    tables = await migrated.column(_TABLES + "and not relispartition")
    assert walled == tables - unscoped(migrated.publisher)


async def test_no_other_policy_lets_the_app_role_through(migrated: Migrated):
    others = await migrated.column(
        "select tablename || '.' || policyname from pg_policies where policyname <> 'practice_wall' "
        f"and not roles = array['{role_name(migrated.publisher, 'system')}']::name[]"
    )
    assert others == set()


async def test_the_system_role_has_policies_on_the_listed_tables_only(migrated: Migrated):
    with_policy = await migrated.column("select tablename::text from pg_policies where policyname = 'system_duty'")
    assert with_policy == system_tables(migrated.publisher) - set(UNSCOPED_TABLES)


async def test_keys_and_references_start_with_the_practice(migrated: Migrated):
    wrong = await migrated.column(
        "select k.conrelid::regclass || '.' || k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1] "
        "where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'f', 'x') and not c.relispartition "
        "and a.attname <> 'practice_id'"
    )
    explained = {name for name in wrong if name.split(".")[1] in GATEWAY_GLOBAL_KEYS}
    assert {name.split(".")[0] for name in wrong - explained} <= unscoped(migrated.publisher)


async def test_the_app_role_owns_nothing_creates_nothing_and_cannot_truncate_or_delete_history(migrated: Migrated):
    role = role_name(migrated.publisher, "app")
    assert await migrated.column(f"select relname::text from pg_class where relowner = '{role}'::regrole") == set()
    assert not await migrated.connection.fetchval("select has_schema_privilege($1, 'public', 'CREATE')", role)
    truncatable = await migrated.column(_TABLES + f"and has_table_privilege('{role}', oid, 'TRUNCATE')")
    assert truncatable == set()
    changeable = await migrated.column(
        "select tgrelid::regclass::text from pg_trigger where tgname like '%_append_only_row' "
        f"and (has_table_privilege('{role}', tgrelid, 'UPDATE') or has_table_privilege('{role}', tgrelid, 'DELETE'))"
    )
    assert changeable == set()


async def test_views_run_as_their_reader_and_definer_functions_are_reviewed(migrated: Migrated):
    views = await migrated.column(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm') "
        "and not coalesce(reloptions::text like '%security_invoker=true%', false)"
    )
    assert views == set()
    definers = await migrated.column(
        "select proname::text from pg_proc where pronamespace = 'public'::regnamespace and prosecdef"
    )
    assert definers == REVIEWED_DEFINERS.get(migrated.publisher, set())


async def test_the_schema_is_what_its_committed_catalog_says(migrated: Migrated):
    found = await catalog_text(migrated.connection)
    if os.environ.get("PRAXIS_WRITE_CATALOG"):
        write_catalog(PACKAGES[migrated.publisher], found)
    assert found == committed_catalog(PACKAGES[migrated.publisher])
