"""Run programs as direct children: in order, when what they need is ready, again when they die, ended in reverse.

    async with Supervisor(state, console=sys.stdout, progress=show) as supervisor:
        await supervisor.start(postgres.program(), nats.program())
        await supervisor.start(*services)
        await supervisor.wait_for_signal()

SIGINT and SIGTERM cancel the body wherever it awaits, even in the midst of a start; leaving it ends every child. A
second signal kills them at once. All this belongs in the main thread: signals arrive there, and the kernel ties "my
parent died" to the thread that forked.
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from praxis.runtime.output import Output
from praxis.runtime.probes import POLL, Probe
from praxis.runtime.state import RuntimeProblem, State

FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.2, 5.0, 10.0  # seconds
TRIES_TO_START = 3
COLOURS = (36, 33, 32, 35, 34, 31)
PR_SET_PDEATHSIG = 1
# Looked up before any fork: between fork and exec nothing may be imported or wait for a lock.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to run, and what counts as running.

    `env` is the whole environment (None: the supervisor's own). `ready` is asked until it agrees; a start that takes
    more than `deadline` seconds has failed. Without it, running is enough. `depends_on` names programs that must be
    ready first; they are ended last. With `restart=False` and no `ready` the program is a step: ready once it has
    exited with 0. `stop_signal` ends it, and tells it that the supervisor died; SIGKILL follows after `grace` seconds.
    """

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready: Probe | None = None
    depends_on: tuple[str, ...] = ()
    restart: bool = True
    deadline: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 5.0


class Stage(StrEnum):
    """What a program just did; READY comes again after each restart."""

    STARTING = "starting"
    READY = "ready"
    EXITED = "exited"
    STOPPED = "stopped"


Progress = Callable[[str, Stage, str], None]
"""Told the program's name, its stage, and for EXITED how it ended and what follows."""


class StartFailed(RuntimeProblem):
    """A program exited or stayed unready instead of starting; the message ends with its last 20 lines."""


def next_pause(previous: float, healthy: float) -> float:
    """Return the seconds to wait before a restart: 0.2 doubling up to 5, and 0.2 again after 10 `healthy` seconds."""
    if previous == 0 or healthy >= HEALTHY_AFTER:
        return FIRST_PAUSE
    return min(previous * 2, LONGEST_PAUSE)


