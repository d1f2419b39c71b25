"""One visit through all four services, over HTTP alone."""

import hashlib
from datetime import date

from praxis.kit.permissions import ASSISTANT, BILLER, MANAGER, RECEPTION
from praxis.kit.settings import PUBLISHERS
from praxis.runtime.demo.api import Api, Json
from praxis.runtime.demo.checks import Checks, entries_of, is_balanced, used_lots
from praxis.runtime.demo.seed import House, set_up
from praxis.runtime.demo.visit import FIRST_STEPS, SECOND_STEPS, Walked
from praxis.runtime.demo.walk import step_name, trace_of
from praxis.runtime.operator import system_connection
from tests.support.billing import accepted_by_pyx12
from tests.support.stack import RunningStack, as_json

WHO = {
    "appointment.booked": "desk",
    "visit.checked-in": "desk",
    "visit.completed": "doctor",
    "charge.captured": "doctor",
    "claim.readied": "doctor",
    "entry.posted": "doctor",
}


def announced(trace: Json) -> dict[str, Json]:
    return {step_name(step).split()[-1]: step for step in trace["steps"] if step["kind"] == "announced"}


def test_every_check_of_the_walk_holds(first: Walked, checks: Checks):
    assert checks.failed == []
    assert first.claim["state"] == "ready"


def test_the_trace_shows_every_step_with_its_service_event_time_lag_and_actor(api: Api, first: Walked):
    trace = trace_of(api, first.appointment["id"], FIRST_STEPS)
    assert {step_name(step) for step in trace["steps"]} == FIRST_STEPS
    assert trace["missing"] == []
    assert [step["at"] for step in trace["steps"]] == sorted(step["at"] for step in trace["steps"])
    assert all(step["event_id"] and step["actor"] for step in trace["steps"])
    for step in trace["steps"]:
        assert (step["lag_ms"] is not None) == (step["kind"] == "effect")
        assert step["lag_ms"] is None or step["lag_ms"] >= 0


def test_an_effect_names_the_event_that_another_service_announced(api: Api, first: Walked):
    trace = trace_of(api, first.appointment["id"], FIRST_STEPS)
    publishers = {step["event_id"]: step["service"] for step in trace["steps"] if step["kind"] == "announced"}
    effects = [step for step in trace["steps"] if step["kind"] == "effect"]
    assert effects
    assert all(publishers[step["event_id"]] != step["service"] for step in effects)


def test_each_step_was_done_by_the_one_whose_work_it_is(api: Api, first: Walked):
    steps = announced(trace_of(api, first.appointment["id"], FIRST_STEPS))
    assert {name: steps[name]["actor_name"] for name in WHO} == WHO


def test_the_command_prints_the_same_trace(stack: RunningStack, api: Api, first: Walked):
    told = as_json(stack.run("trace", first.appointment["id"], "--json"))
    assert told == trace_of(api, first.appointment["id"], FIRST_STEPS)
    table = stack.run("trace", first.appointment["id"]).stderr
    assert all(step["event_id"] in table for step in told["steps"])


def test_the_lot_that_expires_first_is_empty_before_the_next_is_touched(api: Api, demo: House, first: Walked):
    lines = [line for line in first.usage["lines"] if line["item_id"] == demo.items["ELECTRODE"]]
    assert [line["quantity"] for line in lines] == [6, 4]
    early, late = (api.get(ASSISTANT, f"/v1/lots/{line['lot_id']}") for line in lines)
    assert date.fromisoformat(early["expires_on"]) < date.fromisoformat(late["expires_on"])


def test_supplies_are_cost_on_the_charge_sheet(first: Walked):
    supplies = first.sheet["supplies"]
    expected = sum(line["unit_cost_micros"] * line["quantity"] for line in first.usage["lines"])
    assert supplies["cost_cents"] == first.usage["cost_cents"] == (expected + 5_000) // 10_000


def test_the_837p_is_accepted_and_is_the_one_that_the_claim_names(first: Walked):
    assert accepted_by_pyx12(first.x12)
    assert hashlib.sha256(first.x12.encode()).hexdigest() == first.claim["x12_sha256"]
    assert "*ZZ*DEMOSUBMITTER" in first.x12
    assert "HC:G0402" in first.x12
    assert "HC:G0403" in first.x12


def test_the_ledger_has_one_balanced_entry_of_the_charge(api: Api, first: Walked):
    [entry] = entries_of(api, first.sheet["id"])
    assert is_balanced(entry)
    sides = {p["account"]: (p["debit_cents"], p["credit_cents"]) for p in entry["postings"]}
    assert sides == {"1100": (first.sheet["total_cents"], 0), "4000": (0, first.sheet["total_cents"])}


