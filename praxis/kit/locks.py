"""What to lock by, in the one locking order of Praxis.

1. Advisory locks before row locks: a transaction that holds a row never waits for an advisory lock.
2. Rows by id, ascending (`sorted_ids`), one statement per table: `SELECT .. WHERE id = ANY(..) ORDER BY id FOR UPDATE`.
3. Once: nothing is locked a second time to a stronger mode, and no lock is taken in a loop.
4. Late: after everything that can be read, computed or refused without a lock, and just before the writes.

Transactions that keep to it do not wait for each other in a ring. The constraint remains the proof; the lock makes the
common case fast and its refusal readable.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID


def lock_key(*parts: object) -> int:
    """Return the signed 64 bit key of a PostgreSQL advisory lock, the same in every process and release.

    Each part counts by its `str()`, so give ids, numbers and words: `lock_key("reorder", practice_id, item_id)`. Among
    a million keys two are the same with a chance of one in 37 million, and then only wait for each other.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = str(part).encode()
        digest.update(b"%d:" % len(text) + text)
    return int.from_bytes(digest.digest(), "big", signed=True)


def sorted_ids(ids: Iterable[UUID]) -> list[UUID]:
    """Return each id once, ascending by its bytes, which is how PostgreSQL orders uuid."""
    return sorted(set(ids))
