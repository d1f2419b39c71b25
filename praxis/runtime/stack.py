"""The whole of Praxis on one machine: which processes there are, what each is told, and in which order they become ready."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO
from uuid import UUID

import asyncpg

from praxis.kit.bus import server_authorization
from praxis.kit.settings import LIMITS, PUBLISHERS, SERVICES, Settings
from praxis.runtime.demo.keys import has_keys, read_keys
from praxis.runtime.nats import EmbeddedNats
from praxis.runtime.postgres import EmbeddedPostgres
from praxis.runtime.probes import http_ready
from praxis.runtime.secrets import create_secrets, public_nkeys
from praxis.runtime.state import State
from praxis.runtime.supervisor import Program, Stage, Supervisor

PACKAGES = {"gateway": "gateway"} | {name: f"services.{name}" for name in SERVICES}
"""Publisher -> the package that holds its code and migrations."""


class Stack:
    """The programs of one installation. With PRAXIS_<PUBLISHER>_DATABASE_URL and PRAXIS_NATS_URL set nothing embedded starts."""

    def __init__(self, state: State, environ: Mapping[str, str] = os.environ) -> None:
        self._state = state
        self._given = dict(environ)
        self._embedded = "PRAXIS_NATS_URL" not in environ
        self.secrets = Path(environ.get("PRAXIS_SECRETS_DIR") or state.secrets / "praxis")

    @property
    def gateway_url(self) -> str:
        """Return the address that everything outside talks to."""
        return f"http://127.0.0.1:{self._state.ports['gateway']}"

    async def start(self, supervisor: Supervisor) -> None:
        """Start servers, prepare databases and demo practice, start services and gateway; return when all are ready."""
        if self._embedded:
            await self._start_servers(supervisor)
        for publisher in PUBLISHERS:
            self._state.claim_port(publisher)
        if "PRAXIS_ADMIN_DATABASE_URL" in self._given:
            await supervisor.start(self._step("databases"))
        await supervisor.start(self._step("migrations"), *(self._publisher(name) for name in PUBLISHERS))
        if has_keys(self._state):
            await self._until_heard_of(UUID(read_keys(self._state).practice_id))

    async def _until_heard_of(self, practice_id: UUID) -> None:
        """Wait until every service has heard of the demo practice, which the gateway announced a moment ago."""
        heard = "select exists (select from practices where practice_id = $1)"
        for name in SERVICES:
            url = self._given[f"PRAXIS_{name.upper()}_DATABASE_URL"]
            settings = Settings(name, "development", "api", self.secrets, "", url)
            connection = await asyncpg.connect(settings.role_dsn("system"))
            try:
                async with asyncio.timeout(30):
                    while not await connection.fetchval(heard, practice_id):
                        await asyncio.sleep(0.05)
            finally:
                await connection.close()

    async def _start_servers(self, supervisor: Supervisor) -> None:
        await asyncio.to_thread(create_secrets, self.secrets, development=True)
        postgres = EmbeddedPostgres(self._state)
        nats = EmbeddedNats(self._state, server_authorization(public_nkeys(self.secrets)))
        await asyncio.gather(asyncio.to_thread(postgres.initialise), asyncio.to_thread(nats.initialise))
        await supervisor.start(postgres.program(), nats.program())
        self._given["PRAXIS_NATS_URL"] = nats.url
        self._given["PRAXIS_ADMIN_DATABASE_URL"] = postgres.admin_dsn()
        for publisher in PUBLISHERS:
            self._given[f"PRAXIS_{publisher.upper()}_DATABASE_URL"] = (
                f"postgresql://127.0.0.1:{postgres.port}/{publisher}"
            )

    def environment(self) -> dict[str, str]:
        """Return what every process of the installation is told."""
        ports = self._state.ports
        addresses = {f"PRAXIS_{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
        own = {
            "PRAXIS_PROFILE": self._given.get("PRAXIS_PROFILE", "development"),
            "PRAXIS_SECRETS_DIR": str(self.secrets),
        }
        return self._given | addresses | own | {"PRAXIS_HOME": str(self._state.root)}

    def _step(self, name: str) -> Program:
        argv = [sys.executable, "-m", "praxis.runtime.prepare", name]
        return Program(name, argv, self.environment(), restart=False, deadline=60)

    def _publisher(self, name: str) -> Program:
        port = self._state.ports[name]
        argv = [
            *(sys.executable, "-m", "uvicorn", "--factory", f"{PACKAGES[name]}.app:create"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", str(LIMITS.drain_seconds), "--no-server-header", "--no-proxy-headers"),
            # Longer than the gateway keeps an idle connection, so that it is never the service that closes first.
            *("--timeout-keep-alive", "15"),
        ]
        # Services import while the databases are migrated, and wait for that themselves.
        # After the last answer two seconds remain for closing pools and the connection to the bus.
        grace = LIMITS.drain_seconds + 2
        return Program(name, argv, self.environment(), ready=http_ready(port, "/readyz"), deadline=90, grace=grace)


async def run_stack(
    state: State,
    *,
    console: TextIO | None,
    progress: Callable[[str, Stage, str], None],
    ready: Callable[[Stack], None],
) -> None:
    """Run the installation of `state` until a signal ends it; `ready` is called once everything answers."""
    stack = Stack(state)
    async with Supervisor(state, console=console, progress=progress) as supervisor:
        await stack.start(supervisor)
        await asyncio.to_thread(ready, stack)
        await supervisor.wait_for_signal()
