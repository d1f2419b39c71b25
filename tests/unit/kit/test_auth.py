"""Internal tokens: who may use them, where, and for how long."""

import base64
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey

from praxis.kit.auth import Principal, TokenMinter, TokenVerifier, public_text
from praxis.kit.ids import new_id
from praxis.kit.problems import Unauthenticated

NOW = datetime(2027, 2, 1, 14, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
SOMEBODY = Principal(new_id(), new_id(), ("biller", "provider"), "staff", "TREAT", new_id(), new_id())


def minted(audience: str = "staff", at: datetime = NOW, key: Ed25519PrivateKey = KEY, key_id: str = "1") -> str:
    return TokenMinter(key, key_id).mint(SOMEBODY, audience, at)


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier({"1": KEY.public_key()}, "staff")


def test_a_token_carries_the_whole_principal(verifier: TokenVerifier):
    assert verifier.verify(minted(), NOW) == SOMEBODY
    assert verifier.verify(minted(), NOW + timedelta(seconds=59)) == SOMEBODY


@pytest.mark.parametrize("at", [NOW + timedelta(seconds=60), NOW + timedelta(days=1), NOW - timedelta(seconds=6)])
def test_a_token_is_good_for_its_minute_only_though_it_was_seen_before(verifier: TokenVerifier, at: datetime):
    token = minted()
    verifier.verify(token, NOW)
    fresh = TokenVerifier({"1": KEY.public_key()}, "staff")
    with pytest.raises(Unauthenticated):
        (verifier if at > NOW else fresh).verify(token, at)


def forged_claims(token: str, **changes: object) -> str:
    head, body, signature = token.split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(orjson.dumps({**claims, **changes})).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def without_algorithm(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"1"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def signed_with_the_public_key() -> str:
    secret = OctKey.import_key(public_text(KEY.public_key()))
    claims = {"iss": "praxis-gateway", "aud": "staff", "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}
    return jwt.encode({"alg": "HS256", "kid": "1"}, claims, secret, algorithms=["HS256"])


@pytest.mark.parametrize(
    "token",
    [
        minted(audience="billing"),
        minted(key=Ed25519PrivateKey.generate()),
        minted(key_id="2"),
        minted()[:-2] + "AA",
        forged_claims(minted(), roles=["medical_office_manager"]),
        forged_claims(minted(), exp=int(NOW.timestamp()) + 10_000),
        without_algorithm(minted()),
        signed_with_the_public_key(),
        "",
        "a.b.c",
        "é.ü.ß",
    ],
    ids=["audience", "key", "key-id", "signature", "roles", "expiry", "none", "hs256", "empty", "rubbish", "not-ascii"],
)
def test_what_the_gateway_did_not_mint_for_this_service_is_refused(verifier: TokenVerifier, token: str):
    with pytest.raises(Unauthenticated):
        verifier.verify(token, NOW)
