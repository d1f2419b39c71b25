"""The steps of one visit, each done by the role whose work it is, and the waits for what other services make of them."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from praxis.kit.ids import new_id
from praxis.kit.permissions import ASSISTANT, BILLER, MANAGER, PROVIDER, RECEPTION
from praxis.runtime.demo.api import Api, Json, NotInTime, Refused, wait_for
from praxis.runtime.demo.seed import House, today
from praxis.runtime.state import RuntimeProblem

GIVEN_NAMES = ("Avery", "Blair", "Casey", "Devon", "Ellis", "Frankie", "Harper", "Jules", "Kendall", "Logan")
FAMILY_NAMES = ("Exampleton", "Specimen", "Placeholder", "Fictiva", "Mockford", "Testerby", "Sandboxer", "Dummond")
VITALS: Mapping[str, int] = {
    "systolic_mmhg": 118,
    "diastolic_mmhg": 76,
    "pulse_per_minute": 66,
    "temperature_decicelsius": 368,
}
HEALING = frozenset({"rendering-provider-unknown", "location-unknown"})
"""Findings that an event on its way may settle; a claim held for any other waits for a person."""
MARGIN = timedelta(minutes=1)
SEARCHES = 200
MIDNIGHT_PATIENCE = 180.0  # seconds


class ClaimHeld(RuntimeProblem):
    """The claim has findings that somebody must mend."""


@dataclass(frozen=True, slots=True)
class Coding:
    """What the provider codes: ICD-10-CM diagnoses, and HCPCS lines as the API takes them."""

    diagnoses: Sequence[str]
    lines: Sequence[Json]


def register_patient(api: Api) -> Json:
    """Register a person who does not exist; someone of the same name and birth date is told apart."""
    birth_on = date(1940, 1, 1) + timedelta(days=secrets.randbelow(22_000))
    body = {
        "family_name": secrets.choice(FAMILY_NAMES),
        "given_name": secrets.choice(GIVEN_NAMES),
        "birth_on": birth_on.isoformat(),
        "sex": secrets.choice(("female", "male")),
        "phone": "+14135550199",
        "address": {"line1": "7 Sample Street", "city": "Springfield", "state": "MA", "postal_code": "01101"},
        "confirm_new": True,
    }
    return api.post(RECEPTION, "/v1/patients", body)


def record_coverage(api: Api, patient: Json, payer_id: str, member_id: str, valid_from: date) -> Json:
    """Put the patient on file as insured in their own name, with the address on their record."""
    subscriber = {
        "family_name": patient["family_name"],
        "given_name": patient["given_name"],
        "birth_on": patient["birth_on"],
        "sex": {"female": "F", "male": "M"}.get(patient["sex"], "U"),
        "address": _insured_address(patient["address"]),
    }
    body = {
        "patient_id": patient["id"],
        "payer_id": payer_id,
        "rank": "primary",
        "member_id": member_id,
        "relationship": "self",
        "subscriber": subscriber,
        "valid_from": valid_from.isoformat(),
    }
    return api.post(RECEPTION, "/v1/coverages", body)


def _insured_address(home: Json) -> Json:
    return {
        "line1": home["line1"],
        "line2": home["line2"] or "",
        "city": home["city"],
        "state": home["state"],
        "postal_code": home["postal_code"].replace("-", ""),
    }


def new_insured_patient(api: Api, demo: House) -> Json:
    """Register a patient of the demo payer."""
    patient = register_patient(api)
    member_id = f"DEMO{new_id().int % 10**9:09}"
    record_coverage(api, patient, demo.payer_id, member_id, today() - timedelta(days=365))
    return patient


def book(api: Api, demo: House, patient_id: str, kind: str, start: datetime | None = None) -> Json:
    """Book the next time that is free from `start` (now) on, taking the starts that a refusal offers."""
    asked = start or _next_minute()
    body = {
        "patient_id": patient_id,
        "visit_type_id": demo.visit_types[kind],
        "location_id": demo.location_id,
        "practitioner_id": demo.staff[PROVIDER],
        "room_id": demo.rooms[0],
    }
    for _ in range(SEARCHES):
        try:
            return api.post(RECEPTION, "/v1/appointments", {**body, "starts_at": asked.isoformat()})
        except Refused as refusal:
            if refusal.code not in ("slot-taken", "patient-already-booked"):
                raise
            asked = _next_start(asked, refusal.document["nearest_free"])
    raise RuntimeProblem(f"no free time up to {asked.isoformat()}: the demo practice is booked out")


def _next_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) + 2 * MARGIN


def _next_start(asked: datetime, offered: Sequence[str]) -> datetime:
    starts = [start for start in map(datetime.fromisoformat, offered) if start > datetime.now(UTC) + MARGIN]
    return starts[0] if starts else asked + timedelta(hours=4)


def check_in(api: Api, appointment: Json) -> Json:
    """Open the visit of an appointment; one just after midnight is waited for, since people come on its day."""

    def opened() -> Json | None:
        try:
            return api.post(
                RECEPTION, f"/v1/appointments/{appointment['id']}/check-in", revision=appointment["revision"]
            )
        except Refused as refusal:
            if refusal.code != "not-today":
                raise
            return None

    return wait_for("the day of the appointment", opened, MIDNIGHT_PATIENCE)


def hold_visit(api: Api, demo: House, visit: Json, tasks: Sequence[str]) -> Json:
    """Bring a visit from check-in to its completion: tasks, room, provider; return the completed visit."""
    at = f"/v1/visits/{visit['id']}"
    add_tasks(api, visit, tasks)
    bring_to_room(api, demo, visit["id"])
    finish_tasks(api, api.get(ASSISTANT, at), VITALS)
    api.post(PROVIDER, f"{at}/begin", {})
    return api.post(PROVIDER, f"{at}/complete", {})


def record_visit(
    api: Api, visit: Json, tasks: Sequence[str], vitals: Mapping[str, Any], completed_at: datetime
) -> Json:
    """Bring a visit that is recorded afterwards from where it stands to its completion; what was done stays as it is."""
    if visit["stage"] == "completed":
        return visit
    at = f"/v1/visits/{visit['id']}"
    add_tasks(api, visit, tasks)
    finish_tasks(api, api.get(ASSISTANT, at), vitals)
    return api.post(PROVIDER, f"{at}/complete", {"completed_at": completed_at.isoformat()})


def add_tasks(api: Api, visit: Json, tasks: Sequence[str]) -> None:
    """Add the tasks that a visit does not have yet, each as often as it is named."""
    missing = Counter(tasks) - Counter(task["code"] for task in visit["tasks"])
    for code in missing.elements():
        api.post(ASSISTANT, f"/v1/visits/{visit['id']}/tasks", {"code": code})


def bring_to_room(api: Api, demo: House, visit_id: str) -> Json:
    """Bring the patient to the first room that nobody is in.

    Where there is none, the visit of a demo patient is ended to make room: a demo that was stopped midway left it there.
    """
    inside = {}
    for room_id in demo.rooms:
        try:
            return _roomed(api, visit_id, room_id)
        except Refused as refusal:
            if refusal.code != "room-occupied":
                raise
            inside[room_id] = api.get(ASSISTANT, f"/v1/visits/{refusal.document['visit_id']}")
    for room_id, visit in inside.items():
        if _is_made_up(api.get(ASSISTANT, f"/v1/patients/{visit['patient_id']}")):
            finish_tasks(api, visit, VITALS)
            api.post(PROVIDER, f"/v1/visits/{visit['id']}/complete", {})
            return _roomed(api, visit_id, room_id)
    occupied_by = ", ".join(visit["id"] for visit in inside.values())
    raise RuntimeProblem(f"every room of the demo practice is occupied: complete one of the visits {occupied_by} first")


def _roomed(api: Api, visit_id: str, room_id: str) -> Json:
    return api.post(ASSISTANT, f"/v1/visits/{visit_id}/room", {"room_id": room_id})


def _is_made_up(patient: Json) -> bool:
    return patient["family_name"] in FAMILY_NAMES and patient["given_name"] in GIVEN_NAMES


def finish_tasks(api: Api, visit: Json, vitals: Mapping[str, Any]) -> None:
    """Complete every open task of a visit, vital signs with their result; without one they are waived."""
    for task in visit["tasks"]:
        at = f"/v1/tasks/{task['id']}"
        if task["status"] not in ("ready", "in-progress"):
            continue
        if task["code"] != "vital-signs":
            api.post(ASSISTANT, f"{at}/complete", {})
        elif vitals:
            api.post(ASSISTANT, f"{at}/complete", {"result": dict(vitals)})
        else:
            api.post(ASSISTANT, f"{at}/waive", {"reason": "not-indicated"})


def usage_of(api: Api, visit: Json) -> Json:
    """Return what the visit used up once inventory has settled this revision of it."""

    def settled() -> Json | None:
        usages = api.get(ASSISTANT, "/v1/usages", visit_id=visit["id"])["items"]
        return next((usage for usage in usages if usage["revision"] >= visit["revision"]), None)

    return wait_for("what the visit used up", settled)


def sheet_of(api: Api, visit_id: str, states: Sequence[str] = ("open",), cost_cents: int | None = None) -> Json:
    """Return the visit's charge sheet once it is in one of these states, and shows supplies of this cost when given."""

    def reached() -> Json | None:
        for found in api.get(PROVIDER, "/v1/charge-sheets", visit_id=visit_id)["items"]:
            sheet = api.get(PROVIDER, f"/v1/charge-sheets/{found['id']}")
            supplied = cost_cents is None or (sheet["supplies"] or {}).get("cost_cents") == cost_cents
            if sheet["state"] in states and supplied:
                return sheet
        return None

    return wait_for(f"the charge sheet ({' or '.join(states)})", reached)


