"""`make bench`: every measurement of docs/benchmarks.md, printed as Markdown rows. Name some to run only those."""

import sys
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import booking, events, machine, startup
from bench.installation import Installation, running, signed_in_as
from bench.table import show
from praxis.kit.npi import check_digit

ROUNDS = 3


def main() -> None:
    """Run the named measurements, or all of them."""
    measurements: dict[str, Callable[[], None]] = {
        "startup": startup.measure,
        "booking": measure_booking,
        "events": events.measure,
    }
    print(f"Machine: {machine.description()}")
    print(f"Other load at the start: {machine.wait_until_quiet():.2f} cores\n")
    for name in sys.argv[1:] or list(measurements):
        measurements[name]()


def measure_booking() -> None:
    """Alternate the whole path and pgbench three times; print medians and the ratio of each round."""
    with running() as praxis:
        ids = booking.set_up(praxis)
        providers = _providers(praxis)
        rounds: list[dict[str, Any]] = []
        for number in range(ROUNDS):
            path = booking.through_the_gateway(
                praxis, booking.bookings(praxis, ids, providers, 30 + 120 * number, 12_000)
            )
            full = booking.pgbench(
                praxis,
                booking.script(ids, praxis.keys.practice_id, ids["patients"][0], providers),
                praxis.keys.practice_id,
            )
            least = booking.pgbench(praxis, booking.one_statement_script(ids, providers), praxis.keys.practice_id)
            booking.wait_until_published(praxis)
            rounds.append({**path, "pgbench": full, "one": least})
        race = _race(praxis, ids, providers)
    head = (
        "booking, 16 clients",
        "a second",
        "p50 ms",
        "p99 ms",
        "CPU us: gateway + scheduling + postgres",
        "generator, cores",
    )
    show(head, [cells for row in rounds for cells in _booking_rows(row)])
    ratios = [row["rate"] / row["pgbench"] for row in rounds]
    print(f"Share of pgbench: median {median(ratios):.0%}, rounds {', '.join(f'{ratio:.0%}' for ratio in ratios)}")
    print(f"Statuses: {[row['statuses'] for row in rounds]}; 64 clients on one free time: {race}\n")


def _booking_rows(row: dict[str, Any]) -> list[tuple[object, ...]]:
    cpu = " + ".join(str(row["cpu_us"][name]) for name in ("gateway", "scheduling", "postgres"))
    share = row["generator_cpu_s"] / row["seconds"]
    return [
        ("through gateway and service", row["rate"], row["p50_ms"], row["p99_ms"], cpu, share),
        ("pgbench, the same transaction, -M prepared", row["pgbench"], "", "", "", ""),
        ("pgbench, one data-modifying statement", row["one"], "", "", "", ""),
    ]


def _providers(praxis: Installation) -> list[str]:
    manager = signed_in_as(praxis, "medical_office_manager")
    found = []
    for number in range(booking.PROVIDERS):
        names = {"role": "provider", "family_name": f"Bench{number}", "given_name": "Pat", "hired_on": "2025-01-01"}
        body = {
            **names,
            "npi": f"{100_000_000 + number}{check_digit(str(100_000_000 + number))}",
            "taxonomy_code": "207Q00000X",
        }
        found.append(manager.post("/v1/staff-members", json=body).raise_for_status().json()["id"])
    booking.wait_for_practitioners(praxis, set(found))
    return found


def _race(praxis: Installation, ids: dict[str, list[str]], providers: list[str]) -> dict[str, int]:
    requests = booking.bookings(praxis, ids, providers[:1], 600, 1)
    contenders = [
        [method, path, {**headers, "idempotency-key": f"race-{n:08}"}, body]
        for n in range(64)
        for method, path, headers, body in requests
    ]
    found: dict[str, int] = praxis.load(contenders, clients=64, seconds=20)["statuses"]
    return found


if __name__ == "__main__":
    main()