class Supervisor:
    """Starts programs, keeps them running, and ends them; all within one `async with`."""

    def __init__(
        self, state: State, *, console: TextIO | None = None, progress: Progress = lambda name, stage, detail: None
    ) -> None:
        """Log to `logs/NAME.log` of the state folder (8 MiB and one older file each) and, merged, to `console`."""
        self._state = state
        self._console = console
        self._progress = progress
        self._children: dict[str, _Child] = {}
        self._width = 0
        self._interrupted = False

    async def __aenter__(self) -> Self:
        body = asyncio.current_task()
        assert body is not None
        self._body = body
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        interrupted, self._interrupted = self._interrupted, True  # from here on a signal hurries the end
        await self.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)
        if not (interrupted and isinstance(error, asyncio.CancelledError)):
            return False
        self._body.uncancel()
        return True

    async def start(self, *programs: Program) -> None:
        """Start programs, those of the same rank at once, and return when all are ready.

        May be called again; `depends_on` may name what runs already. Raises StartFailed, and ValueError for a name
        taken twice, a dependency nobody has, or a circle of them.
        """
        self._require_order(programs)
        self._width = max([self._width, *(len(program.name) for program in programs)])
        children = [self._adopt(program) for program in programs]
        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(self._begin(child))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def wait_for_signal(self) -> None:
        """Wait for SIGINT or SIGTERM, which end the body of the `async with`."""
        await asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        """End every program, each after those that depend on it."""
        # Not a TaskGroup: trouble in ending one must not leave the others running.
        endings = await asyncio.gather(*map(self._end, self._children.values()), return_exceptions=True)
        self._children.clear()
        for trouble in filter(None, endings):
            raise trouble

    def pids(self) -> dict[str, int]:
        """Return name -> pid of the programs that run now."""
        return {name: child.process.pid for name, child in self._children.items() if child.process is not None}

    def _require_order(self, programs: Sequence[Program]) -> None:
        names = [*self._children, *(program.name for program in programs)]
        if len(names) != len(set(names)):
            raise ValueError(f"program names must differ: {names}")
        for program in programs:
            if unknown := set(program.depends_on) - set(names):
                raise ValueError(f"{program.name} depends on {sorted(unknown)}; there are {names}")
        try:
            TopologicalSorter({program.name: program.depends_on for program in programs}).prepare()
        except CycleError as error:
            raise ValueError(f"programs depend on each other in a circle: {' -> '.join(error.args[1])}") from None

    def _adopt(self, program: Program) -> "_Child":
        colour = COLOURS[len(self._children) % len(COLOURS)]
        output = Output(self._state.logs / f"{program.name}.log", partial(self._show, program.name, colour))
        child = self._children[program.name] = _Child(program, output, self._state, self._progress)
        return child

    async def _begin(self, child: "_Child") -> None:
        for name in child.program.depends_on:
            await self._children[name].up.wait()
        child.keeping = asyncio.create_task(child.keep())
        up = asyncio.create_task(child.up.wait())
        try:
            await asyncio.wait({child.keeping, up}, timeout=child.program.deadline, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if not child.up.is_set():
            raise child.failure()

    async def _end(self, child: "_Child") -> None:
        for other in self._children.values():
            if child.program.name in other.program.depends_on:
                await other.down.wait()
        try:
            await child.stop()
        finally:
            child.down.set()

    def _interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._body.cancel()
            return
        for child in self._children.values():
            child.kill()

    def _show(self, name: str, colour: int, line: str) -> None:
        if self._console is None:
            return
        prefix = f"{name:<{self._width}} |"
        if self._console.isatty() and "NO_COLOR" not in os.environ:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with suppress(OSError):  # a closed console must not end what it shows
            print(prefix, line, file=self._console, flush=True)


class _Child:
    """One program with its present process: `up` once it was ready, `down` once it is ended for good."""

    def __init__(self, program: Program, output: Output, state: State, progress: Progress) -> None:
        self.program = program
        self.process: asyncio.subprocess.Process | None = None
        self.keeping: asyncio.Task[None] | None = None
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self._output = output
        self._state = state
        self._progress = partial(progress, program.name)
        self._ready_since: float | None = None
        self._ended = ""

    async def keep(self) -> None:
        """Run the program, and again after each exit; return when it is not to run again or fails to start for good."""
        tries, pause = 0, 0.0
        while True:
            code, healthy = await self._live()
            tries += 1
            self._ended = _describe(code)
            if not self.program.restart:
                self._finish(code)
                return
            if not self.up.is_set() and tries == TRIES_TO_START:
                self._progress(Stage.EXITED, self._ended)
                return
            pause = next_pause(pause, healthy)
            self._progress(Stage.EXITED, f"{self._ended}, again in {pause:g} s")
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End the program: its stop signal, then SIGKILL for it and everything it left in its process group."""
        if self.keeping is not None:
            self.keeping.cancel()
            await asyncio.wait({self.keeping})
            if self.process is not None:
                await self._end_process(self.process)
            self._output.drain()
            self._progress(Stage.STOPPED, "")
        self._output.close()

    def kill(self) -> None:
        """Kill the process group: the process where it still runs, and whatever it started and did not end."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left in the group
                os.killpg(self.process.pid, signal.SIGKILL)

    def failure(self) -> StartFailed:
        """Return why it did not start, with its last lines."""
        self._output.drain()
        why = self._ended or f"was not ready within {self.program.deadline:g} s"
        lines = "\n".join(f"  {line}" for line in self._output.tail) or "  (it wrote nothing)"
        return StartFailed(f"{self.program.name} {why}; its last lines:\n{lines}")

    async def _live(self) -> tuple[int, float]:
        """Run one process to its end; return its exit code and for how many seconds it had been ready."""
        self._progress(Stage.STARTING, "")
        self._ready_since = None
        try:
            self.process = process = await self._spawn()
        except OSError as error:
            self._output.emit(f"cannot run {self.program.argv[0]}: {error.strerror}")
            return 127, 0.0
        self._state.record(self.program.name, process.pid)
        watch = asyncio.create_task(self._watch())
        try:
            code = await process.wait()
        finally:
            watch.cancel()
        self.kill()
        self._forget()
        self._output.drain()
        return code, time.monotonic() - self._ready_since if self._ready_since is not None else 0.0

    async def _end_process(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.program.grace):
                await process.wait()
        self.kill()
        await process.wait()
        self._forget()

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.program.argv,
            env=self.program.env,
            cwd=self.program.cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._output.write_end,
            stderr=self._output.write_end,
            process_group=0,  # so that Ctrl-C reaches the supervisor alone and the order of the end stays its own
            preexec_fn=partial(_die_with, os.getpid(), self.program.stop_signal),
        )

    async def _watch(self) -> None:
        program = self.program
        if program.ready is None and not program.restart:
            return
        while program.ready is not None and not await asyncio.to_thread(program.ready):
            await asyncio.sleep(POLL)
        self._ready_since = time.monotonic()
        self._announce_ready()

    def _finish(self, code: int) -> None:
        self._progress(Stage.EXITED, self._ended)
        if code == 0 and self.program.ready is None:
            self._announce_ready()

    def _announce_ready(self) -> None:
        self.up.set()
        self._progress(Stage.READY, "")

    def _forget(self) -> None:
        self.process = None
        self._state.forget(self.program.name)


def _die_with(parent: int, number: int) -> None:
    """Ask the kernel, in the child before it becomes the program, for a signal when the supervisor dies; Linux only."""
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the question was asked
            os._exit(1)


def _describe(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
