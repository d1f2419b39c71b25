"""The relay: carries the outbox to the bus, in order, one active per database.

Numbers are given to unsent rows and committed before anything is published, so a crash re-sends the same bytes under the same
number; readers see at least once, in order of commit, without gaps.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import nats.errors
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from praxis.kit import failpoints
from praxis.kit.bus import SIGNATURE, Bus
from praxis.kit.clock import Clock
from praxis.kit.db import Database
from praxis.kit.locks import lock_key
from praxis.kit.observe import gauge, histogram, log
from praxis.kit.outbox import signed_body
from praxis.kit.settings import LIMITS

CHANNEL = "praxis_outbox"
BEFORE_PUBLISH = failpoints.declare("relay.before-publish")
AFTER_PUBLISH = failpoints.declare("relay.after-publish")
AFTER_MARK = failpoints.declare("relay.after-mark")

_lag = histogram("praxis_relay_lag_seconds", "From the event's transaction to the bus's acknowledgement")
_unsent = gauge("praxis_outbox_unsent", "Outbox rows waiting for the bus")

_NUMBER = """
with waiting as (
    select position, row_number() over (order by position) as place from outbox
    where published_at is null and producersequence is null order by position limit $1
), numbered as (
    update outbox o set producersequence = s.last_number + w.place
    from waiting w, relay_state s where o.position = w.position and o.published_at is null returning 1
)
update relay_state set last_number = last_number + (select count(*) from waiting)
where exists (select from waiting)
"""

_UNSENT = """
select position, event_id, subject, envelope, producersequence, recorded_at from outbox
where published_at is null and producersequence is not null order by position limit $1
"""

_MARK = "update outbox set published_at = $2 where position = any($1::bigint[]) and published_at is null"

_BUS_FAILURES = (OSError, TimeoutError, nats.errors.Error, NoStreamResponseError, APIError)


class Relay:
    """Publishes this publisher's outbox for as long as it holds the database's relay lock."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._work = asyncio.Event()
        self.is_active = False

    async def run(self) -> None:
        """Relay for ever; standing by while another process relays, and starting anew after any failure of the database."""
        while True:
            try:
                await self._lead()
            except Exception as error:
                log.warning("relay-restarts", error=type(error).__name__)
            self.is_active = False
            await asyncio.sleep(0.5)

    async def _lead(self) -> None:
        connection = await self._database.listener()
        try:
            while not await connection.fetchval("select pg_try_advisory_lock($1)", lock_key("relay")):
                await asyncio.sleep(0.5)
            self.is_active = True
            await connection.add_listener(CHANNEL, lambda *_: self._work.set())
            await self._heal_lost_stream(connection)
            while True:
                self._work.clear()
                if not await self.relay_batch(connection):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._work.wait(), LIMITS.relay_poll / 1000)
        finally:
            await connection.close(timeout=2)

    async def _heal_lost_stream(self, connection: asyncpg.Connection) -> None:
        """Make the stream; when the server has lost it, mark what it should hold as unsent."""
        await self._bus.connected()
        while True:
            try:
                known = await self._bus.last_sequence()
                await self._bus.ensure_stream()
                break
            except _BUS_FAILURES as error:
                log.warning("relay-waits-for-bus", error=type(error).__name__)
                await asyncio.sleep(0.5)
        if not known:
            await republish(connection, first_number=1)

    async def relay_batch(self, connection: asyncpg.Connection) -> int:
        """Number, publish and mark one batch; return how many were published (0 also while the bus is down)."""
        await connection.execute(_NUMBER, LIMITS.relay_batch)
        # The index of unsent rows is by position; numbers follow positions but for rows that committed late.
        unsent = await connection.fetch(_UNSENT, LIMITS.relay_batch)
        rows = sorted(unsent, key=lambda row: row["producersequence"])
        _unsent.set(len(rows))
        if not rows:
            return 0
        failpoints.hit(BEFORE_PUBLISH)
        sent = await self._publish_all(rows)
        failpoints.hit(AFTER_PUBLISH)
        if sent:
            now = self._clock.now()
            await connection.execute(_MARK, [row["position"] for row in sent], now)
            failpoints.hit(AFTER_MARK)
            for row in sent:
                _lag.observe((now - row["recorded_at"]).total_seconds())
        if len(sent) < len(rows):
            await self._bus_failed(connection)
        return len(sent)

    async def _bus_failed(self, connection: asyncpg.Connection) -> None:
        await asyncio.sleep(0.5)
        with contextlib.suppress(*_BUS_FAILURES, NotFoundError):
            if await self._bus.last_sequence() is None:
                await self._heal_lost_stream(connection)

    async def _publish_all(self, rows: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
        """Publish in order, 64 in flight; return the acknowledged rows up to the first that failed."""
        sent: list[asyncpg.Record] = []
        for start in range(0, len(rows), LIMITS.relay_in_flight):
            window = rows[start : start + LIMITS.relay_in_flight]
            results = await asyncio.gather(*(self._publish(row) for row in window), return_exceptions=True)
            for row, result in zip(window, results, strict=True):
                if isinstance(result, _BUS_FAILURES):
                    log.warning("relay-cannot-publish", error=type(result).__name__)
                    return sent
                if isinstance(result, BaseException):
                    raise result
                sent.append(row)
        return sent

    async def _publish(self, row: asyncpg.Record) -> None:
        body = signed_body(row["envelope"], row["producersequence"])
        headers = {"Nats-Msg-Id": str(row["event_id"]), SIGNATURE: self._bus.signer.sign(row["subject"], body)}
        await self._bus.stream.publish(row["subject"], body, headers=headers)


async def republish(connection: asyncpg.Connection, first_number: int, last_number: int | None = None) -> int:
    """Mark the rows of a range of producer sequences as unsent so that the relay sends them again; return how many."""
    status = await connection.execute(
        "update outbox set published_at = null "
        "where published_at is not null and producersequence >= $1 and producersequence <= coalesce($2, producersequence)",
        first_number,
        last_number,
    )
    return int(status.split()[-1])


class RelayBell:
    """Rings the relay of this database after commits: at most one NOTIFY under way, sent outside the transaction.

    NOTIFY inside a transaction makes PostgreSQL serialise commits; a lost ring only costs the poll interval.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Ask for a NOTIFY soon; never waits."""
        self._rung.set()

    async def run(self) -> None:
        """Send the notifications for ever, reconnecting when the connection is lost."""
        while True:
            try:
                await self._notify_for_ever()
            except Exception as error:
                log.warning("relay-bell-restarts", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _notify_for_ever(self) -> None:
        connection = await self._database.listener()
        try:
            while True:
                await self._rung.wait()
                self._rung.clear()
                await connection.execute(f"notify {CHANNEL}")
        finally:
            await connection.close(timeout=2)