def code_and_sign(api: Api, sheet: Json, coding: Coding) -> Json:
    """Code the charge sheet and sign it; return it with its prices."""
    at = f"/v1/charge-sheets/{sheet['id']}"
    body = {"diagnoses": list(coding.diagnoses), "lines": list(coding.lines)}
    coded = api.put(PROVIDER, at, body, revision=sheet["revision"])
    return api.post(PROVIDER, f"{at}/sign", {}, revision=coded["revision"])


def claim_of(api: Api, sheet: Json) -> Json:
    """Return the ready claim of this version of a signed sheet; raises ClaimHeld, and NotInTime where there is none."""
    try:
        claim = wait_for("the ready claim", lambda: _claim(api, sheet, _is_settled))
    except NotInTime:
        held = _claim(api, sheet, lambda one: one["state"] == "edit-hold")
        if held is None:
            raise
        claim = held
    if claim["state"] != "ready":
        raise ClaimHeld(f"the claim is held: {'; '.join(error['message'] for error in _errors(claim))}")
    return claim


def _claim(api: Api, sheet: Json, is_looked_for: Callable[[Json], bool]) -> Json | None:
    for found in api.every(BILLER, "/v1/claims", visit_id=sheet["visit_id"]):
        if found["sheet_version"] == sheet["version"]:
            claim = api.get(BILLER, f"/v1/claims/{found['id']}")
            return claim if is_looked_for(claim) else None
    return None


def _is_settled(claim: Json) -> bool:
    return claim["state"] == "ready" or any(error["rule"] not in HEALING for error in _errors(claim))


def _errors(claim: Json) -> list[Json]:
    return [finding for finding in claim["findings"] if finding["severity"] == "error"]


def line(code: str, *pointers: int, units: int = 1) -> Json:
    """Return one service line as the API takes it; `pointers` count the diagnoses from 1."""
    return {"hcpcs_code": code, "units": units, "diagnosis_pointers": list(pointers)}


def trace_of(api: Api, story_id: str, awaited: frozenset[str] = frozenset()) -> Json:
    """Return the story once it has every awaited step (see `step_name`) and every service answered."""

    def complete() -> Json | None:
        trace = api.get(MANAGER, f"/v1/trace/{story_id}")
        steps = {step_name(step) for step in trace["steps"]}
        return trace if awaited <= steps and not trace["missing"] else None

    return wait_for("the whole trace", complete)


def step_name(step: Json) -> str:
    """Return a step as `<service> announced|effect <noun>.<past-verb>`."""
    noun, verb = step["subject"].split(".")[2:4]
    return f"{step['service']} {step['kind']} {noun}.{verb}"
