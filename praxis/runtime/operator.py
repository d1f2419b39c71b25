"""What an operator does to an installation beside its API: look at events, replay, republish, verify."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg

from praxis.kit.app import Parts, Service
from praxis.kit.audit import verify_practice
from praxis.kit.clock import SystemClock
from praxis.kit.db import UnsafeDatabase
from praxis.kit.relay import republish
from praxis.kit.settings import PUBLISHERS, Settings
from praxis.runtime.stack import PACKAGES
from praxis.runtime.state import State


def settings_of(state: State, publisher: str) -> Settings:
    """Return the settings of a publisher of a running installation with embedded servers."""
    ports = state.ports
    return Settings(
        service=publisher,
        profile="development",
        role="all",
        secrets_dir=Path(state.secrets / "praxis"),
        nats_url=f"nats://127.0.0.1:{ports['nats']}",
        database_url=f"postgresql://127.0.0.1:{ports['postgres']}/{publisher}",
    )


@asynccontextmanager
async def system_connection(state: State, publisher: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the publisher's system role."""
    connection = await asyncpg.connect(settings_of(state, publisher).role_dsn("system"))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def parts_of(state: State, publisher: str) -> AsyncIterator[Parts]:
    """Wire a publisher's parts in this process, without relay, inbox loop or jobs."""
    service: Service = import_module(f"{PACKAGES[publisher]}.app").service
    parts = service.parts(settings_of(state, publisher), SystemClock())
    try:
        yield parts
    finally:
        await parts.close()


async def parked(state: State) -> list[dict[str, Any]]:
    """Return the parked events of every consumer, oldest first."""
    found: list[dict[str, Any]] = []
    for publisher in PUBLISHERS:
        async with system_connection(state, publisher) as connection:
            rows = await connection.fetch(
                "select consumer, event_id, subject, tries, error, first_at, last_at from failed_deliveries "
                "where state = 'parked' order by first_at"
            )
            found.extend(dict(row) for row in rows)
    return found


async def replay(state: State, consumer: str, event_id: str) -> None:
    """Deliver a parked event again; raises KeyError for an unknown one and Refused when the consumer still refuses it."""
    async with parts_of(state, consumer) as parts:
        await parts.inbox.replay(event_id)


async def republish_range(state: State, publisher: str, first: int, last: int | None) -> int:
    """Mark a range of a publisher's events as unsent; its relay sends them within a second."""
    async with system_connection(state, publisher) as connection:
        return await republish(connection, first, last)


async def tail(state: State, last: int, follow: bool) -> None:
    """Print the newest `last` events of all publishers, and every further one while `follow`."""
    positions = dict.fromkeys(PUBLISHERS, -1)
    while True:
        rows = [row for publisher in PUBLISHERS for row in await _newer(state, publisher, positions, last)]
        for row in sorted(rows, key=lambda row: row["recorded_at"])[-last if -1 in positions.values() else 0 :]:
            when, story = f"{row['recorded_at']:%H:%M:%S.%f}", row["correlation_id"]
            print(f"{when} {row['subject']:<48} {row['aggregate_id']} story {story}", flush=True)
        if not follow:
            return
        await asyncio.sleep(0.5)


async def _newer(state: State, publisher: str, positions: dict[str, int], last: int) -> list[asyncpg.Record]:
    async with system_connection(state, publisher) as connection:
        rows = await connection.fetch(
            "select position, recorded_at, subject, aggregate_id, correlation_id from outbox "
            "where position > $1 order by position desc limit $2",
            positions[publisher],
            last if positions[publisher] < 0 else 1000,
        )
        positions[publisher] = max([row["position"] for row in rows], default=max(positions[publisher], 0))
        return list(rows)


async def findings(state: State) -> list[str]:
    """Return one line per thing that does not hold; nothing when all is well."""
    found: list[str] = []
    for publisher in PUBLISHERS:
        found += await _findings_of(state, publisher)
    return found + [
        f"{row['consumer']}: event {row['event_id']} is parked: {row['error']}" for row in await parked(state)
    ]


async def _findings_of(state: State, publisher: str) -> list[str]:
    found: list[str] = []
    async with parts_of(state, publisher) as parts, system_connection(state, publisher) as connection:
        try:
            await parts.database.require_safe()
        except UnsafeDatabase as error:
            found.append(str(error))
        for row in await connection.fetch("select practice_id from practices"):
            seal = await verify_practice(connection, row["practice_id"])
            found += (
                [f"{publisher}: audit seal {seal} of practice {row['practice_id']} does not fit its rows"]
                if seal
                else []
            )
        if gap := await connection.fetchval(_GAP):
            found.append(f"{publisher}: producer sequence {gap} is missing from the outbox")
    return found


_GAP = """
select n from generate_series(
    (select min(producersequence) from outbox), (select last_number from relay_state)) n
where not exists (select from outbox where producersequence = n) limit 1
"""
