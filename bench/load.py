"""A load generator of its own process: reads a plan from standard input, sends it, prints one JSON line.

The plan is `{"host", "port", "clients", "rate"|null, "seconds", "requests": [[method, path, headers, body], ...]}`. Without a rate
each client sends its next request when the last was answered (closed loop); with one, requests leave at their planned times
whatever the answers do, and latency counts from the planned time.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvloop


@dataclass
class Outcome:
    """What was answered: status -> count, and latencies in seconds of the 2xx answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)


def encoded(host: str, request: list[Any]) -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    method, path, headers, body = request
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def answered(reader: asyncio.StreamReader) -> int:
    """Read one answer and return its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"content-length:" in lower:
        length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
    elif b"transfer-encoding: chunked" in lower:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])


async def client(
    plan: dict[str, Any], work: Iterator[tuple[float | None, bytes]], outcome: Outcome, end: float
) -> None:
    """Send the next piece of work until there is none or time is over."""
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    for due, request in work:
        now = time.perf_counter()
        if now >= end:
            break
        if due is not None and due > now:
            await asyncio.sleep(due - now)
        started = due if due is not None else time.perf_counter()
        writer.write(request)
        status = await answered(reader)
        outcome.statuses[status] += 1
        if 200 <= status < 300:
            outcome.latencies.append(time.perf_counter() - started)
    writer.close()


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Run the plan and return rate, latencies, statuses and the generator's own CPU."""
    requests = [encoded(plan["host"], request) for request in plan["requests"]]
    outcome, begin = Outcome(), time.perf_counter()
    rate = plan.get("rate")
    dues = (begin + i / rate if rate else None for i in range(len(requests)))
    work = iter(list(zip(dues, requests, strict=True)))
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(client(plan, work, outcome, begin + plan["seconds"]) for _ in range(plan["clients"])))
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "rate": len(outcome.latencies) / seconds,
        "statuses": dict(outcome.statuses),
        "p50_ms": percentile(outcome.latencies, 50) * 1000,
        "p99_ms": percentile(outcome.latencies, 99) * 1000,
        "generator_cpu_s": after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime,
    }


def percentile(values: list[float], percent: int) -> float:
    """Return the nearest-rank percentile, 0.0 for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


if __name__ == "__main__":
    uvloop.install()
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
