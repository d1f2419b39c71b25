"""What the migrations make of an empty database: `python -m praxis.runtime.tooling.catalog` writes docs/catalog/<publisher>.txt.

Tables with columns, constraints, indexes, policies, triggers and grants, functions too; a test compares a migrated database with the
committed page, so that no migration changes protection unseen. Monthly partitions are left out: their names carry dates.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from praxis.kit.migrations import create_database, migrate
from praxis.runtime.postgres import EmbeddedPostgres
from praxis.runtime.secrets import create_secrets
from praxis.runtime.state import State
from praxis.runtime.tooling.tree import ROOT, publishers, service_of, settings_of

FOLDER = Path("docs/catalog")
PARTITIONS_FROM = date(2027, 1, 1)

_LINES = """
with kept as (
    select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relkind from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'S') and not c.relispartition
      and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('e', 'i'))
)
select relname as thing, 0 as rank, 0 as place, format('%s%s', case relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end,
       case when relforcerowsecurity and relrowsecurity then ', row security forced' else '' end) as line from kept
union all
select k.relname, 1, a.attnum, format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
       case when a.attnotnull then ' not null' else '' end, case a.attidentity when '' then '' else ' identity' end,
       coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''))
from kept k join pg_attribute a on a.attrelid = k.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = k.oid and d.adnum = a.attnum where k.relkind <> 'S'
union all
select k.relname, 2, 0, format('  constraint %s %s', c.conname, pg_get_constraintdef(c.oid))
from kept k join pg_constraint c on c.conrelid = k.oid and c.contype <> 'n'
union all
select k.relname, 3, 0, '  ' || pg_get_indexdef(i.indexrelid)
from kept k join pg_index i on i.indrelid = k.oid where not exists (select from pg_constraint c where c.conindid = i.indexrelid)
union all
select k.relname, 4, 0, format('  policy %s for %s to %s using %s with check %s', p.policyname, p.cmd,
       array_to_string(p.roles, ', '), coalesce(p.qual, '-'), coalesce(p.with_check, '-'))
from kept k join pg_policies p on p.tablename = k.relname and p.schemaname = 'public'
union all
select k.relname, 5, 0, '  ' || pg_get_triggerdef(t.oid) from kept k join pg_trigger t on t.tgrelid = k.oid and not t.tgisinternal
union all
select k.relname, 6, 0, format('  grant %s to %s', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type), g.grantee::regrole)
from kept k, aclexplode(k.relacl) g group by k.relname, g.grantee
union all
select k.relname, 7, 0, format('  grant %s (%s) to %s', lower(g.privilege_type), string_agg(a.attname, ', ' order by a.attnum), g.grantee::regrole)
from kept k join pg_attribute a on a.attrelid = k.oid, aclexplode(a.attacl) g group by k.relname, g.grantee, g.privilege_type
union all
select p.proname, 8, 0, 'function ' || regexp_replace(pg_get_functiondef(p.oid), '\\s+', ' ', 'g') from pg_proc p
where p.pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend d where d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e')
order by thing, rank, place, line
"""


async def snapshot(connection: asyncpg.Connection) -> str:
    """Return the catalog of a migrated database as text, in an order that depends on names alone."""
    rows = await connection.fetch(_LINES)
    lines = (f"\n{row['thing']}: {row['line']}" if row["rank"] in (0, 8) else row["line"] for row in rows)
    return "\n".join(lines).lstrip() + "\n"


@contextmanager
def _server() -> Iterator[tuple[EmbeddedPostgres, Path]]:
    with TemporaryDirectory(prefix="praxis-catalog-", ignore_cleanup_errors=True) as folder:
        state = State(Path(folder))
        secrets = create_secrets(state.secrets / "praxis", development=True)
        postgres = EmbeddedPostgres(state, durable=False)
        postgres.initialise()
        program = postgres.program()
        with (state.logs / "postgres.log").open("w") as log:
            child = subprocess.Popen(program.argv, env=program.env, cwd=program.cwd, stdout=log, stderr=log)
        try:
            postgres.wait_ready()
            yield postgres, secrets
        finally:
            child.send_signal(program.stop_signal)
            child.wait(30)


async def _write_all(postgres: EmbeddedPostgres, secrets: Path) -> None:
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    for publisher in publishers():
        settings = settings_of(publisher, secrets, f"postgresql://127.0.0.1:{postgres.port}")
        await create_database(postgres.admin_dsn(), settings, publisher)
        await migrate(settings, service_of(publisher).package, PARTITIONS_FROM)
        connection = await asyncpg.connect(settings.role_dsn("migrate"))
        try:
            (ROOT / FOLDER / f"{publisher}.txt").write_text(await snapshot(connection), "utf-8")
        finally:
            await connection.close()


def main() -> None:
    """Write the page of every publisher in the tree."""
    with _server() as (postgres, secrets):
        asyncio.run(_write_all(postgres, secrets))


if __name__ == "__main__":
    main()
