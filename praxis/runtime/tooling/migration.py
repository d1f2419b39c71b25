"""Start a migration: `python -m praxis.runtime.tooling.migration <service> "<message>"` writes a dated file to fill in."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from alembic import command

from praxis.kit.db import newest_revision
from praxis.kit.migrations import alembic_config
from praxis.runtime.tooling.tree import package_of, publishers


def create_migration(service: str, message: str) -> Path:
    """Write `<date>_<message>.py` behind the service's newest migration and return its path.

    ValueError for a service that is not in the tree, a message that makes no name, and a name that sorts before the newest.
    """
    if service not in publishers():
        raise ValueError(f"s= names one of {', '.join(publishers())}, not {service!r}")
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")
    if not slug:
        raise ValueError('m= says what changes, for example m="add reminders"')
    dated = f"{datetime.now(UTC):%Y_%m_%d}_{slug}"
    newest = newest_revision(package_of(service))
    if dated <= newest:
        raise ValueError(
            f"{dated} would sort before {newest}, and the order of names is the order of migrations: choose another m="
        )
    made = command.revision(alembic_config(package_of(service)), message=message, rev_id=dated)
    if made is None or isinstance(made, list):
        raise ValueError("Alembic made no single migration")
    return Path(made.path)


def main(arguments: list[str]) -> int:
    """Create the migration and print its path; return the exit code."""
    if len(arguments) != 2:
        print('usage: make migrate s=<service> m="<what changes>"')
        return 2
    try:
        print(create_migration(*arguments))
    except ValueError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
