"""What the migrations made of a database, as text: tables, columns, constraints, indexes, policies, triggers, grants, functions.

The text of every publisher is committed beside its migrations, so a change of the schema shows in review and drift fails a test.
Monthly partitions are left out: they depend on the day.
"""

import asyncpg

from praxis.kit.db import migrations_folder

_PARTS = {
    "column": """
        select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
               || case when a.attnotnull then ' not null' else '' end
               || case when a.attidentity <> '' then ' identity' else '' end
               || coalesce(case when a.attgenerated <> '' then ' generated ' else ' default ' end
                           || pg_get_expr(d.adbin, d.adrelid), '')
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    """,
    "table": """
        select c.relname || ' owner ' || pg_get_userbyid(c.relowner) || ' kind ' || c.relkind::text
               || case when c.relrowsecurity then ' row-security' else '' end
               || case when c.relforcerowsecurity then ' forced' else '' end
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    """,
    "constraint": """
        select c.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        from pg_constraint k join pg_class c on c.oid = k.conrelid
        where c.relnamespace = 'public'::regnamespace and not c.relispartition and k.contype <> 'n'
    """,
    "index": """
        select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid
        where c.relnamespace = 'public'::regnamespace and not c.relispartition
    """,
    "policy": """
        select tablename || '.' || policyname || ' to ' || array_to_string(roles, ',') || ' ' || cmd
               || ' using ' || coalesce(qual, '-') || ' check ' || coalesce(with_check, '-')
        from pg_policies where schemaname = 'public'
    """,
    "trigger": """
        select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal and c.relnamespace = 'public'::regnamespace and not c.relispartition
    """,
    "grant": """
        select c.relname || ' to ' || pg_get_userbyid(g.grantee) || ' '
               || string_agg(g.privilege_type, ',' order by g.privilege_type)
        from pg_class c, lateral aclexplode(c.relacl) g
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        group by c.relname, g.grantee
    """,
    "column-grant": """
        select c.relname || '.' || a.attname || ' to ' || pg_get_userbyid(g.grantee) || ' ' || g.privilege_type
        from pg_class c join pg_attribute a on a.attrelid = c.oid, lateral aclexplode(a.attacl) g
        where c.relnamespace = 'public'::regnamespace
    """,
    "function": """
        select p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
               || case when p.prosecdef then ' security definer' else '' end || ' md5 ' || md5(p.prosrc)
        from pg_proc p
        where p.pronamespace = 'public'::regnamespace
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    """,
}


async def catalog_text(connection: asyncpg.Connection) -> str:
    """Return the catalog of the connected database, one sorted line per object."""
    lines: list[str] = []
    for part, query in _PARTS.items():
        lines += sorted(f"{part} {row[0]}" for row in await connection.fetch(query))
    return "\n".join(lines) + "\n"


def committed_catalog(package: str) -> str:
    """Return the committed catalog of a publisher; `package` is e.g. `services.billing`."""
    file = migrations_folder(package) / "catalog.txt"
    return file.read_text("utf-8") if file.exists() else ""


def write_catalog(package: str, text: str) -> None:
    """Commit to a catalog: it is compared with what the migrations make from now on."""
    (migrations_folder(package) / "catalog.txt").write_text(text, "utf-8")
