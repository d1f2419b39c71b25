"""One PostgreSQL and one NATS server per test worker, started here and gone with it."""

import contextlib
import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from praxis.kit.settings import Settings
from praxis.runtime.nats import EmbeddedNats
from praxis.runtime.postgres import EmbeddedPostgres
from praxis.runtime.secrets import create_secrets, public_nkeys
from praxis.runtime.state import State
from praxis.kit.bus import server_authorization

_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _end_with_parent() -> None:
    if _PRCTL:
        _PRCTL(1, signal.SIGKILL)


@dataclass(frozen=True)
class Servers:
    """The addresses of a worker's servers and the secrets that open them."""

    admin_dsn: str
    nats_url: str
    secrets: Path

    def settings(self, service: str) -> Settings:
        """Return the settings of a publisher on these servers; its database has the publisher's name."""
        host = self.admin_dsn.rsplit("@", 1)[1].split("/")[0]
        return Settings(service, "development", "all", self.secrets, self.nats_url, f"postgresql://{host}/{service}")


@contextlib.contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Start both servers in `folder` and end them with the block."""
    state = State(folder)
    secrets = create_secrets(state.secrets / "praxis", development=True)
    postgres = EmbeddedPostgres(state, durable=False)
    nats = EmbeddedNats(state, server_authorization(public_nkeys(secrets)))
    postgres.initialise()
    nats.initialise()
    with _child(postgres.program(), state), _child(nats.program(), state):
        postgres.wait_ready()
        nats.wait_ready()
        yield Servers(postgres.admin_dsn(), nats.url, secrets)


@contextlib.contextmanager
def _child(program, state: State) -> Iterator[None]:
    with (state.logs / f"{program.name}.log").open("w") as log:
        child = subprocess.Popen(
            program.argv, env=program.env, cwd=program.cwd, stdout=log, stderr=log, preexec_fn=_end_with_parent
        )
    try:
        yield
    finally:
        child.send_signal(program.stop_signal)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
