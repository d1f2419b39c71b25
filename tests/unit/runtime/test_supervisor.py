import asyncio
import io
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from praxis.runtime.state import State
from praxis.runtime.supervisor import Program, Stage, StartFailed, Supervisor, next_pause

FOREVER = "exec sleep 600"

LONE_SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from praxis.runtime.state import State
from praxis.runtime.supervisor import Program, Supervisor

async def main():
    async with Supervisor(State(Path(sys.argv[1]))) as supervisor:
        await supervisor.start(Program("child", ["sleep", "600"]))
        print(supervisor.pids()["child"], flush=True)
        await supervisor.wait_for_signal()

asyncio.run(main())
"""


class Story:
    """What the supervisor told, in order, to be waited for."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Stage, str]] = []
        self._news = asyncio.Event()

    def __call__(self, name: str, stage: Stage, detail: str) -> None:
        self.told.append((name, stage, detail))
        self._news.set()

    def stages(self, stage: Stage) -> list[str]:
        return [name for name, told, _ in self.told if told == stage]

    def place(self, name: str, stage: Stage) -> int:
        return next(place for place, told in enumerate(self.told) if told[:2] == (name, stage))

    async def until(self, name: str, stage: Stage, times: int = 1) -> None:
        while self.stages(stage).count(name) < times:
            self._news.clear()
            await self._news.wait()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def shell(name: str, script: str, **rest: object) -> Program:
    return Program(name, ["sh", "-c", script], **rest)  # type: ignore[arg-type]  # passed on as they are


def marked(name: str, marker: Path, **rest: object) -> Program:
    """A program that is ready once it has made its marker."""
    return shell(name, f"touch {marker}; {FOREVER}", ready=marker.exists, **rest)


def supervise(
    state: State, body: Callable[[Supervisor, Story], Awaitable[None]], *, console: io.StringIO | None = None
) -> Story:
    """Run a body under a supervisor, end everything, and return what was told."""

    async def run() -> Story:
        story = Story()
        async with Supervisor(state, console=console, progress=story) as supervisor:
            await body(supervisor, story)
        return story

    return asyncio.run(run())


def ended(pidfd: int, seconds: float = 20) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def test_programs_start_after_what_they_need_and_end_before_it(state: State, tmp_path: Path) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(
            shell("gateway", FOREVER, depends_on=("billing",)),
            shell("billing", FOREVER, depends_on=("postgres",)),
            marked("postgres", tmp_path / "postgres"),
        )
        assert supervisor.pids() == state.running()
        assert set(supervisor.pids()) == {"gateway", "billing", "postgres"}

    story = supervise(state, body)
    assert story.place("postgres", Stage.READY) < story.place("billing", Stage.STARTING)
    assert story.place("billing", Stage.READY) < story.place("gateway", Stage.STARTING)
    assert story.stages(Stage.STOPPED) == ["gateway", "billing", "postgres"]
    assert json.loads((state.run / "run.json").read_text())["processes"] == {}


def test_programs_of_the_same_rank_start_together(state: State, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(
            shell("one", f"touch {one}; {FOREVER}", ready=two.exists),
            shell("two", f"touch {two}; {FOREVER}", ready=one.exists),
        )

    assert set(supervise(state, body).stages(Stage.READY)) == {"one", "two"}


def test_a_later_start_may_depend_on_an_earlier_one(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("nats", FOREVER))
        await supervisor.start(shell("billing", FOREVER, depends_on=("nats",)))

    assert supervise(state, body).stages(Stage.STOPPED) == ["billing", "nats"]


def test_a_killed_program_is_reaped_and_comes_back(state: State, tmp_path: Path) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(marked("billing", tmp_path / "billing"))
        first = supervisor.pids()["billing"]
        os.kill(first, signal.SIGKILL)
        await story.until("billing", Stage.READY, times=2)
        assert not Path(f"/proc/{first}").exists()
        assert supervisor.pids()["billing"] != first
        assert state.running() == supervisor.pids()

    told = supervise(state, body).told
    assert ("billing", Stage.EXITED, "was ended by SIGKILL, again in 0.2 s") in told


def test_restarts_come_slower_until_a_program_stays_healthy(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", "exit 7"))
        await story.until("billing", Stage.EXITED, times=2)

    details = [detail for _, stage, detail in supervise(state, body).told if stage == Stage.EXITED]
    assert details[:2] == ["exited with 7, again in 0.2 s", "exited with 7, again in 0.4 s"]
    pauses = [0.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], healthy=9.9))
    assert pauses == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    assert next_pause(5, healthy=10) == 0.2


