"""One PostgreSQL and one NATS server per test worker, started here and gone with it."""

import contextlib
import ctypes
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from praxis.kit.bus import server_authorization
from praxis.kit.settings import Settings
from praxis.runtime.nats import EmbeddedNats
from praxis.runtime.postgres import EmbeddedPostgres
from praxis.runtime.secrets import create_secrets, public_nkeys
from praxis.runtime.state import State
from praxis.runtime.supervisor import Program

_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _end_with_parent() -> None:
    if _PRCTL:
        _PRCTL(1, signal.SIGKILL)


@dataclass
class Servers:
    """The addresses of a worker's servers and the secrets that open them."""

    state: State
    postgres: EmbeddedPostgres
    nats: EmbeddedNats
    secrets: Path
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def admin_dsn(self) -> str:
        return self.postgres.admin_dsn()

    @property
    def nats_url(self) -> str:
        return self.nats.url

    def settings(self, service: str, database: str | None = None) -> Settings:
        """Return the settings of a publisher on these servers; its database has the publisher's name unless another is given."""
        url = f"postgresql://127.0.0.1:{self.postgres.port}/{database or service}"
        return Settings(service, "development", "all", self.secrets, self.nats_url, url)

    def start(self) -> None:
        for server in (self.postgres, self.nats):
            self._start(server.program())
            server.wait_ready()

    def _start(self, program: Program) -> None:
        with (self.state.logs / f"{program.name}.log").open("a") as log:
            self.children[program.name] = subprocess.Popen(
                program.argv, env=program.env, cwd=program.cwd, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )

    def lose_broker_disk(self) -> None:
        """Kill NATS, remove everything it has stored, and start it again on the same port."""
        child = self.children["nats"]
        child.kill()
        child.wait()
        shutil.rmtree(self.state.data / "nats")
        self._start(self.nats.program())
        self.nats.wait_ready()

    def stop(self) -> None:
        for program in (self.nats.program(), self.postgres.program()):
            child = self.children[program.name]
            child.send_signal(program.stop_signal)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextlib.contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Start both servers in `folder` and end them with the block."""
    state = State(folder)
    secrets = create_secrets(state.secrets / "praxis", development=True)
    postgres = EmbeddedPostgres(state, durable=False)
    nats = EmbeddedNats(state, server_authorization(public_nkeys(secrets)))
    postgres.initialise()
    nats.initialise()
    servers = Servers(state, postgres, nats, secrets)
    servers.start()
    try:
        yield servers
    finally:
        servers.stop()
