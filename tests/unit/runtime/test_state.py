import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from praxis.runtime.state import AlreadyRunning, RuntimeProblem, State, started_at

HOLDER = "import sys, signal, pathlib; from praxis.runtime.state import State\n" + (
    "with State(pathlib.Path(sys.argv[1])).lock():\n    print('held', flush=True); signal.pause()"
)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process that leads its own group, as the supervisor's children do; it is ended with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*argv: str | Path) -> subprocess.Popen[str]:
        processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, process_group=0))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def alter_start_time(state: State, name: str) -> None:
    path = state.run / "run.json"
    content = json.loads(path.read_text())
    content["processes"][name]["started"] = "1"
    path.write_text(json.dumps(content))


def test_the_folder_is_the_one_praxis_home_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert State.open({"PRAXIS_HOME": str(tmp_path / "other")}).root == tmp_path / "other"
    assert State.open({}).root == tmp_path / ".praxis"


def test_others_may_pass_the_folder_but_read_nothing(state: State) -> None:
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in (state.root, state.data, state.secrets, state.run, state.logs)
    }
    assert modes == {state.root: 0o711, state.data: 0o711, state.secrets: 0o700, state.run: 0o700, state.logs: 0o700}


def test_a_folder_that_cannot_be_made_is_refused_with_what_would_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(RuntimeProblem, match="set PRAXIS_HOME"):
        State(tmp_path / "state")


def test_a_secret_is_made_once_and_private(state: State) -> None:
    first = state.secret("postgres")
    assert len(first) == 32
    assert state.secret("postgres") == first
    assert state.secret("other") != first
    assert stat.S_IMODE((state.secrets / "postgres").stat().st_mode) == 0o600


def test_a_port_stays_the_same_while_nobody_else_has_it(state: State) -> None:
    port = state.claim_port("gateway")
    assert State(state.root).claim_port("gateway") == port
    assert state.ports == {"gateway": port}


def test_a_port_somebody_else_took_is_replaced(state: State) -> None:
    port = state.claim_port("gateway")
    with socket.create_server(("127.0.0.1", port)):
        replaced = state.claim_port("gateway")
    assert replaced != port
    assert state.ports == {"gateway": replaced}


def test_no_two_names_get_the_same_port(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    offers = iter([20_001, 20_001, 20_002])
    monkeypatch.setattr("praxis.runtime.state._pick_port", lambda: next(offers))
    assert [state.claim_port("a"), state.claim_port("b")] == [20_001, 20_002]


def test_ports_and_secrets_claimed_side_by_side_are_all_kept(state: State) -> None:
    names = [f"server-{number}" for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        ports = list(pool.map(lambda name: State(state.root).claim_port(name), names))
        secrets = set(pool.map(lambda _: State(state.root).secret("shared"), names))
    assert state.ports == dict(zip(names, ports, strict=True))
    assert secrets == {state.secret("shared")}


def test_one_folder_runs_once_and_the_refusal_names_the_holder(
    state: State, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = spawn(sys.executable, "-c", HOLDER, state.root)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunning, match=f"process {holder.pid}.*PRAXIS_HOME"), state.lock():
        pass


def test_a_killed_holder_leaves_no_lock(state: State, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    holder = spawn(sys.executable, "-c", HOLDER, state.root)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    with state.lock():
        assert state.running() == {"supervisor": os.getpid()}
    assert state.running() == {}


def test_two_folders_run_side_by_side(tmp_path: Path) -> None:
    with State(tmp_path / "one").lock() as one, State(tmp_path / "two").lock() as two:
        assert one.secret("postgres") != two.secret("postgres")
        with socket.create_server(("127.0.0.1", one.claim_port("gateway"))):
            assert two.claim_port("gateway") != one.ports["gateway"]


def test_a_leftover_is_ended(state: State, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    child = spawn("sleep", "600")
    state.record("scheduling", child.pid)
    assert state.running() == {"scheduling": child.pid}
    assert state.end_leftovers() == ["scheduling"]
    assert child.wait() == -signal.SIGTERM
    assert state.running() == {}


def test_a_leftover_that_ignores_sigterm_is_killed_with_what_it_started(
    state: State, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    child = spawn("sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait")
    assert child.stdout is not None
    child.stdout.readline()
    state.record("scheduling", child.pid)
    assert state.end_leftovers(grace=0.1) == ["scheduling"]
    assert child.wait() == -signal.SIGKILL
    assert child.stdout.read() == ""  # its end: the grandchild has let go of the pipe too


def test_a_pid_that_is_another_process_by_now_is_left_alone(
    state: State, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    stranger = spawn("sleep", "600")
    state.record("scheduling", stranger.pid)
    alter_start_time(state, "scheduling")
    assert state.running() == {}
    assert state.end_leftovers() == []
    assert stranger.poll() is None
    assert "scheduling" not in (state.run / "run.json").read_text()


def test_the_caller_is_no_leftover_of_its_own(state: State) -> None:
    with state.lock():
        assert state.end_leftovers() == []
        assert state.running() == {"supervisor": os.getpid()}


def test_a_process_nobody_has_reaped_yet_is_gone(state: State, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    child = spawn("true")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_name_with_brackets_does_not_hide_the_start_time(
    tmp_path: Path, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    odd = tmp_path / "a) Z 1 (b"
    shutil.copy(shutil.which("sleep") or "", odd)
    child = spawn(odd, "600")
    assert started_at(child.pid) == Path(f"/proc/{child.pid}/stat").read_text().split()[24]


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_where_proc_is_missing_ps_tells_the_start_time(
    monkeypatch: pytest.MonkeyPatch, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    monkeypatch.setattr("praxis.runtime.state.sys.platform", "darwin")
    child = spawn("true")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None
    assert len((started_at(os.getpid()) or "").split()) == 5  # Sat Nov 22 13:36:19 2026


@pytest.mark.parametrize("content", ["", '{"processes": {"a'])
def test_a_torn_run_file_counts_as_none(state: State, content: str) -> None:
    (state.run / "run.json").write_text(content)
    assert state.running() == {}
    assert state.claim_port("gateway") == state.ports["gateway"]
