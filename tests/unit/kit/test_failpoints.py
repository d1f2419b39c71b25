import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from praxis.kit import failpoints
from praxis.kit.failpoints import FailpointError, arm, declare, hit, refuse_in_production


@pytest.fixture(autouse=True)
def _own_failpoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(failpoints, "NAMES", set())
    monkeypatch.delenv("PRAXIS_FP", raising=False)
    declare("relay.before-publish")
    declare("edge.after-commit")
    yield
    arm("")


def outcomes(name: str, times: int) -> list[bool]:
    return [raised(name) for _ in range(times)]


def raised(name: str) -> bool:
    try:
        hit(name)
    except FailpointError:
        return True
    return False


def test_nothing_happens_until_boot_arms_what_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAXIS_FP", "relay.before-publish:1:raise")
    hit("relay.before-publish")
    arm()
    with pytest.raises(FailpointError, match=r"relay\.before-publish"):
        hit("relay.before-publish")


def test_without_a_plan_arming_changes_nothing() -> None:
    arm()
    hit("relay.before-publish")


def test_a_failpoint_acts_on_its_nth_hit_alone_and_others_do_not_count() -> None:
    arm("relay.before-publish:3:raise")
    assert outcomes("edge.after-commit", 5) == [False] * 5
    assert outcomes("relay.before-publish", 5) == [False, False, True, False, False]


def test_a_list_plans_several_failpoints_and_several_hits_of_one() -> None:
    arm("relay.before-publish:1:raise, relay.before-publish:3:raise,edge.after-commit:2:raise")
    assert outcomes("relay.before-publish", 4) == [True, False, True, False]
    assert outcomes("edge.after-commit", 2) == [False, True]


def test_arming_again_counts_from_zero() -> None:
    arm("relay.before-publish:2:raise")
    hit("relay.before-publish")
    arm("relay.before-publish:2:raise")
    assert outcomes("relay.before-publish", 2) == [False, True]


def test_a_delay_stalls_for_its_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(failpoints, "time", SimpleNamespace(sleep=slept.append))
    arm("relay.before-publish:2:delay:250")
    for _ in range(4):
        hit("relay.before-publish")
    assert slept == [0.25]


@pytest.mark.parametrize("plan", ["a.b:2", "a.b:2:kill", "seed=1;probability=1;action=kill", "seed=1;probability=1"])
def test_a_kill_ends_the_process_as_the_system_would(plan: str) -> None:
    code = f"""
from praxis.kit.failpoints import arm, declare, hit
name = declare("a.b")
arm({plan!r})
print("before", flush=True)
hit(name); hit(name)
print("after", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "before\n")


def test_a_seed_fails_the_same_hits_again() -> None:
    arm("seed=42;probability=0.3;action=raise")
    first = outcomes("relay.before-publish", 200)
    arm("seed=42;probability=0.3;action=raise")
    assert outcomes("relay.before-publish", 200) == first
    arm("seed=43;probability=0.3;action=raise")
    assert outcomes("relay.before-publish", 200) != first
    assert 30 < sum(first) < 90


@pytest.mark.parametrize(("probability", "fails"), [("0", 0), ("1", 50)])
def test_the_ends_of_chance_are_never_and_always(probability: str, fails: int) -> None:
    arm(f"seed=7;probability={probability};action=raise")
    assert sum(outcomes("edge.after-commit", 50)) == fails


def test_an_unknown_name_refuses_boot_and_tells_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'relay\.befor'; there are edge\.after-commit, relay\.before-publish"):
        arm("relay.befor:1")


@pytest.mark.parametrize(
    "plan",
    ["relay.before-publish", "relay.before-publish:0", "relay.before-publish:x", "relay.before-publish:1:explode",
     "relay.before-publish:1:explode:5", "relay.before-publish:1:delay", "relay.before-publish:1:delay:x",
     "relay.before-publish:1,", "seed=1", "seed=x;probability=1", "seed=1;probability=x", "seed=1;probability=2",
     "seed=1;probability=-0.1", "seed=1;probability=1;action=explode", "seed=1;probability=1;name=x",
     "seed=1;probability=nan"],
)  # fmt: skip
def test_a_plan_that_cannot_be_read_refuses_boot(plan: str) -> None:
    with pytest.raises(ValueError, match="PRAXIS_FP"):
        arm(plan)


def test_a_refused_plan_leaves_the_one_before_it() -> None:
    arm("relay.before-publish:1:raise")
    with pytest.raises(ValueError, match="PRAXIS_FP"):
        arm("relay.before-publish:x")
    assert raised("relay.before-publish")


def test_a_name_is_declared_once_and_returned() -> None:
    assert declare("inbox.before-ack") == "inbox.before-ack"
    assert "inbox.before-ack" in failpoints.NAMES
    with pytest.raises(ValueError, match="twice"):
        declare("inbox.before-ack")


@pytest.mark.parametrize("name", ["", "Relay", "a:b", "a,b", "a b", "a..b", "a=b", "-a"])
def test_a_name_that_a_plan_could_not_hold_is_not_declared(name: str) -> None:
    with pytest.raises(ValueError, match="lower case"):
        declare(name)


def test_production_does_not_start_with_failpoints_set(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_in_production("production")
    monkeypatch.setenv("PRAXIS_FP", "relay.before-publish:1")
    refuse_in_production("development")
    with pytest.raises(RuntimeError, match="PRAXIS_FP"):
        refuse_in_production("production")
