"""Internal tokens: who asks, for one service, minted once and used until shortly before they end."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, Self

from praxis.kit.auth import Principal, TokenMinter, load_private_key, load_public_keys, public_text
from praxis.kit.clock import Clock
from praxis.kit.settings import LIMITS, InsecureSettings, Settings

RENEW_BEFORE: Final = timedelta(seconds=15)
"""A token leaves with at least so long to live, more than a request may take."""

MOST_KEPT: Final = 20_000


class TokenPurse:
    """Keeps the token of each principal and service."""

    def __init__(self, minter: TokenMinter, clock: Clock) -> None:
        self._minter = minter
        self._clock = clock
        self._kept: OrderedDict[tuple[Principal, str], tuple[datetime, str]] = OrderedDict()

    @classmethod
    def load(cls, settings: Settings, clock: Clock) -> Self:
        """Read `token.key`; its id is the name of the public file `token-<id>.pub` that holds the other half."""
        key = load_private_key(settings.secret("token.key"))
        public = public_text(key.public_key())
        for key_id, known in load_public_keys(settings.public_keys, "token").items():
            if public_text(known) == public:
                return cls(TokenMinter(key, key_id), clock)
        raise InsecureSettings(f"no token-*.pub in {settings.public_keys} matches the gateway's token.key")

    def token(self, principal: Principal, service: str) -> str:
        """Return a token that only `service` accepts."""
        now = self._clock.now()
        kept = self._kept.get((principal, service))
        if kept and now < kept[0]:
            return kept[1]
        token = self._minter.mint(principal, service, now)
        self._kept[principal, service] = (now + timedelta(seconds=LIMITS.token_seconds) - RENEW_BEFORE, token)
        self._kept.move_to_end((principal, service))
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return token
