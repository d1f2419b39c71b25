"""The audit trail: who did or saw what, append-only, written with the change, sealed by a hash chain afterwards.

A chain kept by the request itself would serialise a practice's commits. So rows carry the transaction id, and a job seals in order
all rows of transactions that are surely finished (below the snapshot's xmin): nothing can slip in behind a seal unseen.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from praxis.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class Touch:
    """A record that was changed or shown."""

    entity: str | None = None
    entity_id: UUID | None = None
    revision: int | None = None
    patient_id: UUID | None = None


def columns(touches: list[Touch]) -> tuple[list[Any], ...]:
    """Return the touches as parallel arrays for one insert, each with a new audit id."""
    return (
        [new_id() for _ in touches],
        [t.entity for t in touches],
        [t.entity_id for t in touches],
        [t.revision for t in touches],
        [t.patient_id for t in touches],
    )


GENESIS = bytes(32)

_UNSEALED = """
select a.xact::text as xact, a::text as line from audit a
where a.practice_id = $1 and a.xact >= $2::text::xid8 and a.xact < pg_snapshot_xmin(pg_current_snapshot())
order by a.xact, a.audit_id
"""

_RANGE = """
select a::text as line from audit a
where a.practice_id = $1 and a.xact >= $2::text::xid8 and a.xact < $3::text::xid8 order by a.xact, a.audit_id
"""

_LAST = "select number, before_xact::text, hash from audit_seals where practice_id = $1 order by number desc limit 1"

_SEAL = """
insert into audit_seals (practice_id, number, before_xact, rows, previous, hash, sealed_at)
values ($1, $2, $3::text::xid8, $4, $5, $6, $7)
"""


def chain(previous: bytes, lines: list[str]) -> bytes:
    """Return the SHA-256 over the previous seal and each row's text, with lengths so that no two lists collide."""
    digest = hashlib.sha256(previous)
    for line in lines:
        encoded = line.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.digest()


async def seal_practice(driver: asyncpg.Connection, practice_id: UUID, now: datetime) -> int:
    """Seal the practice's rows of finished transactions; return how many. One caller at a time (the job's lease)."""
    last = await driver.fetchrow(_LAST, practice_id)
    start, number, previous = (last["before_xact"], last["number"], last["hash"]) if last else ("0", 0, GENESIS)
    rows = await driver.fetch(_UNSEALED, practice_id, start)
    if rows:
        before = str(int(rows[-1]["xact"]) + 1)
        seal = chain(previous, [row["line"] for row in rows])
        await driver.execute(_SEAL, practice_id, number + 1, before, len(rows), previous, seal, now)
    return len(rows)


async def verify_practice(driver: asyncpg.Connection, practice_id: UUID) -> int | None:
    """Recompute every seal of the practice; return the number of the first that does not fit, or None when all do."""
    seals = await driver.fetch(
        "select number, before_xact::text as before_xact, rows, previous, hash from audit_seals "
        "where practice_id = $1 order by number",
        practice_id,
    )
    previous, start = GENESIS, "0"
    for expected, seal in enumerate(seals, start=1):
        rows = await driver.fetch(_RANGE, practice_id, start, seal["before_xact"])
        whole = seal["number"] == expected and seal["previous"] == previous and seal["rows"] == len(rows)
        if not whole or seal["hash"] != chain(previous, [row["line"] for row in rows]):
            return int(seal["number"])
        previous, start = seal["hash"], seal["before_xact"]
    return None
