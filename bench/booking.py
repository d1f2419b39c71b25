"""Booking through gateway and service with every rule on, against pgbench running the same transaction on the same server."""

import os
import re
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.installation import Installation
from bench.machine import cpu_seconds
from praxis.kit.idempotency import _FIND
from praxis.kit.settings import role_name
from praxis.kit.unit_of_work import _RECORD
from praxis.runtime.postgres import find_programs
from services.scheduling.appointments.commands import _BOOK, _LOCK
from services.scheduling.appointments.queries import _BOOKABLE

CLIENTS, SECONDS = 16, 10
PROVIDERS, PATIENTS = 20, 400
ENVELOPE = "json_build_object('data', repeat('x', 900))::text"


def set_up(praxis: Installation) -> dict[str, list[str]]:
    """Create location, visit type, rooms, providers and patients; return their ids."""
    tag = os.urandom(3).hex()
    address = {"line1": "1 Bench Way", "city": "Springfield", "state": "IL", "postal_code": "62701-0001"}
    place = {"code": f"B{tag}", "name": "Bench", "time_zone": "America/Chicago", "place_of_service": "11"}
    location = praxis.call("POST", "/v1/locations", {**place, "address": address})
    visit = praxis.call(
        "POST", "/v1/visit-types", {"code": f"V{tag}", "name": "Bench", "duration_minutes": 15, "needs_room": False}
    )
    rooms = [
        praxis.call("POST", "/v1/rooms", {"location_id": location["id"], "name": f"{tag} {n}"})["id"]
        for n in range(PROVIDERS)
    ]
    patients = [
        praxis.call(
            "POST",
            "/v1/patients",
            {"family_name": f"Bench{tag}", "given_name": f"No{n}", "birth_on": "1980-01-01", "sex": "unknown"},
        )["id"]
        for n in range(PATIENTS)
    ]
    return {"location": [location["id"]], "visit": [visit["id"]], "rooms": rooms, "patients": patients}


def bookings(
    praxis: Installation, ids: dict[str, list[str]], providers: list[str], first_day: int, count: int
) -> list[list[Any]]:
    """Return `count` requests for distinct free times: provider, room and patient of each overlap no other's."""
    base = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=first_day)
    requests = []
    for number in range(count):
        lane, slot = number % len(providers), number // len(providers)
        body = {
            "patient_id": ids["patients"][number % PATIENTS],
            "visit_type_id": ids["visit"][0],
            "location_id": ids["location"][0],
            "practitioner_id": providers[lane],
            "room_id": ids["rooms"][lane],
            "starts_at": (base + timedelta(minutes=15 * slot)).isoformat(),
        }
        headers = {
            "authorization": f"Bearer {praxis.token}",
            "content-type": "application/json",
            "idempotency-key": os.urandom(12).hex(),
        }
        requests.append(["POST", "/v1/appointments", headers, body])
    return requests


def through_the_gateway(praxis: Installation, requests: list[list[Any]]) -> dict[str, Any]:
    """Book over HTTP for ten seconds and return the load generator's figures with CPU per booking of each part."""
    pids = praxis.pids
    parts = ("gateway", "scheduling", "postgres")
    before = {name: cpu_seconds([pids[name]]) for name in parts}
    found = praxis.load(requests, clients=CLIENTS, seconds=SECONDS)
    booked = max(1, sum(n for status, n in found["statuses"].items() if status.startswith("2")))
    found["cpu_us"] = {name: round((cpu_seconds([pids[name]]) - before[name]) / booked * 1e6) for name in parts}
    return found


def filled(statement: str, arguments: list[str]) -> str:
    """Return a statement on one line with `$n` replaced by SQL."""
    return re.sub(r"\$(\d+)", lambda found: f"({arguments[int(found[1]) - 1]})", " ".join(statement.split()))


