"""Argon2id in two threads of their own: a hash costs 46 MiB and about 50 ms, so at most two run and a bounded number waits.

Parameters: RFC 9106 and the OWASP list, m = 47104 KiB, t = 1, p = 1.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.identity.domain import SignInBusy

KNOWN: Final = frozenset(Path(__file__).with_name("known_passwords.txt").read_text("ascii").split())
MOST_WAITING: Final = 64

_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)
_NOBODY: Final = _HASHER.hash("nobody has this password")

_Result = TypeVar("_Result")


class _Threads:
    """Two threads with a bounded number of waiting calls."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="password")
        self._inside = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        if self._inside >= MOST_WAITING:
            raise SignInBusy(retry_after=2)
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1


_THREADS: Final = _Threads()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and whether its hash was made with other parameters than today's."""

    is_right: bool
    is_outdated: bool = False


async def hash_password(text: str) -> str:
    """Return the encoded Argon2id hash of a password; raises SignInBusy."""
    return await _THREADS.run(lambda: _HASHER.hash(_bytes(text)))


async def verify_password(encoded: str | None, text: str) -> Verdict:
    """Compare a password with its hash, or with nobody's at the same cost when there is none; raises SignInBusy."""
    return await _THREADS.run(lambda: _verdict(encoded, text))


def is_guessable(text: str, login: str) -> bool:
    """Tell whether a password is on the list of known ones, of fewer than five different characters, or holds the login."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(character for character in folded if character.isalnum())
    return folded in KNOWN or plain in KNOWN or len(set(folded)) < 5 or _holds(folded, login)


def _holds(folded: str, login: str) -> bool:
    return len(login) > 3 and login.casefold() in folded


def _verdict(encoded: str | None, text: str) -> Verdict:
    try:
        _HASHER.verify(encoded or _NOBODY, _bytes(text))
    except (VerificationError, InvalidHashError):
        return Verdict(is_right=False)
    return Verdict(encoded is not None, encoded is not None and _HASHER.check_needs_rehash(encoded))


def _bytes(text: str) -> bytes:
    # The same key presses give composed characters on one machine and decomposed ones on another.
    return unicodedata.normalize("NFKC", text).encode()
