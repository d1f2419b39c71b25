"""Who is asking: the principal, and the internal token that carries it from the gateway to one service.

The token is an Ed25519 JWT of 60 seconds for one audience. Verification is cached by digest until it expires, because checking a
signature costs more than most requests' own work.
"""

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from praxis.kit.problems import Unauthenticated
from praxis.kit.settings import LIMITS

ISSUER = "praxis-gateway"
ALGORITHM = "Ed25519"

ActorKind = Literal["staff", "client", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a signed-in person, an API client, or a part of Praxis itself (`system`)."""

    id: UUID
    practice_id: UUID
    roles: tuple[str, ...]
    kind: ActorKind = "staff"
    purpose: str = "TREAT"
    session_id: UUID | None = None
    staff_member_id: UUID | None = None


SYSTEM_ID = UUID("00000000-0000-7000-8000-000000000001")


def system_principal(practice_id: UUID, part: str) -> Principal:
    """Return the principal of a consumer, job or seed: `part` names it in the audit trail."""
    return Principal(SYSTEM_ID, practice_id, (f"system:{part}",), "system", "HOPERAT")


def load_private_key(text: str) -> Ed25519PrivateKey:
    """Read a base64 Ed25519 seed of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text))


def load_public_keys(folder: Path, prefix: str) -> dict[str, Ed25519PublicKey]:
    """Read `<prefix>-<name>.pub` files (base64, 32 bytes) as a mapping name -> key."""
    files = sorted(folder.glob(f"{prefix}-*.pub"))
    return {
        file.stem.removeprefix(f"{prefix}-"): Ed25519PublicKey.from_public_bytes(
            base64.b64decode(file.read_text("ascii"))
        )
        for file in files
    }


def public_text(key: Ed25519PublicKey) -> str:
    """Return a public key as the base64 text that `load_public_keys` reads."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")


class TokenMinter:
    """Mints internal tokens; only the gateway holds one."""

    def __init__(self, private_key: Ed25519PrivateKey, key_id: str) -> None:
        self._key = OKPKey.import_key(private_key)
        self._header = {"alg": ALGORITHM, "kid": key_id}

    def mint(self, principal: Principal, audience: str, now: datetime) -> str:
        """Return a token that only `audience` accepts, for 60 seconds from `now`."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": audience,
            "sub": str(principal.id),
            "act": principal.kind,
            "practice": str(principal.practice_id),
            "roles": list(principal.roles),
            "pur": principal.purpose,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=LIMITS.token_seconds)).timestamp()),
        }
        if principal.session_id:
            claims["sid"] = str(principal.session_id)
        if principal.staff_member_id:
            claims["staff"] = str(principal.staff_member_id)
        return jwt.encode(self._header, claims, self._key, algorithms=[ALGORITHM])


class TokenVerifier:
    """Turns a token into a `Principal`, or refuses it as 401 without saying why."""

    def __init__(self, keys: dict[str, Ed25519PublicKey], audience: str, cached: int = 4096) -> None:
        self._keys = {kid: OKPKey.import_key(key) for kid, key in keys.items()}
        self._audience = audience
        self._cached = cached
        self._seen: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def verify(self, token: str, now: datetime) -> Principal:
        """Check signature, issuer, audience and times; raises Unauthenticated."""
        digest = hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=16).digest()
        seen = self._seen.get(digest)
        if seen and seen[0] > now.timestamp():
            return seen[1]
        expires, principal = self._read(token, now.timestamp())
        self._seen[digest] = (expires, principal)
        if len(self._seen) > self._cached:
            self._seen.popitem(last=False)
        return principal

    def _read(self, token: str, now: float) -> tuple[float, Principal]:
        try:
            decoded = jwt.decode(token, lambda obj: self._keys[str(obj.headers()["kid"])], algorithms=[ALGORITHM])
            claims = decoded.claims
            expires, issued = float(claims["exp"]), float(claims["iat"])
            if claims["iss"] != ISSUER or claims["aud"] != self._audience or not issued - 5 <= now < expires:
                raise Unauthenticated
            return expires, _principal(claims)
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Unauthenticated from error


def _principal(claims: dict[str, Any]) -> Principal:
    return Principal(
        id=UUID(claims["sub"]),
        practice_id=UUID(claims["practice"]),
        roles=tuple(claims["roles"]),
        kind=claims["act"],
        purpose=claims["pur"],
        session_id=UUID(claims["sid"]) if "sid" in claims else None,
        staff_member_id=UUID(claims["staff"]) if "staff" in claims else None,
    )