def script(ids: dict[str, list[str]], practice_id: str, principal_id: str, providers: list[str]) -> str:
    """Return the pgbench script of the edge's transaction: the statements of the code, in its order, as many round trips."""

    pick = lambda name, values: f"(array[{','.join(repr(v) for v in values)}]::uuid[])[:{name}]"  # noqa: E731
    provider, room, patient = pick("lane", providers), pick("lane", ids["rooms"]), pick("who", ids["patients"])
    starts = "timestamptz '2031-01-01 00:00+00' + :slot * interval '15 minutes'"
    new = "uuidv7()"
    appointment = "md5(:lane::text || '-' || :slot::text || '-' || :salt::text)::uuid"
    needed = f"array[{provider},{room},{patient}]"
    zone = "text 'America/Chicago'"
    book = filled(_BOOK, [
        needed, starts, f"{starts} + interval '15 minutes'", appointment, "array['practitioner','room','patient']", patient,
        f"uuid '{ids['visit'][0]}'", "text 'BENCH'", f"uuid '{ids['location'][0]}'", provider, room,
        "timestamp '2031-01-01 00:00' + :slot * interval '15 minutes'", zone, "text '2026a'", "text 'staff'", "clock_timestamp()",
    ])  # fmt: skip
    record = filled(_RECORD, [
        f"array[{new}]", "array['praxis.scheduling.appointment.booked.v1']", f"array[{appointment}]", f"array[{appointment}]",
        f"array[{ENVELOPE}]", "clock_timestamp()", f"uuid '{principal_id}'", "array['lead_medical_assistant']",
        f"array[{new}]", "array['appointment']", f"array[{appointment}]", "array[1::bigint]", f"array[{patient}]",
        "text 'staff'", "text 'scheduling.appointments.book'", "text 'TREAT'", "repeat('0', 32)",
        "text 'scheduling.appointments.book'", f"{appointment}::text", "sha256('x')", "201::smallint",
        "text '{}'", "decode(repeat('ab', 500), 'hex')", "text 'success'",
    ])  # fmt: skip
    asked = [f"uuid '{principal_id}'", "text 'scheduling.appointments.book'", f"{appointment}::text"]
    find = filled(_FIND, [*asked, "clock_timestamp() - interval '7 days'"])
    bookable = filled(_BOOKABLE, [patient, f"uuid '{ids['visit'][0]}'", f"uuid '{ids['location'][0]}'", provider, room])
    lock = filled(_LOCK, [needed])
    return "\n".join(
        [
            *_variables(providers),
            "\\startpipeline",
            "BEGIN;",
            f"SELECT set_config('app.practice_id', '{practice_id}', true);",
            "SELECT pg_advisory_xact_lock(:salt);",
            "\\endpipeline",
            *(f"{statement};" for statement in (find, bookable, lock, book, record)),
            "COMMIT;",
        ]
    )


def _variables(providers: list[str]) -> list[str]:
    return [
        f"\\set lane random(1, {len(providers)})",
        f"\\set who random(1, {PATIENTS})",
        "\\set slot random(1, 5000000000)",
        "\\set salt random(1, 1000000000)",
    ]


def one_statement_script(ids: dict[str, list[str]], providers: list[str]) -> str:
    """Return the least that could book: appointment and outbox row in one data-modifying statement, no rule, no lock."""
    pick = lambda name, values: f"(array[{','.join(repr(v) for v in values)}]::uuid[])[:{name}]"  # noqa: E731
    starts = "timestamptz '2041-01-01 00:00+00' + :slot * interval '15 minutes'"
    statement = f"""
    with a as (insert into appointments (id, correlation_id, revision, status, starts_at, ends_at, patient_id, visit_type_id,
        visit_type_code, location_id, practitioner_id, local_start, time_zone, tzdata_version, channel, changed_at)
      values (uuidv7(), uuidv7(), 1, 'booked', {starts}, {starts} + interval '15 minutes', {pick("who", ids["patients"])},
        '{ids["visit"][0]}', 'BENCH', '{ids["location"][0]}', {pick("lane", providers)}, timestamp '2041-01-01', 'America/Chicago',
        '2026a', 'staff', now()) returning id, practitioner_id, starts_at, ends_at),
    o as (insert into occupancies (appointment_id, resource_id, kind, starts_at, ends_at)
      select id, practitioner_id, 'practitioner', starts_at, ends_at from a)
    insert into outbox (event_id, subject, aggregate_id, correlation_id, envelope, recorded_at, actor_id, actor_roles)
    select uuidv7(), 'praxis.scheduling.appointment.booked.v1', id, id, {ENVELOPE}, now(), id, array['bench'] from a;
    """
    return "\n".join([*_variables(providers), " ".join(statement.split())])


def pgbench(praxis: Installation, text: str, practice_id: str) -> float:
    """Run a script as scheduling's app role with 16 prepared clients; return transactions a second."""
    secrets = praxis.state.secrets / "praxis" / "scheduling"
    environment = os.environ | {
        "PGPASSWORD": (secrets / "db-app.password").read_text().strip(),
        "PGOPTIONS": f"-c app.practice_id={practice_id}",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        command = [
            *(
                str(Path(find_programs()) / "pgbench"),
                "-n",
                "-M",
                "prepared",
                "-c",
                str(CLIENTS),
                "-j",
                "2",
                "-T",
                str(SECONDS),
            ),
            *("-h", "127.0.0.1", "-p", str(praxis.state.ports["postgres"]), "-U", role_name("scheduling", "app")),
            *("-f", file.name, "scheduling"),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found:
        raise RuntimeError(done.stderr[-2000:])
    return float(found[1])


def wait_for_practitioners(praxis: Installation, wanted: set[str]) -> None:
    """Wait until scheduling has heard of these people."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        known = {item["id"] for item in praxis.call("GET", "/v1/practitioners?limit=200")["items"]}
        if wanted <= known:
            return
        time.sleep(0.1)
    raise RuntimeError("scheduling has not heard of the benchmark's providers")


def wait_until_published(praxis: Installation) -> None:
    """Wait until the relay has sent what was announced, pgbench's rows too, so that a round does not pay for the last one."""
    while praxis.admin("scheduling", "select 1 from outbox where published_at is null limit 1"):
        time.sleep(0.5)
