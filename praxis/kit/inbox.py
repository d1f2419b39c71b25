"""Consuming events: verified, each effect exactly once, in the practice of the event, in any order of arrival.

A consumer is a function of a session and a payload. The inbox row is written in its transaction, so a redelivery finds it and does
nothing. Only refusals by the handler count as tries; after five the event is parked with its error, listed, and can be replayed.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError, ServiceUnavailableError
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from praxis.contracts.event import EVENTS, Envelope, Event, publisher_of
from praxis.kit import failpoints
from praxis.kit.auth import system_principal
from praxis.kit.bus import SIGNATURE, Bus, ForgedEvent
from praxis.kit.clock import Clock
from praxis.kit.db import Database
from praxis.kit.observe import histogram, log, start_trace
from praxis.kit.problems import Unavailable
from praxis.kit.settings import LIMITS
from praxis.kit.unit_of_work import Busy, Cause, Session, UnitOfWork

BEFORE_EFFECT = failpoints.declare("inbox.before-effect")
BEFORE_ACK = failpoints.declare("inbox.before-ack")
AFTER_ACK = failpoints.declare("inbox.after-ack")

_lag = histogram("praxis_event_lag_seconds", "From the event's transaction to the consumer's commit")

Handler = Callable[[Session, Any], Awaitable[None]]


class Consumers:
    """The consumers of one slice. `@consumers.on(VisitCompletedV1)` registers an async function (session, payload)."""

    def __init__(self) -> None:
        self.handlers: list[tuple[type[Event], Handler]] = []

    def on(self, *events: type[Event]) -> Callable[[Handler], Handler]:
        """Register the decorated function for each of `events`; its name says the effect."""

        def register(handler: Handler) -> Handler:
            self.handlers.extend((event, handler) for event in events)
            return handler

        return register


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came from the bus or from the parked table."""

    subject: str
    body: bytes
    signature: str | None


_INBOX = text(
    "insert into inbox (consumer, event_id, event_at, subject, aggregate_id, correlation_id, producersequence, received_at) "
    "values (:consumer, :event_id, :event_at, :subject, :aggregate_id, :correlation_id, :number, :now) on conflict do nothing"
)

_FAILED = text(
    "insert into failed_deliveries "
    "(consumer, event_id, state, tries, subject, body, signature, error, first_at, last_at) "
    "values (:consumer, :event_id, :state, 1, :subject, :body, :signature, :error, :now, :now) "
    "on conflict (consumer, event_id) do update set tries = failed_deliveries.tries + 1, error = excluded.error, "
    "last_at = excluded.last_at, state = case when failed_deliveries.tries + 1 >= :most then 'parked' else excluded.state end "
    "returning state"
)

_SOLVED = text("delete from failed_deliveries where consumer = :consumer and event_id = :event_id")


class Refused(Exception):
    """The handler (or the envelope) refused the event; counts as a try unless it can never succeed."""

    def __init__(self, event_id: str, reason: str, final: bool) -> None:
        super().__init__(reason)
        self.event_id = event_id
        self.final = final


