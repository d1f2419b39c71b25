"""Walking visits through the whole loop: one that goes well, one with a cancelled booking, a correction and a shortage."""

import json
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from praxis.kit.permissions import ASSISTANT, BILLER, PROVIDER, RECEPTION
from praxis.runtime.demo import house
from praxis.runtime.demo.api import Api, Json
from praxis.runtime.demo.checks import (
    Checks,
    earned_cents,
    entries_of,
    expect_books_balanced,
    first_expired,
    is_balanced,
    on_hand,
    stock_lines,
    used_lots,
)
from praxis.runtime.demo.keys import read_keys
from praxis.runtime.demo.seed import House, receive_stock, set_up, stock_up
from praxis.runtime.demo.trace import show_trace
from praxis.runtime.demo.walk import (
    Coding,
    book,
    check_in,
    claim_of,
    code_and_sign,
    hold_visit,
    line,
    new_insured_patient,
    sheet_of,
    trace_of,
    usage_of,
)
from praxis.runtime.state import State

FIRST_STEPS = frozenset(
    {
        "scheduling announced appointment.booked",
        "scheduling announced visit.checked-in",
        "scheduling announced visit.completed",
        "inventory effect visit.completed",
        "inventory announced stock.consumed",
        "billing effect visit.completed",
        "billing effect stock.consumed",
        "billing announced charge.captured",
        "billing announced claim.readied",
        "billing announced entry.posted",
    }
)
SECOND_STEPS = FIRST_STEPS | {
    "scheduling announced visit.amended",
    "inventory effect visit.amended",
    "inventory announced stock.ran-short",
    "billing effect visit.amended",
}
WELLNESS = Coding(("Z00.00",), (line("G0402", 1), line("G0403", 1)))
INJECTED = Coding(("M25.561",), (line("T1015", 1), line("J3301", 1, units=4), line("A4550", 1)))
NOT_INJECTED = Coding(("M25.561",), (line("T1015", 1), line("A4550", 1)))


@dataclass(frozen=True, slots=True)
class Walked:
    """A visit that has been through the loop, and what came of it."""

    appointment: Json
    visit: Json
    usage: Json
    sheet: Json
    claim: Json
    x12: str


def walk_and_print(state: State, url: str, console: Console) -> None:
    """Walk both visits and print their steps, checks and traces; raises ChecksFailed."""
    with Api(url, read_keys(state)) as api:
        checks = Checks(console)
        demo = set_up(api)
        console.print("A visit through the whole loop")
        first = walk_first_visit(api, demo, checks)
        show_trace(console, trace_of(api, first.appointment["id"], FIRST_STEPS))
        console.print("A second one: a booking cancelled, a completion amended, an item short")
        second = walk_second_visit(api, demo, checks)
        show_trace(console, trace_of(api, second.appointment["id"], SECOND_STEPS))
        checks.conclude()


def seed_and_print(state: State, console: Console) -> None:
    """Set up the demo practice and tell what it has."""
    with Api(f"http://127.0.0.1:{state.ports['gateway']}", read_keys(state)) as api:
        demo = set_up(api)
        stock_up(api, demo)
    console.print(
        f"{len(demo.rooms)} rooms, {len(demo.visit_types)} visit types, {len(demo.staff)} people, "
        f"{len(demo.items)} items, {len(house.KITS)} kits, {len(house.FEES)} prices, payer {house.PAYER['name']}"
    )


def print_trace(state: State, appointment_id: str, console: Console, as_json: bool) -> None:
    """Print the story of an appointment or a walk-in visit as far as it has come."""
    with Api(f"http://127.0.0.1:{state.ports['gateway']}", read_keys(state)) as api:
        trace = trace_of(api, appointment_id)
    if as_json:
        print(json.dumps(trace))
    else:
        show_trace(console, trace)


def walk_first_visit(api: Api, demo: House, checks: Checks) -> Walked:
    """Walk a wellness visit with an ECG from the delivery of supplies to a ready claim, and check what came of it."""
    stock_up(api, demo)
    receive_stock(api, demo, "ELECTRODE")
    checks.tell("supplies received")
    patient = new_insured_patient(api, demo)
    appointment = book(api, demo, patient["id"], "WELLNESS")
    checks.tell(f"booked {_told(appointment['local_start'])}")
    before = stock_lines(api, demo, "ELECTRODE")
    visit = check_in(api, appointment)
    done = hold_visit(api, demo, visit, ["ekg"])
    checks.tell("checked in, roomed, tasks done, completed")
    usage = usage_of(api, done)
    _expect_first_expired(api, demo, checks, before, usage)
    return _settle(api, checks, appointment, done, usage, WELLNESS)


def _expect_first_expired(api: Api, demo: House, checks: Checks, before: list[Json], usage: Json) -> None:
    electrodes = used_lots(usage, demo.items["ELECTRODE"])
    checks.expect("electrodes came from the lots that expire first", electrodes, first_expired(before, 10))
    left = on_hand(stock_lines(api, demo, "ELECTRODE"))
    checks.expect("ten electrodes are gone from stock", on_hand(before) - left, 10)
    checks.expect("nothing was short", usage["shortfalls"], [])


