"""Making databases ready, in two steps, each a process of its own: the second imports for longer than the first runs.

`python -m praxis.runtime.prepare databases` creates missing roles and databases; it needs PRAXIS_ADMIN_DATABASE_URL, a superuser.
`python -m praxis.runtime.prepare migrations` migrates every publisher and, in development, opens the demo practice.
Both read the environment of `kit.settings`.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime

from praxis.kit.settings import PUBLISHERS, Settings


async def create_databases() -> None:
    """Create the roles and the database of every publisher where they are missing."""
    from praxis.kit.databases import create_database

    admin = os.environ["PRAXIS_ADMIN_DATABASE_URL"]
    for name in PUBLISHERS:
        settings = Settings.load(name)
        await create_database(admin, settings, settings.database_url.rsplit("/", 1)[1])


async def run_migrations() -> None:
    """Migrate one publisher after the other, for Alembic's `op` is one object of the whole process; then open the demo practice."""
    from praxis.kit.migrations import migrate
    from praxis.runtime.stack import PACKAGES

    for name in PUBLISHERS:
        await migrate(Settings.load(name), PACKAGES[name], datetime.now(UTC).date())
    if Settings.load("gateway").profile == "development":
        from praxis.runtime.demo.practice import open_demo_practice
        from praxis.runtime.state import State

        await open_demo_practice(Settings.load("gateway"), State.open())


if __name__ == "__main__":
    asyncio.run({"databases": create_databases, "migrations": run_migrations}[sys.argv[1]]())