class Inbox:
    """Runs every consumer of one service against the streams of the publishers it listens to."""

    def __init__(
        self, database: Database, bus: Bus, unit_of_work: UnitOfWork, clock: Clock, consumers: Iterable[Consumers]
    ) -> None:
        self._database = database
        self._bus = bus
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        for group in consumers:
            for event, handler in group.handlers:
                self._handlers[event.TYPE].append(handler)

    @property
    def publishers(self) -> dict[str, set[str]]:
        """Return publisher -> event types that this service consumes."""
        found: dict[str, set[str]] = defaultdict(set)
        for event_type in self._handlers:
            found[publisher_of(event_type)].add(event_type)
        return dict(found)

    async def run(self) -> None:
        """Consume every publisher for ever."""
        await self._bus.connected()
        await asyncio.gather(*(self._follow(publisher, types) for publisher, types in self.publishers.items()))

    async def _follow(self, publisher: str, types: set[str]) -> None:
        readers = (self._read(publisher) for _ in range(LIMITS.consumer_at_once))
        await asyncio.gather(self._keep_consumer(publisher, types), *readers)

    async def _keep_consumer(self, publisher: str, types: set[str]) -> None:
        """Make the durable consumer, and again whenever the broker has lost it or the publisher has just made its stream."""
        while True:
            try:
                await self._bus.ensure_consumer(publisher, types)
                await asyncio.sleep(LIMITS.consumer_renewal / 1000)
            except Exception as error:
                if not isinstance(error, NotFoundError):
                    log.warning("consumer-waits", publisher=publisher, error=type(error).__name__)
                await asyncio.sleep(0.2)

    async def _read(self, publisher: str) -> None:
        # One message a fetch: with more, the client may hold the first back until the batch is full or its time is over.
        subscription: JetStreamContext.PullSubscription | None = None
        while True:
            started = asyncio.get_running_loop().time()
            try:
                subscription = subscription or await self._bus.reader(publisher)
                for message in await subscription.fetch(1, timeout=LIMITS.consumer_wait / 1000):
                    await self._handle(message)
            except (TimeoutError, nats.errors.TimeoutError, ServiceUnavailableError):
                # An answer sooner than the time asked for means that the consumer is not there (yet).
                if asyncio.get_running_loop().time() - started < 1:
                    await asyncio.sleep(0.2)
            except Exception as error:
                log.warning("reader-restarts", publisher=publisher, error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _handle(self, message: Msg) -> None:
        delivery = Delivery(message.subject, message.data, (message.headers or {}).get(SIGNATURE))
        try:
            await self.deliver(delivery)
        except Refused as refusal:
            if not await self._is_parked(delivery, refusal):
                await self._postpone(message)
                return
        except Exception as error:
            log.warning("delivery-postponed", subject=message.subject, error=type(error).__name__)
            await self._postpone(message)
            return
        failpoints.hit(BEFORE_ACK)
        await message.ack()
        failpoints.hit(AFTER_ACK)

    async def _postpone(self, message: Msg) -> None:
        await message.nak(delay=min(2**message.metadata.num_delivered * 0.1, 30))

    async def _is_parked(self, delivery: Delivery, refusal: Refused) -> bool:
        try:
            return await self._count_failure(delivery, refusal) == "parked"
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("failure-not-counted", subject=delivery.subject, error=type(error).__name__)
            return False

    async def deliver(self, delivery: Delivery) -> None:
        """Give one delivery to its handlers, at most once; raises Refused, Unavailable or Busy."""
        envelope, event = self._open(delivery)
        start_trace(envelope.traceparent)
        failpoints.hit(BEFORE_EFFECT)
        for handler in self._handlers[envelope.type]:
            await self._effect(envelope, event, handler)
        _lag.observe(max(0.0, (self._clock.now() - envelope.time).total_seconds()))

    def _open(self, delivery: Delivery) -> tuple[Envelope, Event]:
        try:
            self._bus.verifier.verify(delivery.subject, delivery.body, delivery.signature)
            envelope = Envelope.model_validate_json(delivery.body)
            if envelope.type != delivery.subject:
                raise ForgedEvent(delivery.subject)
            return envelope, EVENTS[envelope.type].model_validate(envelope.data)
        except ForgedEvent as error:
            raise Refused(_digest(delivery), "the signature is not the publisher's", final=True) from error
        except (ValidationError, KeyError) as error:
            raise Refused(_digest(delivery), f"unreadable: {type(error).__name__}", final=True) from error

    async def _effect(self, envelope: Envelope, event: Event, handler: Handler) -> None:
        name = f"{handler.__module__.removeprefix('services.')}.{handler.__name__}"
        cause = Cause(
            principal=system_principal(envelope.practice, name),
            operation=name,
            correlation_id=envelope.correlationid,
            causation_id=envelope.id,
            audited=False,
        )

        async def work(session: Session) -> None:
            if await session.execute(_INBOX, _inbox_row(envelope, name, session)):
                await handler(session, event)

        try:
            await self._unit_of_work.run(cause, work)
        except (Unavailable, Busy, OSError, TimeoutError):
            raise
        except Exception as error:
            log.error(
                "event-refused", subject=envelope.type, event_id=str(envelope.id), consumer=name, error=_reason(error)
            )
            raise Refused(str(envelope.id), _reason(error), final=False) from error

    async def _count_failure(self, delivery: Delivery, refusal: Refused) -> str:
        async with self._database.system.connect() as connection:
            state: str = await connection.scalar(
                _FAILED,
                {
                    "consumer": self._bus.service,
                    "event_id": refusal.event_id,
                    "state": "parked" if refusal.final else "trying",
                    "subject": delivery.subject,
                    "body": delivery.body,
                    "signature": delivery.signature or "",
                    "error": str(refusal),
                    "now": self._clock.now(),
                    "most": LIMITS.consumer_tries,
                },
            )
        if state == "parked":
            log.error("event-parked", subject=delivery.subject, event_id=refusal.event_id, error=str(refusal))
        return state

    async def replay(self, event_id: str) -> None:
        """Deliver a parked event again and forget it when it succeeds; raises Refused, or KeyError for an unknown one."""
        key = {"consumer": self._bus.service, "event_id": event_id}
        query = text(
            "select subject, body, signature from failed_deliveries where consumer = :consumer and event_id = :event_id"
        )
        async with self._database.system.connect() as connection:
            row = (await connection.execute(query, key)).one_or_none()
            if row is None:
                raise KeyError(event_id)
            await self.deliver(Delivery(row.subject, bytes(row.body), row.signature))
            await connection.execute(_SOLVED, key)


def _inbox_row(envelope: Envelope, consumer: str, session: Session) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "event_id": envelope.id,
        "event_at": envelope.time,
        "subject": envelope.type,
        "aggregate_id": envelope.subject,
        "correlation_id": envelope.correlationid,
        "number": envelope.producersequence,
        "now": session.now,
    }


def _digest(delivery: Delivery) -> str:
    """Name an event whose own id cannot be trusted: by what its bytes are."""
    return "unverified-" + hashlib.sha256(delivery.subject.encode() + b"\0" + delivery.body).hexdigest()[:32]


def _reason(error: BaseException) -> str:
    """Return the kind of refusal without any value that the event or a row may hold."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__}:{code}" if isinstance(code, str) else type(error).__name__
