"""The gateway, wired: its own endpoints, and the services behind the proxy."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from gateway import readiness
from gateway.addresses import place_caller
from gateway.answer_fields import AnswerFields
from gateway.documents import api as documents
from gateway.documents.queries import description
from gateway.doorkeeper import Doorkeeper
from gateway.identity import api as identity
from gateway.identity.consumers import consumers
from gateway.identity.domain import REFUSALS as IDENTITY_REFUSALS
from gateway.kept import Kept
from gateway.practices import api as practices
from gateway.practices.domain import REFUSALS as PRACTICE_REFUSALS
from gateway.proxy.app import Proxy
from gateway.proxy.bodies import WholeBody
from gateway.proxy.routes import prefix_of
from gateway.proxy.tokens import TokenPurse
from gateway.proxy.upstream import Upstream
from gateway.services import Services
from gateway.settings import GatewaySettings, Networks
from gateway.trace import api as trace
from praxis.kit.app import Service
from praxis.kit.auth import Principal
from praxis.kit.clock import Clock
from praxis.kit.http import problem_response
from praxis.kit.observe import ObserveMiddleware
from praxis.kit.problems import NotFound
from praxis.kit.settings import Profile, Settings

service = Service(
    name="gateway",
    package="gateway",
    routers=[practices.routes, identity.open_routes, identity.routes, trace.routes, documents.routes],
    consumers=[consumers],
    refusals={**PRACTICE_REFUSALS, **IDENTITY_REFUSALS},
)


class Gateway:
    """One ASGI application: paths of the route table go to their service, all others to the gateway's own endpoints."""

    def __init__(self, own: FastAPI, proxy: Proxy, profile: Profile, trusted_proxies: Networks) -> None:
        self.own = own
        self._trusted_proxies = trusted_proxies
        self._proxy = ObserveMiddleware(proxy)
        self._answer = AnswerFields(self._dispatch, profile)

    @property
    def state(self) -> State:
        """Return what the gateway is made of: `parts`, `edge`, `doorkeeper`, `services`, `upstreams`, and what is kept."""
        return self.own.state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        await self._answer(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.own(scope, receive, send)
            return
        place_caller(scope, self._trusted_proxies)
        if prefix := prefix_of(scope["path"]):
            scope["route"] = prefix
            await self._proxy(scope, receive, send)
        elif scope["path"].startswith("/internal"):
            # What publishers tell each other is not for callers from outside.
            await problem_response(NotFound())(scope, receive, send)
        else:
            await self.own(scope, receive, send)


def create(
    settings: Settings | None = None, clock: Clock | None = None, limits: GatewaySettings | None = None
) -> Gateway:
    """Return the application (uvicorn factory)."""
    limits = limits or GatewaySettings.load()
    own = service.build(settings, clock, lambda _: _identify)
    parts = own.state.parts
    tokens = TokenPurse.load(parts.settings, parts.clock)
    own.state.doorkeeper = Doorkeeper(parts.database, parts.clock, limits)
    own.state.services = Services(limits, tokens)
    own.state.upstreams = {name: Upstream(name, url, limits) for name, url in limits.upstreams.items()}
    own.state.health = Kept(lambda: readiness.whole_health(own), parts.clock, limits.ready_kept_seconds)
    own.state.description = Kept(lambda: description(own), parts.clock, limits.description_kept_seconds)
    own.state.metrics_open = limits.metrics_open
    own.router.routes[:0] = [Route("/readyz", readiness.ready), Route("/metrics", readiness.metrics)]
    own.router.lifespan_context = _closing(own)
    own.user_middleware.append(Middleware(WholeBody, limits.body_seconds))
    proxy = Proxy(own.state.doorkeeper, tokens, own.state.upstreams, limits.body_seconds)
    return Gateway(own, proxy, parts.settings.profile, limits.trusted_proxies)


async def close_connections(own: FastAPI) -> None:
    """Close the gateway's connections to the services."""
    await own.state.services.close()
    for upstream in own.state.upstreams.values():
        await upstream.close()


async def _identify(request: Request) -> Principal:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return await doorkeeper.identify(request)


def _closing(own: FastAPI) -> Lifespan[FastAPI]:
    run = own.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with run(app):
            try:
                yield
            finally:
                await close_connections(own)

    return lifespan
