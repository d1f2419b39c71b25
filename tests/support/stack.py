"""The whole of Praxis as `praxis up` runs it, in a state folder of its own."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from praxis.kit.settings import SERVICES
from praxis.runtime.demo.keys import DemoKeys, read_keys
from praxis.runtime.state import State

CLI = (sys.executable, "-m", "praxis.runtime.cli")
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _end_with_parent() -> None:
    if _PRCTL:
        _PRCTL(1, signal.SIGTERM)


@dataclass(frozen=True)
class RunningStack:
    """A started installation: its state folder and the gateway's address."""

    home: Path
    url: str

    @property
    def state(self) -> State:
        return State(self.home)

    @property
    def keys(self) -> DemoKeys:
        return read_keys(self.state)

    @property
    def service_urls(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{self.state.ports[name]}" for name in SERVICES}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of `praxis` on this installation."""
        environment = _environment(self.home)
        return subprocess.run([*CLI, *arguments], env=environment, capture_output=True, text=True, timeout=120)

    def token(self, role: str) -> str:
        """Sign in and return the session's token."""
        asker = {"practice": self.keys.practice, **self.keys.logins[role]}
        answer = httpx.post(f"{self.url}/v1/sessions", json=asker, trust_env=False)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token


def _environment(home: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("PRAXIS_")}
    kept = {name: os.environ[name] for name in ("PRAXIS_PG_BIN", "PRAXIS_NATS_BIN") if name in os.environ}
    # Tests that knock at every door do so from one address.
    patient = {"PRAXIS_GATEWAY_ADDRESS_BURST": "2000"}
    return given | kept | patient | {"PRAXIS_HOME": str(home), "PRAXIS_FIRST_VISIT": "0"}


@contextmanager
def running_stack(home: Path, **environment: str) -> Iterator[RunningStack]:
    """Start everything, yield when it is ready, and end it."""
    home.mkdir(exist_ok=True)
    with (home / "up.log").open("w") as log:
        up = subprocess.Popen(
            [*CLI, "up"],
            env=_environment(home) | environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=_end_with_parent,
        )
    try:
        assert up.stdout is not None
        line = up.stdout.readline()
        assert line.startswith("ready "), (home / "up.log").read_text()[-4000:]
        yield RunningStack(home, line.split()[1])
    finally:
        up.terminate()
        up.communicate(timeout=60)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of an OpenAPI document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def as_json(completed: subprocess.CompletedProcess[str]) -> Any:
    """Return what a command printed with --json."""
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)
