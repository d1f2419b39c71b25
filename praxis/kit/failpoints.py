"""Named places where a process can be made to die, fail or stall, so that tests can prove what survives it.

    AFTER_COMMIT = declare("edge.after-commit")
    ...
    hit(AFTER_COMMIT)

Nothing happens until `arm()` has read `PRAXIS_FP` at boot, after every module that declares names is imported. It is
either a list of `name:nth[:action]`, acting once on the nth hit (from 1), or `seed=42;probability=0.01;action=kill`,
acting on any hit by that chance, on the same hits each time for the same seed. Actions are `kill` (SIGKILL to this
process, the default), `raise` and `delay:<ms>`.
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

VARIABLE: Final = "PRAXIS_FP"
NAMES: Final[set[str]] = set()

_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_RANDOM_PLAN = re.compile(r"seed=([0-9]+);probability=(0(?:\.[0-9]+)?|1)(?:;action=(.+))?")

_Act = Callable[[str], None]
_armed: list[_Act] = []


class FailpointError(Exception):
    """Raised by a failpoint armed with the action `raise`."""


def declare(name: str) -> str:
    """Register a failpoint, once, at the top of the module that hits it, and return its name.

    ValueError for a name that is taken or not made of lower case words, dots and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"failpoint {name!r}: lower case words joined by dots or hyphens")
    if name in NAMES:
        raise ValueError(f"failpoint {name!r} is declared twice")
    NAMES.add(name)
    return name


def hit(name: str) -> None:
    """Do what was armed for this failpoint: normally nothing.

    A delay stops the whole thread, event loop included, as a real stall would.
    """
    for act in _armed:
        act(name)


def arm(text: str | None = None) -> None:
    """Read `PRAXIS_FP` (or `text` in its place) and count hits from zero; an empty one disarms.

    ValueError for a name nobody declared or a plan that cannot be read: a boot that goes on would test nothing.
    """
    text = os.environ.get(VARIABLE, "") if text is None else text
    plan = _random_plan if "=" in text else _listed_plan
    _armed[:] = [plan(text)] if text else []


def refuse_in_production(profile: str) -> None:
    """Raise RuntimeError when `PRAXIS_FP` is set and the profile is `production`."""
    if profile == "production" and os.environ.get(VARIABLE):
        raise RuntimeError(f"{VARIABLE} is set: failpoints have no place in production, unset it")


def _listed_plan(text: str) -> _Act:
    planned = dict(_parsed(entry) for entry in text.split(","))
    hits: Counter[str] = Counter()

    def plan(name: str) -> None:
        hits[name] += 1
        if act := planned.get((name, hits[name])):
            act(name)

    return plan


def _parsed(entry: str) -> tuple[tuple[str, int], _Act]:
    name, _, rest = entry.strip().partition(":")
    nth, _, action = rest.partition(":")
    if name not in NAMES:
        raise ValueError(f"{VARIABLE}: no failpoint is called {name!r}; there are {', '.join(sorted(NAMES)) or 'none'}")
    if not nth.isdecimal() or int(nth) < 1:
        raise ValueError(f"{VARIABLE}: {entry!r} has to be name:nth[:action] with nth from 1")
    return (name, int(nth)), _action(action or "kill")


def _random_plan(text: str) -> _Act:
    given = _RANDOM_PLAN.fullmatch(text)
    if given is None:
        raise ValueError(f"{VARIABLE}: {text!r} has to be seed=<digits>;probability=<0 to 1>[;action=<action>]")
    random = Random(int(given[1]))
    probability, act = float(given[2]), _action(given[3] or "kill")

    def plan(name: str) -> None:
        if random.random() < probability:
            act(name)

    return plan


def _action(text: str) -> _Act:
    if text == "kill":
        return _kill
    if text == "raise":
        return _raise
    word, _, milliseconds = text.partition(":")
    if word != "delay" or not milliseconds.isdecimal():
        raise ValueError(f"{VARIABLE}: the action {text!r} is none of kill, raise, delay:<ms>")
    return lambda _: time.sleep(int(milliseconds) / 1000)


def _kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(name: str) -> None:
    raise FailpointError(name)
