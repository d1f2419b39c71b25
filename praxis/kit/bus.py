"""NATS JetStream as Praxis uses it: a courier. One stream per publisher, one durable pull consumer per reader, signed events.

Subject permissions do not prove the sender (a publish acknowledgement can be steered into a foreign stream), so every event carries
an Ed25519 signature over subject and body, checked by the reader against the publisher's public key.
"""

import asyncio
import base64
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import nats
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from praxis.contracts.event import publisher_of
from praxis.kit.auth import load_private_key, load_public_keys
from praxis.kit.observe import log
from praxis.kit.settings import LIMITS, PUBLISHERS, Settings

SIGNATURE = "Praxis-Signature"
STREAM_BYTES = 256 * 1024 * 1024
"""The outbox is the record: the stream only has to hold what readers have not fetched yet."""


def stream_of(publisher: str) -> str:
    """Return the stream that keeps a publisher's events."""
    return f"PRAXIS_{publisher.upper()}"


class ForgedEvent(Exception):
    """The signature is absent, wrong, or by a key that does not own the subject."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs events with the publisher's own key."""

    key: Ed25519PrivateKey

    def sign(self, subject: str, body: bytes) -> str:
        """Return the base64 signature over subject, a zero byte and the exact body."""
        return base64.b64encode(self.key.sign(subject.encode() + b"\0" + body)).decode("ascii")


@dataclass(frozen=True, slots=True)
class Verifier:
    """Knows every publisher's public key."""

    keys: dict[str, Ed25519PublicKey]

    def verify(self, subject: str, body: bytes, signature: str | None) -> None:
        """Raise ForgedEvent unless the publisher that owns `subject` signed exactly this."""
        try:
            key = self.keys[publisher_of(subject)]
            key.verify(base64.b64decode(signature or "", validate=True), subject.encode() + b"\0" + body)
        except (KeyError, ValueError, InvalidSignature, IndexError) as error:
            raise ForgedEvent(subject) from error


class Bus:
    """One publisher's connection to NATS: keeps trying for ever, notices a dead peer within about ten seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = Client()
        self._connected = asyncio.Event()
        self.signer = Signer(load_private_key(settings.secret("event.key")))
        self.verifier = Verifier(load_public_keys(settings.public_keys, "event"))

    @property
    def service(self) -> str:
        """Return the publisher whose connection this is."""
        return self._settings.service

    @property
    def is_connected(self) -> bool:
        """Tell whether the server answers now."""
        return self._client.is_connected

    @property
    def stream(self) -> JetStreamContext:
        """Return the JetStream context; calls on it fail while the connection is down."""
        return self._client.jetstream(timeout=LIMITS.bus_seconds)

    async def connect(self) -> None:
        """Connect, retrying until the server is there."""
        while not self._connected.is_set():
            try:
                await self._client.connect(
                    self._settings.nats_url,
                    name=f"praxis-{self.service}",
                    nkeys_seed_str=self._settings.secret("nats.seed"),
                    inbox_prefix=f"_INBOX_{self.service}".encode(),
                    ping_interval=5,
                    max_outstanding_pings=2,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    connect_timeout=2,
                    error_cb=_report,
                )
                self._connected.set()
            except (OSError, TimeoutError, nats.errors.Error) as error:
                log.warning("bus-unreachable", error=type(error).__name__)
                self._client = Client()
                await asyncio.sleep(0.5)

    async def connected(self) -> None:
        """Wait until the first connection is made."""
        await self._connected.wait()

    async def ensure_stream(self) -> None:
        """Create this publisher's stream when the server does not have it (first start, or a server that lost its disk)."""
        await self.stream.add_stream(
            StreamConfig(
                name=stream_of(self.service),
                subjects=[f"praxis.{self.service}.>"],
                storage=StorageType.FILE,
                max_bytes=STREAM_BYTES,
                max_msg_size=256 * 1024,
                discard=DiscardPolicy.OLD,
            )
        )

    async def ensure_consumer(self, publisher: str, subjects: Iterable[str]) -> None:
        """Create or update this service's durable on a publisher's stream.

        Raises NotFoundError while the publisher has not made its stream yet.
        """
        config = ConsumerConfig(
            durable_name=self.service,
            ack_policy=AckPolicy.EXPLICIT,
            filter_subjects=sorted(subjects),
            ack_wait=LIMITS.consumer_ack_seconds,
            max_deliver=-1,
            max_ack_pending=LIMITS.consumer_unacknowledged,
        )
        await self.stream.add_consumer(stream_of(publisher), config)

    async def reader(self, publisher: str) -> JetStreamContext.PullSubscription:
        """Return one more pull subscription of this service's durable."""
        return await self.stream.pull_subscribe_bind(durable=self.service, stream=stream_of(publisher))

    async def last_sequence(self) -> int | None:
        """Return the sequence of this publisher's stream, or None where the server has no such stream."""
        try:
            return (await self.stream.stream_info(stream_of(self.service))).state.last_seq
        except NotFoundError:
            return None

    async def close(self) -> None:
        """Close the connection; unacknowledged messages come again to whoever reads next."""
        if self._connected.is_set():
            with contextlib.suppress(OSError, TimeoutError, nats.errors.Error):
                await self._client.close()


async def _report(error: Exception) -> None:
    log.warning("bus-error", error=type(error).__name__)


def server_authorization(public_nkeys: dict[str, str]) -> str:
    """Return the `authorization` block of a NATS server: one nkey per publisher, nobody else, own subjects only."""
    users = ",\n".join(_user(name, public_nkeys[name]) for name in PUBLISHERS)
    return f"authorization {{\n  timeout: 2\n  users: [\n{users}\n  ]\n}}\n"


def _user(name: str, nkey: str) -> str:
    own = stream_of(name)
    publish = [
        f"praxis.{name}.>",
        f"$JS.API.STREAM.CREATE.{own}",
        f"$JS.API.STREAM.UPDATE.{own}",
        f"$JS.API.STREAM.INFO.{own}",
        f"$JS.API.CONSUMER.CREATE.*.{name}",
        f"$JS.API.CONSUMER.CREATE.*.{name}.>",
        f"$JS.API.CONSUMER.DURABLE.CREATE.*.{name}",
        f"$JS.API.CONSUMER.INFO.*.{name}",
        f"$JS.API.CONSUMER.MSG.NEXT.*.{name}",
        f"$JS.ACK.*.{name}.>",
    ]
    listed = ", ".join(f'"{subject}"' for subject in publish)
    return (
        f'    {{ nkey: "{nkey}", permissions: {{ publish: {{ allow: [{listed}] }}, '
        f'subscribe: {{ allow: ["_INBOX_{name}.>"] }} }} }}'
    )
