"""Who may enter: bearer tokens become principals, looked up at most every two seconds, each caller within its rate."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

from fastapi import Request
from starlette.types import Scope

from gateway.identity.domain import token_digest
from gateway.identity.queries import principal_of
from gateway.public import address_of
from gateway.rates import Buckets
from gateway.settings import GatewaySettings
from praxis.kit.auth import Principal
from praxis.kit.clock import Clock
from praxis.kit.db import Database
from praxis.kit.problems import Unauthenticated

RECHECK: Final = timedelta(seconds=2)
"""How long a revoked session or key may still be let in."""

FIELDS: Final = "praxis.fields"
"""Where the scope keeps response fields that the outermost layer adds to whatever is answered."""

MOST_KNOWN: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    checked_at: datetime
    principal: Principal


class Doorkeeper:
    """Turns a request's bearer token into its principal and counts the request."""

    def __init__(self, database: Database, clock: Clock, settings: GatewaySettings) -> None:
        self._database = database
        self._clock = clock
        self._callers = {"staff": Buckets(settings.staff), "client": Buckets(settings.client)}
        self._addresses = Buckets(settings.address)
        self._sign_ins = Buckets(settings.sign_in)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._checks: dict[bytes, asyncio.Task[Principal | None]] = {}

    async def identify(self, request: Request) -> Principal:
        """Return who asks; raises Unauthenticated and TooMany. The edge's `Authenticate`."""
        return await self.admit(request.scope)

    async def admit(self, scope: Scope) -> Principal:
        """Return who asks; raises Unauthenticated and TooMany."""
        now = self._clock.now()
        principal = await self._principal(scope, now)
        fields = self._callers[principal.kind].take(principal.id, now.timestamp())
        scope.setdefault(FIELDS, []).extend(fields)
        return principal

    def admit_anybody(self, scope: Scope) -> None:
        """Count a request that needs no principal; raises TooMany."""
        fields = self._addresses.take(address_of(scope), self._clock.now().timestamp())
        scope.setdefault(FIELDS, []).extend(fields)

    def admit_sign_in(self, scope: Scope) -> None:
        """Count a request that has a password checked, which costs more than any other; raises TooMany."""
        self._sign_ins.take(address_of(scope), self._clock.now().timestamp())

    async def _principal(self, scope: Scope, now: datetime) -> Principal:
        token = _bearer_token(scope)
        if not token:
            self._refuse(scope)
        digest = token_digest(token)
        known = self._known.get(digest)
        if known and timedelta(0) <= now - known.checked_at < RECHECK:
            return known.principal
        if known is None:
            # Whoever sends made-up tokens costs the database nothing once the address has used up its share.
            self._addresses.require_left(address_of(scope), now.timestamp())
        principal = await self._looked_up(digest, token, now)
        if principal is None:
            self._known.pop(digest, None)
            self._refuse(scope)
        self._keep(digest, _Known(now, principal))
        return principal

    def _refuse(self, scope: Scope) -> NoReturn:
        self.admit_anybody(scope)
        raise Unauthenticated

    async def _looked_up(self, digest: bytes, token: str, now: datetime) -> Principal | None:
        # Requests that come while a token is being looked up wait for that one look.
        check = self._checks.get(digest)
        if check is None:
            check = self._checks[digest] = asyncio.create_task(principal_of(self._database, token, now))
            check.add_done_callback(lambda _: self._checks.pop(digest, None))
        return await asyncio.shield(check)

    def _keep(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _bearer_token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else ""
    return ""
