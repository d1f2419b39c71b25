"""A publisher's roles and database, as an administrator of the server makes them. Imports little: it runs before all else."""

import asyncpg

from praxis.kit.settings import Settings, role_name


async def create_database(admin_dsn: str, settings: Settings, database: str) -> None:
    """Create the three roles and the database of a publisher where they are missing; safe to run again.

    `admin_dsn` is a superuser's URL. Nobody but the three roles may connect; btree_gist serves the exclusion constraints.
    """
    admin = await asyncpg.connect(admin_dsn)
    try:
        await _create_roles(admin, settings)
        if not await admin.fetchval("select 1 from pg_database where datname = $1", database):
            await admin.execute(f'create database "{database}" owner {role_name(settings.service, "migrate")}')
        await grant_database(admin, settings.service, database)
    finally:
        await admin.close()


async def _create_roles(admin: asyncpg.Connection, settings: Settings) -> None:
    options = {"app": "nobypassrls", "system": "nobypassrls", "migrate": "bypassrls"}
    for kind in ("app", "system", "migrate"):
        role = role_name(settings.service, kind)
        password = settings.secret(f"db-{kind}.password").replace("'", "''")
        verb = "alter" if await admin.fetchval("select 1 from pg_roles where rolname = $1", role) else "create"
        await admin.execute(
            f"{verb} role {role} login nosuperuser nocreatedb nocreaterole {options[kind]} password '{password}'"
        )


async def grant_database(admin: asyncpg.Connection, service: str, database: str) -> None:
    """Let only the publisher's own roles connect. A clone of a template database loses these grants: apply them again."""
    await admin.execute(f'revoke all on database "{database}" from public')
    for kind in ("app", "system", "migrate"):
        await admin.execute(f'grant connect on database "{database}" to {role_name(service, kind)}')