def _settle(api: Api, checks: Checks, appointment: Json, done: Json, usage: Json, coding: Coding) -> Walked:
    """Let the provider code and sign what the visit opened, and check charge, claim and books."""
    sheet = sheet_of(api, done["id"], ("open", "reopened"), cost_cents=usage["cost_cents"])
    signed = code_and_sign(api, sheet, coding)
    claim = claim_of(api, signed)
    checks.tell(f"coded and signed, claim {claim['control_number']} is ready")
    x12 = api.get_text(BILLER, f"/v1/claims/{claim['id']}/x12")
    total = sum(house.FEES[line["hcpcs_code"]] * line["units"] for line in coding.lines)
    checks.expect("the charge is the sum of the prices", signed["total_cents"], total)
    checks.expect("the claim asks for the charge", claim["total_cents"], total)
    named = f"CLM*{claim['control_number']}*{total // 100}" in x12
    checks.expect("the 837P names the claim and its amount", named, True)
    entries = entries_of(api, sheet["id"])
    checks.expect("every entry is balanced", all(map(is_balanced, entries)), True)
    checks.expect("revenue is the charge, once", earned_cents(entries), total)
    expect_books_balanced(api, checks)
    return Walked(appointment, done, usage, signed, claim, x12)


def walk_second_visit(api: Api, demo: House, checks: Checks) -> Walked:
    """Walk a procedure whose first booking is cancelled, whose dressing is short and whose injection was not given."""
    stock_up(api, demo)
    patient = new_insured_patient(api, demo)
    appointment = _book_after_cancelling(api, demo, checks, patient["id"])
    syringes = on_hand(stock_lines(api, demo, "SYRINGE-3"))
    visit = check_in(api, appointment)
    done = hold_visit(api, demo, visit, [])
    usage = usage_of(api, done)
    missing = [{"item_id": demo.items[house.SCARCE], "quantity": 1}]
    checks.expect("one of two dressings was short", usage["shortfalls"], missing)
    checks.expect("the other was used", sum(used_lots(usage, demo.items[house.SCARCE]).values()), 1)
    checks.expect("the drug waits for its lot", [n["item_id"] for n in usage["to_confirm"]], [demo.items["TRIAM-40"]])
    first = _settle(api, checks, appointment, done, usage, INJECTED)
    second = _correct(api, demo, checks, first, syringes)
    checks.expect("a voided claim is kept", api.get(BILLER, f"/v1/claims/{first.claim['id']}")["state"], "voided")
    return second


def _book_after_cancelling(api: Api, demo: House, checks: Checks, patient_id: str) -> Json:
    given_up = book(api, demo, patient_id, "PROCEDURE")
    at = f"/v1/appointments/{given_up['id']}"
    cancelled = api.post(RECEPTION, f"{at}/cancel", {"reason": "pat"}, revision=given_up["revision"])
    checks.expect("the booking is cancelled", cancelled["status"], "cancelled")
    start = datetime.fromisoformat(given_up["starts_at"])
    appointment = book(api, demo, patient_id, "PROCEDURE", start)
    checks.expect("its time is free again", appointment["starts_at"], given_up["starts_at"])
    story = [step["subject"] for step in trace_of(api, given_up["id"])["steps"]]
    expected = [f"praxis.scheduling.appointment.{verb}.v1" for verb in ("booked", "cancelled")]
    checks.expect("a cancelled booking used and charged nothing", story, expected)
    return appointment


def _correct(api: Api, demo: House, checks: Checks, walked: Walked, syringes: int) -> Walked:
    """Say that blood was drawn and no injection given, sign anew, and check that only the corrected visit counts."""
    tasks = [{"code": "vital-signs"}, {"code": "blood-draw"}]
    body = {"reason": "entered-in-error", "tasks": tasks}
    at = f"/v1/visits/{walked.visit['id']}"
    amended = api.post(PROVIDER, f"{at}/amend", body, revision=walked.visit["revision"])
    usage = usage_of(api, amended)
    checks.expect("the syringe is back in stock", on_hand(stock_lines(api, demo, "SYRINGE-3")), syringes)
    checks.expect("blood tubes were used", sum(used_lots(usage, demo.items["TUBE-EDTA"]).values()), 2)
    checks.expect("the dressing is still short", usage["shortfalls"], walked.usage["shortfalls"])
    corrected = _settle(api, checks, walked.appointment, amended, usage, NOT_INJECTED)
    purposes = [entry["purpose"] for entry in entries_of(api, corrected.sheet["id"])]
    checks.expect("the first charge was reversed, not erased", purposes, ["signed-1", "voided-1", "signed-2"])
    left = api.get(ASSISTANT, f"/v1/stock/{demo.items[house.SCARCE]}")["usable"]
    checks.expect("no dressing is left", left, 0)
    return corrected


def _told(local_start: str) -> str:
    return f"{datetime.fromisoformat(local_start):%A %d %B %H:%M}"
