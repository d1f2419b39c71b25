import asyncio
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest

from praxis.runtime.nats import EmbeddedNats
from praxis.runtime.state import State
from praxis.runtime.supervisor import Stage, Supervisor

USERS = 'authorization { users: [{user: "billing", password: "plainly-fictional"}] }'


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@contextmanager
def running(server: EmbeddedNats) -> Iterator[None]:
    server.initialise()
    argv, env = server.command()
    with subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            server.wait_ready()
            yield
        finally:
            process.terminate()


def page(server: EmbeddedNats, path: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{server.monitor_port}/{path}") as answer:
        content: dict[str, Any] = json.load(answer)
        return content


def test_every_message_is_synced_and_storage_is_bounded(state: State) -> None:
    server = EmbeddedNats(state)
    with running(server):
        stored, general = page(server, "jsz?config=true")["config"], page(server, "varz")
    assert stored["sync_always"] is True
    assert (stored["max_storage"], stored["max_memory"]) == (2 * 1024**3, 64 * 1024**2)
    assert Path(stored["store_dir"]).is_relative_to(state.data)
    assert general["max_payload"] == 256 * 1024
    assert (general["host"], general["http_host"]) == ("127.0.0.1", "127.0.0.1")


def test_the_given_authorization_is_obeyed(state: State) -> None:
    server = EmbeddedNats(state, USERS)

    def log_in(password: str) -> bytes:
        with socket.create_connection(("127.0.0.1", server.port)) as connection, connection.makefile("rb") as lines:
            assert lines.readline().startswith(b"INFO ")
            login = json.dumps({"user": "billing", "pass": password, "verbose": False})
            connection.sendall(f"CONNECT {login}\r\nPING\r\n".encode())
            return lines.readline().rstrip()

    with running(server):
        assert log_in("plainly-fictional") == b"PONG"
        assert log_in("guessed") == b"-ERR 'Authorization Violation'"


def test_the_configuration_with_its_secrets_is_private(state: State) -> None:
    EmbeddedNats(state, USERS).initialise()
    assert (state.run / "nats.conf").stat().st_mode & 0o077 == 0


def test_an_acknowledged_message_outlives_a_killed_server(state: State) -> None:
    server = EmbeddedNats(state)
    server.initialise()

    async def story() -> None:
        ready = asyncio.Event()

        def notice(name: str, stage: Stage, detail: str) -> None:
            if stage == Stage.READY:
                ready.set()

        async with Supervisor(state, progress=notice) as supervisor:
            await supervisor.start(server.program())
            connection = await nats.connect(server.url)
            await connection.jetstream().add_stream(name="billing", subjects=["praxis.billing.>"])
            await connection.jetstream().publish("praxis.billing.claim.readied.v1", b"{}")
            await connection.close()
            ready.clear()
            os.kill(supervisor.pids()["nats"], signal.SIGKILL)
            await ready.wait()
            connection = await nats.connect(server.url)
            assert (await connection.jetstream().stream_info("billing")).state.messages == 1
            await connection.close()

    asyncio.run(story())
