"""Idempotency keys: the same key and body give the same reply, stored in the transaction of the effect, for seven days.

The key's advisory lock is taken in the BEGIN message, so a twin waits (at most the lock timeout) until the first has committed and
then finds the stored reply. Refusals are never stored: they are evaluated again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from praxis.kit.locks import lock_key
from praxis.kit.problems import Conflict, Invalid
from praxis.kit.secrets import Keyring
from praxis.kit.settings import LIMITS

PURPOSE = "idempotency-reply"


class KeyReused(Invalid):
    """422: the key was used with another body."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used with another body"


class TwinRunning(Conflict):
    """409 with Retry-After: another request with this key is still running."""

    code = "idempotency-key-in-use"
    title = "A request with this Idempotency-Key is still running"
    retryable = True


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished 2xx reply. `headers` are those that a replay must repeat (ETag, Location, Link)."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key by one principal on one route."""

    practice_id: UUID
    principal_id: UUID
    route: str
    key: str
    body_hash: bytes

    @classmethod
    def of(cls, practice_id: UUID, principal_id: UUID, route: str, key: str, body: bytes) -> "Claim":
        """Hash `body` (the bytes as sent, with the path) into a claim."""
        return cls(practice_id, principal_id, route, key, hashlib.sha256(body).digest())

    @property
    def lock(self) -> int:
        """Return the advisory lock that twins wait for."""
        return lock_key("idempotency", self.practice_id, self.principal_id, self.route, self.key)


_FIND = """
select body_hash, status, headers, reply from idempotency_keys
where principal_id = $1 and route = $2 and key = $3 and created_at > $4
"""


def keyed_hash(claim: Claim, keyring: Keyring) -> bytes:
    """Return what is stored of the body: keyed, so that a stored hash helps nobody to guess a body (a password, say)."""
    return keyring.sign(PURPOSE, claim.body_hash)


async def find_reply(driver: asyncpg.Connection, claim: Claim, keyring: Keyring, now: datetime) -> Reply | None:
    """Return the stored reply of `claim`, or None when the key is new; raises KeyReused for another body."""
    since = now - timedelta(days=LIMITS.key_days)
    row = await driver.fetchrow(_FIND, claim.principal_id, claim.route, claim.key, since)
    if row is None:
        return None
    if row["body_hash"] != keyed_hash(claim, keyring):
        raise KeyReused(facts={"idempotency_key": claim.key})
    body = keyring.unseal(claim.practice_id, PURPOSE, row["reply"])
    return Reply(row["status"], orjson.loads(row["headers"]), body.encode("utf-8"))
