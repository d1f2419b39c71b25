"""Sealing, blind indexes and signatures, all from one master key in the secrets folder.

Every practice has keys of its own, derived and never stored: what one practice sealed does not open in another, and
neither does it open under another purpose. `purpose` names table and column, such as `billing.coverage.member_id`.
"""

import base64
import hashlib
import hmac
import os
import tempfile
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER = "master.key"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MAC_BYTES = 16
_VERSION = b"\x01"


class SealBroken(Exception):
    """Sealed bytes were changed, cut, moved to another practice or purpose, or sealed under another master key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of this installation, derived from 32 bytes of master key.

    Sealed bytes are: version (1), key id (4), nonce (12), ciphertext, tag (16); so 33 bytes longer than the UTF-8 text.
    """

    master: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.master) != _KEY_BYTES:
            raise ValueError(f"a master key has {_KEY_BYTES} bytes, not {len(self.master)}")

    @classmethod
    def load(cls, folder: Path) -> "Keyring":
        """Read `master.key`, base64 of 32 bytes, from the secrets folder.

        OSError when it cannot be read, ValueError when it is not that; its mode is for the caller to check.
        """
        try:
            return cls(base64.b64decode((folder / MASTER).read_bytes().strip(), validate=True))
        except ValueError as error:
            raise ValueError(f"{folder / MASTER} has to hold 32 bytes in base64: {error}") from None

    def seal(self, practice_id: UUID, purpose: str, text: str) -> bytes:
        """Encrypt with AES-256-GCM; two seals of the same text differ, so use `blind_index` to look one up."""
        head = _VERSION + _key_id(self.master)
        nonce = os.urandom(_NONCE_BYTES)
        cipher = _cipher(self.master, practice_id.bytes)
        return head + nonce + cipher.encrypt(nonce, text.encode(), _bound_to(head, practice_id, purpose))

    def unseal(self, practice_id: UUID, purpose: str, sealed: bytes) -> str:
        """Decrypt what `seal` made for this practice and purpose; raises `SealBroken` for anything else."""
        head = _VERSION + _key_id(self.master)
        nonce, body = sealed[len(head) : len(head) + _NONCE_BYTES], sealed[len(head) + _NONCE_BYTES :]
        if sealed[: len(head)] != head or len(nonce) != _NONCE_BYTES:
            raise SealBroken("sealed under another key or format")
        try:
            bound_to = _bound_to(head, practice_id, purpose)
            text = _cipher(self.master, practice_id.bytes).decrypt(nonce, body, bound_to)
        except InvalidTag:
            raise SealBroken("changed, or moved to another practice or purpose") from None
        return text.decode()

    def blind_index(self, practice_id: UUID, purpose: str, text: str) -> bytes:
        """Return 16 bytes that are equal for equal texts of one practice and purpose, and tell nothing else.

        Case, width, composition of accents and the amount of white space do not count; punctuation does.
        """
        key = _derived(self.master, practice_id.bytes, b"praxis blind index")
        return _mac(key, purpose, _normalised(text).encode())

    def sign(self, purpose: str, data: bytes) -> bytes:
        """Return a 16 byte HMAC for what goes out and comes back, such as cursors; one key serves all practices."""
        return _mac(_derived(self.master, b"", b"praxis signature"), purpose, data)

    def verify(self, purpose: str, data: bytes, mac: bytes) -> bool:
        """Tell, in constant time, whether `sign` made this mac for this purpose and data."""
        return hmac.compare_digest(self.sign(purpose, data), mac)


def generate_secret(folder: Path, name: str) -> Path:
    """Write 32 random bytes in base64 with mode 0600 and return the path; a secret already there stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / name
    if target.exists():
        return target
    handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of processes starting at once the first one wins, and nobody reads half a secret.
        os.link(draft, target)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return target


@lru_cache(maxsize=8192)
def _derived(master: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt or None, info=info).derive(master)


@lru_cache(maxsize=4096)
def _cipher(master: bytes, practice: bytes) -> AESGCM:
    return AESGCM(_derived(master, practice, b"praxis seal"))


def _key_id(master: bytes) -> bytes:
    return _derived(master, b"", b"praxis key id")[:4]


def _bound_to(head: bytes, practice_id: UUID, purpose: str) -> bytes:
    return head + practice_id.bytes + purpose.encode()


def _mac(key: bytes, purpose: str, data: bytes) -> bytes:
    # The length keeps purpose and data apart: ("ab", "c") and ("a", "bc") differ.
    name = purpose.encode()
    return hmac.digest(key, b"%d:" % len(name) + name + data, hashlib.sha256)[:_MAC_BYTES]


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