def test_what_a_dead_program_started_does_not_outlive_it(state: State, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; {FOREVER}"

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", script, ready=pid.exists))
        grandchild = os.pidfd_open(int(pid.read_text()))
        os.kill(supervisor.pids()["billing"], signal.SIGKILL)
        assert await asyncio.to_thread(ended, grandchild)
        os.close(grandchild)

    supervise(state, body)


def test_output_is_merged_under_aligned_names_and_logged_apart(state: State) -> None:
    console = io.StringIO()

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(
            shell("nats", "echo out; echo err >&2; printf unfinished", restart=False),
            shell("scheduling", "echo 'other 100%s'; printf '\\377\\r\\n'", restart=False),
        )

    supervise(state, body, console=console)
    assert sorted(console.getvalue().split("\n")) == [
        "",
        "nats       | err",
        "nats       | out",
        "nats       | unfinished",
        "scheduling | other 100%s",
        "scheduling | \ufffd",
    ]
    assert (state.logs / "nats.log").read_text() == "out\nerr\nunfinished\n"


def test_names_are_coloured_on_a_terminal_unless_it_is_unwanted(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("nats", "echo out", restart=False))

    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    supervise(state, body, console=coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    supervise(state, body, console=plain)
    assert coloured.getvalue() == "\x1b[36mnats |\x1b[0m out\n"
    assert plain.getvalue() == "nats | out\n"


def test_a_flood_without_line_ends_is_cut_and_loses_nothing(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("nats", "head -c 300000 /dev/zero | tr '\\0' x", restart=False))

    supervise(state, body)
    lines = (state.logs / "nats.log").read_text().split("\n")
    assert sum(map(len, lines)) == 300_000
    assert len(lines) > 2


def test_a_program_is_asked_to_end_and_may_finish(state: State, tmp_path: Path) -> None:
    script = f"trap 'echo finished; exit' INT; touch {tmp_path}/up; while :; do sleep 0.01; done"

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", script, ready=(tmp_path / "up").exists, stop_signal=signal.SIGINT))

    supervise(state, body)
    assert (state.logs / "billing.log").read_text() == "finished\n"


def test_a_program_that_ignores_the_request_is_killed(state: State, tmp_path: Path) -> None:
    script = f"trap '' TERM; touch {tmp_path}/up; {FOREVER}"
    pids: list[int] = []

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", script, ready=(tmp_path / "up").exists, grace=0.1))
        pids.extend(supervisor.pids().values())

    assert supervise(state, body).stages(Stage.STOPPED) == ["billing"]
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_program_that_keeps_exiting_fails_the_start_with_its_last_lines(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        with pytest.raises(StartFailed) as failed:
            await supervisor.start(
                shell("postgres", "for i in $(seq 30); do echo line $i; done; exit 3", ready=lambda: False),
                shell("billing", FOREVER, depends_on=("postgres",)),
            )
        first, *lines = str(failed.value).splitlines()
        assert first == "postgres exited with 3; its last lines:"
        assert lines == [f"  line {number}" for number in range(11, 31)]

    story = supervise(state, body)
    assert story.stages(Stage.EXITED) == ["postgres"] * 3
    assert "billing" not in story.stages(Stage.STARTING)


def test_a_program_that_never_gets_ready_fails_the_start_at_its_deadline(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", FOREVER, ready=lambda: False, deadline=0.1))

    with pytest.raises(
        StartFailed, match=r"billing was not ready within 0\.1 s; its last lines:\n  \(it wrote nothing\)"
    ):
        supervise(state, body)
    assert state.running() == {}


def test_a_program_that_is_not_there_fails_the_start(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(Program("nats", ["/nowhere/nats-server"]))

    with pytest.raises(StartFailed, match="cannot run /nowhere/nats-server: No such file"):
        supervise(state, body)


def test_a_step_is_ready_when_it_has_succeeded(state: State, tmp_path: Path) -> None:
    migrated, seen = tmp_path / "migrated", tmp_path / "seen"

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(
            shell("migrate", f"touch {migrated}", restart=False),
            shell("billing", f"mv {migrated} {seen}; {FOREVER}", ready=seen.exists, depends_on=("migrate",)),
        )
        assert set(supervisor.pids()) == {"billing"}

    story = supervise(state, body)
    assert story.place("migrate", Stage.READY) < story.place("billing", Stage.STARTING)


def test_a_step_that_fails_is_not_repeated_and_fails_the_start(state: State) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("migrate", "echo broken; exit 1", restart=False))

    with pytest.raises(StartFailed, match="migrate exited with 1; its last lines:\n  broken"):
        supervise(state, body)
    assert (state.logs / "migrate.log").read_text() == "broken\n"


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        ([shell("a", FOREVER), shell("a", FOREVER)], "must differ"),
        ([shell("a", FOREVER, depends_on=("b",))], r"a depends on \['b'\]; there are \['a'\]"),
        ([shell("a", FOREVER, depends_on=("b",)), shell("b", FOREVER, depends_on=("a",))], "in a circle"),
    ],
)
def test_programs_that_cannot_be_ordered_are_refused_before_any_starts(
    state: State, programs: list[Program], reason: str
) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        with pytest.raises(ValueError, match=reason):
            await supervisor.start(*programs)

    assert supervise(state, body).told == []


def test_a_signal_in_the_midst_of_a_start_ends_what_runs_already(state: State, tmp_path: Path) -> None:
    async def body(supervisor: Supervisor, story: Story) -> None:
        async def interrupt() -> None:
            await story.until("billing", Stage.STARTING)
            os.kill(os.getpid(), signal.SIGTERM)

        interruption = asyncio.create_task(interrupt())
        await supervisor.start(
            marked("postgres", tmp_path / "postgres"),
            shell("billing", FOREVER, ready=lambda: False, deadline=3600, depends_on=("postgres",)),
        )
        await interruption

    assert supervise(state, body).stages(Stage.STOPPED) == ["billing", "postgres"]
    assert state.running() == {}


def test_a_second_signal_does_not_wait_for_the_grace(state: State, tmp_path: Path) -> None:
    script = f"trap '' TERM; touch {tmp_path}/up; {FOREVER}"

    async def body(supervisor: Supervisor, story: Story) -> None:
        await supervisor.start(shell("billing", script, ready=(tmp_path / "up").exists, grace=3600))
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        await supervisor.wait_for_signal()

    assert supervise(state, body).stages(Stage.STOPPED) == ["billing"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's death on Linux only")
def test_children_die_with_a_killed_supervisor(state: State) -> None:
    lone = subprocess.Popen([sys.executable, "-c", LONE_SUPERVISOR, state.root], stdout=subprocess.PIPE, text=True)
    with lone:
        assert lone.stdout is not None
        child = os.pidfd_open(int(lone.stdout.readline()))
        lone.kill()
    assert ended(child)
    os.close(child)
