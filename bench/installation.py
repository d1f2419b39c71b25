"""An installation of its own for a benchmark: started in a temporary home, driven over its gateway, ended at the end."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from praxis.runtime.demo.keys import DemoKeys, read_keys
from praxis.runtime.state import State


@dataclass
class Installation:
    """A running Praxis and what a benchmark needs of it."""

    state: State
    url: str
    ready_seconds: float
    keys: DemoKeys
    token: str
    http: httpx.Client

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request as the benchmark's user and return the JSON of its 2xx answer."""
        headers = {"idempotency-key": os.urandom(12).hex()} if method == "POST" else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    @property
    def host_port(self) -> tuple[str, int]:
        """Return the gateway's address."""
        return "127.0.0.1", self.state.ports["gateway"]

    @property
    def pids(self) -> dict[str, int]:
        """Return name -> pid of every process of the installation, the runner included."""
        return self.state.running()

    def load(
        self, requests: list[list[Any]], *, clients: int, seconds: float, rate: float | None = None
    ) -> dict[str, Any]:
        """Run the load generator against the gateway and return what it printed."""
        host, port = self.host_port
        plan = {"host": host, "port": port, "clients": clients, "seconds": seconds, "rate": rate, "requests": requests}
        done = subprocess.run(
            [sys.executable, "-m", "bench.load"], input=json.dumps(plan), capture_output=True, text=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def admin(self, database: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run one statement as the database's superuser."""
        dsn = f"postgresql://praxis_owner:{self.state.secret('postgres')}@127.0.0.1:{self.state.ports['postgres']}/{database}"

        async def run() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(dsn)
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                await connection.close()

        return asyncio.run(run())


@contextlib.contextmanager
def running(home: Path | None = None, login: str = "lead_medical_assistant") -> Iterator[Installation]:
    """Start an installation (in `home` when given), sign in as `login`, and stop it with the block."""
    with contextlib.ExitStack() as stack:
        home = home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = os.environ | {
            "PRAXIS_HOME": str(home),
            "PRAXIS_FIRST_VISIT": "0",
            "PRAXIS_GATEWAY_STAFF_RATE": "1000000",
            "PRAXIS_GATEWAY_STAFF_BURST": "1000000",
        }
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "praxis.runtime.cli", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode().split()
            if not line:
                raise RuntimeError("the installation did not become ready: see the logs of `praxis up`")
            yield _signed_in(State(home), line[1], time.perf_counter() - started, login)
        finally:
            process.terminate()
            process.wait(40)


def _signed_in(state: State, url: str, seconds: float, login: str) -> Installation:
    keys = read_keys(state)
    token = _token(keys, url, login)
    return Installation(state, url, seconds, keys, token, _client(url, token))


def signed_in_as(praxis: Installation, login: str) -> httpx.Client:
    """Return a client of the gateway for another role's login."""
    return _client(praxis.url, _token(praxis.keys, praxis.url, login))


def _token(keys: DemoKeys, url: str, login: str) -> str:
    started = httpx.post(f"{url}/v1/sessions", json={"practice": keys.practice, **keys.logins[login]})
    token: str = started.raise_for_status().json()["token"]
    return token


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=20)
