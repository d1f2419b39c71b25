"""One id everywhere: UUIDv7, which sorts by the time it was made and is also a valid FHIR id."""

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_7 = 0x7 << 76
_VERSION_8 = 0x8 << 76
_VARIANT = 0b10 << 62
_COUNTER_END = 1 << 12
_RANDOM_62 = (1 << 62) - 1


class _Ticks:
    """Pairs of millisecond and counter that ascend, whatever the clock does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._milliseconds = 0
        self._counter = 0

    def next(self, seed: int) -> tuple[int, int]:
        # The counter starts below half its range (an 11 bit seed), so 2,048 ids or more fit into a millisecond; past
        # its end the next millisecond is borrowed, which keeps the order at the price of running ahead of the clock.
        now = time.time_ns() // 1_000_000
        with self._lock:
            if now > self._milliseconds:
                self._milliseconds, self._counter = now, seed
            elif self._counter + 1 < _COUNTER_END:
                self._counter += 1
            else:
                self._milliseconds, self._counter = self._milliseconds + 1, seed
            return self._milliseconds, self._counter


_ticks = _Ticks()


def new_id() -> UUID:
    """Make a UUIDv7 greater than every id this process made before, also across threads and when the clock is set back.

    Source: RFC 9562 section 5.7, and section 6.2 method 1 with rand_a as a 12 bit counter.
    """
    random = int.from_bytes(os.urandom(10), "big")
    milliseconds, counter = _ticks.next(random >> 69)
    return UUID(int=milliseconds << 80 | _VERSION_7 | counter << 64 | _VARIANT | random & _RANDOM_62)


def derived_id(namespace: UUID, *parts: str | int | UUID) -> UUID:
    """Return the same UUIDv8 for the same namespace and parts, in every process and release.

    It is the id of a row that a consumer makes from an event, so that a second delivery makes the same row. Parts keep
    their order and kind: `1` and `"1"` give different ids. It carries no time, so it does not sort.
    Source: RFC 9562 section 5.8 and appendix B.2, the first 122 free bits of a SHA-256.
    """
    digest = hashlib.sha256(namespace.bytes)
    for part in parts:
        kind, text = _spelled(part)
        digest.update(b"%c%d:" % (kind, len(text)) + text)
    bits = int.from_bytes(digest.digest()[:16], "big")
    return UUID(int=bits & ~(0xF << 76) & ~(0b11 << 62) | _VERSION_8 | _VARIANT)


def _spelled(part: str | int | UUID) -> tuple[bytes, bytes]:
    match part:
        case UUID():
            return b"u", part.bytes
        case int():
            return b"i", b"%d" % part
        case _:
            return b"s", part.encode()


def made_at(id: UUID) -> datetime:
    """Return the aware UTC millisecond a UUIDv7 was made in; ValueError for any other version, which holds none."""
    if id.version != 7:
        raise ValueError(f"a UUIDv{id.version} does not say when it was made")
    return _EPOCH + timedelta(milliseconds=id.int >> 80)
