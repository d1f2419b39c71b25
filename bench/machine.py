"""The machine a row was measured on, how quiet it was, and what processes use."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

VERSIONS = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "nats-py", "aiohttp")


def description() -> str:
    """Return cores, memory, kernel and the versions that matter, on one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, {packages}"


def busy_cores(seconds: float = 1.0) -> float:
    """Return how many cores were busy during `seconds` (0.0 to the number of cores)."""
    before, start = _busy_ticks(), time.monotonic()
    time.sleep(seconds)
    return (_busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - start)


def wait_until_quiet(limit: float = 0.3, patience: float = 60.0) -> float:
    """Wait until less than `limit` cores are busy; return the last figure (above the limit when patience ran out)."""
    end = time.monotonic() + patience
    while (load := busy_cores()) > limit and time.monotonic() < end:
        continue
    return load


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time used so far by processes and their living children."""
    ticks = 0
    for pid in pids:
        for process in [pid, *_descendants(pid)]:
            try:
                fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pids: list[int]) -> float:
    """Return the proportional set size of processes and their descendants, in MiB."""
    total = 0
    for process in {found for pid in pids for found in [pid, *_descendants(pid)]}:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in tasks.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _busy_ticks() -> int:
    fields = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4]