async def test_neither_events_nor_logs_tell_who_the_patient_is_or_what_they_have(
    stack: RunningStack, api: Api, first: Walked
):
    patient = api.get(RECEPTION, f"/v1/patients/{first.visit['patient_id']}")
    secrets = ["Z00.00", "Z0000", patient["family_name"], patient["phone"], patient["mrn"], "systolic_mmhg"]
    told = [path.read_text() for path in stack.state.logs.glob("*.log")]
    for publisher in PUBLISHERS:
        async with system_connection(stack.state, publisher) as connection:
            told += [row["envelope"] for row in await connection.fetch("select envelope from outbox")]
    assert any("praxis.billing.charge.captured.v1" in text for text in told)
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


def test_setting_up_again_adds_nothing(api: Api, demo: House, first: Walked):
    assert set_up(api) == demo


def test_every_check_of_the_second_walk_holds(second: Walked, checks: Checks):
    assert checks.failed == []


def test_the_second_trace_has_the_correction_and_the_shortage(api: Api, second: Walked):
    trace = trace_of(api, second.appointment["id"], SECOND_STEPS)
    assert {step_name(step) for step in trace["steps"]} == SECOND_STEPS
    assert [step_name(step) for step in trace["steps"]].count("inventory announced stock.ran-short") == 1


def test_a_cancelled_booking_leaves_no_visit_and_a_free_time(api: Api, second: Walked):
    booked = list(api.every(RECEPTION, "/v1/appointments", patient_id=second.visit["patient_id"]))
    same_time = [one["status"] for one in booked if one["starts_at"] == second.appointment["starts_at"]]
    assert sorted(same_time) == ["cancelled", "fulfilled"]


def test_an_amended_visit_has_used_what_its_newest_revision_needs(demo: House, second: Walked):
    used = {sku: sum(used_lots(second.usage, demo.items[sku]).values()) for sku in ("SYRINGE-3", "TUBE-EDTA", "TRAY")}
    assert used == {"SYRINGE-3": 0, "TUBE-EDTA": 2, "TRAY": 1}
    assert second.usage["revision"] == second.visit["revision"]


def test_a_short_item_is_told_and_the_visit_went_on(demo: House, second: Walked):
    assert second.usage["shortfalls"] == [{"item_id": demo.items["DRESSING"], "quantity": 1}]
    assert second.visit["stage"] == "completed"


def test_a_supply_with_a_code_is_suggested_for_billing(second: Walked):
    assert second.sheet["supplies"]["suggested_lines"] == [{"hcpcs_code": "A4550", "units": 1}]


def test_only_the_corrected_claim_stands(api: Api, second: Walked):
    claims = list(api.every(BILLER, "/v1/claims", visit_id=second.visit["id"]))
    assert sorted((claim["sheet_version"], claim["state"]) for claim in claims) == [(1, "voided"), (2, "ready")]
    assert second.claim["total_cents"] == 12_500 + 3_200
    assert "HC:J3301" not in second.x12
    assert accepted_by_pyx12(second.x12)


def test_a_reversal_mirrors_the_entry_it_undoes(api: Api, second: Walked):
    signed, voided, _ = entries_of(api, second.sheet["id"])
    mirrored = {(p["account"], p["credit_cents"], p["debit_cents"]) for p in voided["postings"]}
    assert mirrored == {(p["account"], p["debit_cents"], p["credit_cents"]) for p in signed["postings"]}


def test_the_books_of_both_visits_balance(api: Api, first: Walked, second: Walked):
    balance = api.get(BILLER, "/v1/ledger/trial-balance")
    assert balance["debit_cents"] == balance["credit_cents"] > 0
    assert balance["balance_cents"] == 0


def test_an_installation_that_walked_verifies(stack: RunningStack, second: Walked):
    verified = stack.run("verify")
    assert verified.returncode == 0, verified.stderr
    assert as_json(stack.run("park", "list", "--json")) == []


def test_the_demo_command_walks_again(stack: RunningStack, second: Walked):
    walked = stack.run("demo")
    assert walked.returncode == 0, walked.stderr
    assert "FAILS" not in walked.stderr


def test_an_unknown_story_is_a_problem_in_one_line(stack: RunningStack, api: Api):
    told = stack.run("trace", "00000000-0000-7000-8000-000000000000")
    assert told.returncode == 1
    assert "story-unknown" in told.stderr
    assert "Traceback" not in told.stderr
    assert api.find(MANAGER, "/v1/trace/00000000-0000-7000-8000-000000000000") is None
