"""The state folder: everything one running Praxis keeps on this machine, apart from every other one.

    with State.open().lock() as state:
        state.end_leftovers()
        port = state.claim_port("gateway")

Two folders never meet: data, secrets, ports and processes of each are its own, so several systems run side by side.
"""

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypedDict


class RuntimeProblem(Exception):
    """What keeps Praxis from running on this machine, and what would work: the command line prints it as it is."""


class AlreadyRunning(RuntimeProblem):
    """Another `up` holds the lock of this state folder."""


class Mark(TypedDict):
    """One process for good: a pid is used again, a pid with its start time is not."""

    pid: int
    started: str


class RunFile(TypedDict):
    """What `run/run.json` holds. Ports outlive a stop, so that URLs stay; processes do not."""

    processes: dict[str, Mark]
    ports: dict[str, int]


class State:
    """The state folder and its parts, made where they are missing: `data`, `logs`, `secrets`, `run`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.data = self.root / "data"
        self.logs = self.root / "logs"
        self.secrets = self.root / "secrets"
        self.run = self.root / "run"
        # Passable for others, never readable: a database server that had to give up root must reach its own files.
        for folder in (self.root, self.data):
            _make_folder(folder, 0o711)
        for folder in (self.logs, self.secrets, self.run):
            _make_folder(folder, 0o700)

    @classmethod
    def open(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the folder that PRAXIS_HOME names, else `.praxis` in the current folder."""
        return cls(Path(environ.get("PRAXIS_HOME") or ".praxis"))

    @contextmanager
    def lock(self) -> Iterator[Self]:
        """Hold the folder for this process, recorded as `supervisor`.

        The kernel drops the lock with its holder, so a killed one never blocks the next. Raises AlreadyRunning.
        """
        with (self.run / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = self.running().get("supervisor", "unknown")
                raise AlreadyRunning(
                    f"Praxis is already running in {self.root} (process {holder}); "
                    "stop it first, or set PRAXIS_HOME to another folder to run a second one beside it."
                ) from None
            self.record("supervisor", os.getpid())
            try:
                yield self
            finally:
                self.forget("supervisor")

    def secret(self, name: str) -> str:
        """Return the secret of that name (32 URL-safe characters), made at the first call and kept in a 0600 file."""
        path = self.secrets / name
        with self._alone():
            if not path.exists():
                write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    @property
    def ports(self) -> Mapping[str, int]:
        """Every port ever claimed, by name: what is running now, or ran last, listens there."""
        return self._read()["ports"]

    def claim_port(self, name: str) -> int:
        """Choose the port of that name on 127.0.0.1: the one it had before while nobody else has it, else a free one.

        For the holder of the lock, before the server starts; everybody else reads `ports`.
        """
        with self._changing() as content:
            ports = content["ports"]
            if name not in ports or not _is_free(ports[name]):
                while (port := _pick_port()) in ports.values():
                    continue
                ports[name] = port
            return ports[name]

    def record(self, name: str, pid: int) -> None:
        """Remember a started process, in place of an earlier one of the same name."""
        started = started_at(pid)
        if started is not None:
            with self._changing() as content:
                content["processes"][name] = {"pid": pid, "started": started}

    def forget(self, name: str) -> None:
        """Drop a process that has ended."""
        with self._changing() as content:
            content["processes"].pop(name, None)

    def running(self) -> dict[str, int]:
        """Return name -> pid of the recorded processes that live; a pid that is another process by now is not."""
        return {name: mark["pid"] for name, mark in self._read()["processes"].items() if _is_alive(mark)}

    def end_leftovers(self, grace: float = 5.0) -> list[str]:
        """End what a killed supervisor left and return the names; `grace` seconds lie between SIGTERM and SIGKILL.

        For the holder of the lock, before anything starts. Only a process whose start time matches too is touched.
        """
        mine = os.getpid()
        marks = {n: m for n, m in self._read()["processes"].items() if m["pid"] != mine}
        left = {name: mark for name, mark in marks.items() if _is_alive(mark)}
        for number in (signal.SIGTERM, signal.SIGKILL):
            _end(list(left.values()), number, grace)
        for name in marks:
            self.forget(name)
        return list(left)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes out: servers are initialised side by side."""
        with (self.run / "guard").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _changing(self) -> Iterator[RunFile]:
        """Read, change and write the run file as one step."""
        with self._alone():
            content = self._read()
            yield content
            write_private(self.run / "run.json", json.dumps(content, indent=2) + "\n")

    def _read(self) -> RunFile:
        try:
            content = json.loads((self.run / "run.json").read_text())
        except (FileNotFoundError, ValueError):
            content = {}
        return {"processes": content.get("processes", {}), "ports": content.get("ports", {})}


def _make_folder(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    except PermissionError:
        raise RuntimeProblem(
            f"{folder} belongs to another user or cannot be made: set PRAXIS_HOME to a folder of your own."
        ) from None


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def started_at(pid: int) -> str | None:
    """Return when a process started, in this machine's own terms; None for one that is gone or a zombie."""
    if sys.platform != "linux":
        return _started_by_ps(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets of its own
    return None if fields[0] in "ZX" else fields[19]


def _started_by_ps(pid: int) -> str | None:
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    status, _, started = shown.stdout.strip().partition(" ")
    return None if not status or status.startswith("Z") else started.strip()


def _is_alive(mark: Mark) -> bool:
    return started_at(mark["pid"]) == mark["started"]


def _end(marks: list[Mark], number: int, patience: float) -> None:
    """Signal the living ones with all they started (each leads its process group), and wait until they are gone."""
    for mark in filter(_is_alive, marks):
        pid = mark["pid"]
        with suppress(ProcessLookupError):
            (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, number)
    deadline = time.monotonic() + patience
    while any(map(_is_alive, marks)) and time.monotonic() < deadline:
        time.sleep(0.02)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: old connections are no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _pick_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
