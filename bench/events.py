"""Lag of events from the publisher's commit to the consumer's commit, at 200 events a second, by PostgreSQL's commit timestamps."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.installation import Installation, running
from bench.load import percentile
from bench.table import show

RATE, WARM_UP, SECONDS = 200, 3, 20

_COMMITS = """
select a.entity_id as id, pg_xact_commit_timestamp(a.xact::text::xid) as at from audit a where a.action = 'bench.announce'
"""
_EFFECTS = """
select aggregate_id as id, pg_xact_commit_timestamp(xmin) as at
from inbox where subject = 'praxis.scheduling.patient.registered.v1'
"""


def measure() -> None:
    """Announce registrations at a fixed rate and print how long billing took to know each, after three seconds of warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with running(home) as praxis:
            praxis.admin("postgres", "alter system set track_commit_timestamp = on")
        with running(home) as praxis:
            arguments = [str(home), praxis.keys.practice_id, str(RATE), str(WARM_UP + SECONDS)]
            command = [sys.executable, "-m", "bench.announcer", *arguments]
            sent = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            lags = _lags(praxis, RATE * (WARM_UP + SECONDS))[RATE * WARM_UP :]
    head = ("patient.registered, scheduling's commit to billing's commit", "a second", "lag p50 ms", "lag p99 ms")
    show(head, [("paced", sent["rate"], percentile(lags, 50) * 1000, percentile(lags, 99) * 1000)])
    print(f"{len(lags)} events, none missing; generator {sent['cores']:.2f} cores\n")


def _lags(praxis: Installation, expected: int) -> list[float]:
    end = time.monotonic() + 30
    while True:
        effects = {row["id"]: row["at"] for row in praxis.admin("billing", _EFFECTS)}
        if len(effects) >= expected or time.monotonic() > end:
            break
        time.sleep(0.2)
    commits = {row["id"]: row["at"] for row in praxis.admin("scheduling", _COMMITS)}
    if len(commits) < expected or any(id not in effects for id in commits):
        raise RuntimeError(f"{len(commits)} of {expected} announced, {len(effects)} arrived")
    return [(effects[id] - at).total_seconds() for id, at in sorted(commits.items(), key=lambda commit: commit[1])]
