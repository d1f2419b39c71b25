"""How long `praxis up` takes to `ready`, first and warm, and what the installation weighs."""

import tempfile
import time
from pathlib import Path

from bench.installation import running
from bench.machine import memory_mib, wait_until_quiet
from bench.table import show


def measure() -> None:
    """Start three times in one home and print seconds to ready and memory when idle."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in ("first start", "warm start", "warm start"):
            load = wait_until_quiet()
            with running(Path(folder)) as praxis:
                time.sleep(3)
                rows.append((name, praxis.ready_seconds, memory_mib(list(praxis.pids.values())), load))
    show(("start", "seconds to ready", "memory MiB (PSS, all processes)", "other load before, cores"), rows)
