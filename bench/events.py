"""Lag of events from the publisher's commit to the consumer's commit, at 200 events a second, by PostgreSQL's commit timestamps."""

import os
import tempfile
from pathlib import Path
from typing import Any

from bench.installation import Installation, running
from bench.load import percentile
from bench.table import show

RATE, SECONDS = 200, 20

_COMMITS = """
select a.entity_id as id, pg_xact_commit_timestamp(a.xact::text::xid) as at
from audit a where a.action = 'scheduling.patients.register' and a.entity_id is not null
"""
_EFFECTS = """
select aggregate_id as id, pg_xact_commit_timestamp(xmin) as at
from inbox where subject = 'praxis.scheduling.patient.registered.v1'
"""


def measure() -> None:
    """Register patients at a fixed rate and print how long billing took to know each."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with running(home) as praxis:
            praxis.admin("postgres", "alter system set track_commit_timestamp = on")
        with running(home) as praxis:
            sent = praxis.load(_registrations(praxis), clients=32, seconds=SECONDS + 5, rate=RATE)
            lags = _lags(praxis, sent["statuses"].get("201", 0))
    head = ("patient.registered, scheduling's commit to billing's commit", "a second", "lag p50 ms", "lag p99 ms")
    show(head, [("paced", sent["rate"], percentile(lags, 50) * 1000, percentile(lags, 99) * 1000)])
    share = sent["generator_cpu_s"] / sent["seconds"]
    print(
        f"{len(lags)} events; statuses {sent['statuses']}; request p99 {sent['p99_ms']:.1f} ms; generator {share:.2f} cores\n"
    )


def _registrations(praxis: Installation) -> list[list[Any]]:
    headers = {"authorization": f"Bearer {praxis.token}", "content-type": "application/json"}
    tag = os.urandom(3).hex()
    return [
        [
            "POST",
            "/v1/patients",
            headers,
            {"family_name": f"Lag{tag}", "given_name": f"No{n}", "birth_on": "1980-01-01", "sex": "unknown"},
        ]
        for n in range(RATE * SECONDS)
    ]


def _lags(praxis: Installation, expected: int) -> list[float]:
    import time

    end = time.monotonic() + 30
    while True:
        effects = {row["id"]: row["at"] for row in praxis.admin("billing", _EFFECTS)}
        if len(effects) >= expected or time.monotonic() > end:
            break
        time.sleep(0.2)
    commits = {row["id"]: row["at"] for row in praxis.admin("scheduling", _COMMITS)}
    if len(effects) < expected:
        raise RuntimeError(f"{expected - len(effects)} events have not arrived")
    return [(effects[id] - at).total_seconds() for id, at in commits.items()]
