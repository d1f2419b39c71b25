"""What the gateway's system role may read across practices: a token or a practice's code comes before the practice is known."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from praxis.kit.db import Base as KitBase
from praxis.kit.db import Database
from praxis.kit.problems import Unavailable
from praxis.kit.unit_of_work import NoRoom, driver_error


class Base(KitBase):
    """Declarative base of the gateway."""

    __abstract__ = True
    metadata = MetaData()


GATEWAY_SYSTEM_TABLES = {
    "practice_codes": "select",
    "users": "select",
    "staff_departures": "select",
    "sessions": "select, update (last_seen_at)",
    "api_clients": "select",
    "api_keys": "select",
    "login_attempts": "select, insert, update, delete",
}
"""Grants of the `_system` role beside `praxis.kit.db.SYSTEM_TABLES`; each table has the policy `system_duty`."""

GATEWAY_UNSCOPED_TABLES = {
    "login_attempts": "a wrong guess may name a practice that does not exist; only hashes are kept, for the system role alone",
}
"""Tables without a practice_id, each with its reason, beside `praxis.kit.db.UNSCOPED_TABLES`."""

GATEWAY_GLOBAL_KEYS = {
    "practice_codes_code": "people name their practice by its code when they sign in",
}
"""Unique constraints over all practices, each with its reason."""


@contextlib.asynccontextmanager
async def across_practices(database: Database) -> AsyncIterator[AsyncConnection]:
    """Lend a connection of the system role in autocommit mode; raises NoRoom and Unavailable."""
    try:
        async with database.system.connect() as connection:
            yield connection
    except PoolTimeout as error:
        raise NoRoom(retry_after=1) from error
    except (OSError, asyncpg.InterfaceError) as error:
        raise Unavailable("The database is out of reach.", retry_after=2) from error
    except DBAPIError as error:
        if isinstance(driver_error(error), (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)):
            raise Unavailable("The database is out of reach.", retry_after=2) from error
        raise
