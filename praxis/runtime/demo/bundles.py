"""Importing FHIR R4 patient bundles over the public API: patients, coverage, past encounters as visits, claims.

An encounter becomes a visit of the time at which it took place, recorded afterwards. What is refused or has no place here is listed
with its reason, and the entries read are as many as those imported and those listed.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from praxis.kit.permissions import BILLER, RECEPTION
from praxis.runtime.demo.api import Api, Json, NotInTime, Refused, reason_of
from praxis.runtime.demo.fhir import Entry, Listed, read_bundle
from praxis.runtime.demo.keys import read_keys
from praxis.runtime.demo.plan import PatientPlan, VisitPlan, plan_bundle
from praxis.runtime.demo.seed import House, set_up, stock_up
from praxis.runtime.demo.terms import FILING_INDICATORS
from praxis.runtime.demo.walk import (
    ClaimHeld,
    Coding,
    claim_of,
    code_and_sign,
    record_coverage,
    record_visit,
    sheet_of,
)
from praxis.runtime.state import State


@dataclass(slots=True)
class Outcome:
    """What became of one bundle: every entry read is imported or listed."""

    name: str
    read: Counter[str] = field(default_factory=Counter)
    imported: list[Entry] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    remarks: list[Listed] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether the file could be read and nothing of it was lost."""
        return self.read.total() == len(self.imported) + len(self.listed) and not self.read["file"]

    def refuse(self, entries: Iterable[Entry], reason: str) -> None:
        """List entries that have one reason."""
        self.listed.extend(Listed(entry.type, entry.id, reason) for entry in entries)


def import_and_print(state: State, url: str, bundles: list[Path], console: Console) -> bool:
    """Import each bundle and print what became of it; return whether all could be read and nothing was lost."""
    with Api(url, read_keys(state)) as api:
        importer = Importer(api)
        outcomes = [importer.import_file(path) for path in bundles]
    for outcome in outcomes:
        _show(console, outcome)
    return all(outcome.is_sound for outcome in outcomes)


class Importer:
    """Takes bundles into the demo practice, one after the other."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._demo: House = set_up(api)
        stock_up(api, self._demo)

    def import_file(self, path: Path) -> Outcome:
        """Import one file; one that cannot be opened is listed."""
        try:
            content = path.read_bytes()
        except OSError as error:
            listed = [Listed("file", path.name, f"it cannot be opened: {error.strerror}")]
            return Outcome(path.name, Counter(file=1), listed=listed)
        return self.import_bundle(path.name, content)

    def import_bundle(self, name: str, content: bytes) -> Outcome:
        """Import the patients of one bundle, as far as they can be; a second time changes nothing."""
        entries, unread = read_bundle(name, content)
        outcome = Outcome(
            name, Counter([*(entry.type for entry in entries), *(thing.type for thing in unread)]), listed=unread
        )
        plan = plan_bundle(entries, datetime.now(UTC))
        outcome.listed += plan.listed
        outcome.remarks += plan.remarks
        for patient in plan.patients:
            self._import_patient(patient, outcome)
        return outcome

    def recorded(self, visit: VisitPlan, patient_id: str) -> str:
        """Return the id of an encounter's visit, recorded now unless it is found by its reference."""
        body = {
            "patient_id": patient_id,
            "visit_type_id": self._demo.visit_types[visit.kind],
            "location_id": self._demo.location_id,
            "practitioner_id": self._demo.staff["provider"],
            "arrived_at": visit.started_at.isoformat(),
            "external_reference": _reference(patient_id, visit.encounter),
        }
        try:
            return str(self._api.post(RECEPTION, "/v1/visits", body)["id"])
        except Refused as refusal:
            if refusal.code != "visit-known":
                raise
            return str(refusal.document["visit_id"])

    def _import_patient(self, patient: PatientPlan, outcome: Outcome) -> None:
        try:
            known = self._registered(patient, outcome)
        except Refused as refusal:
            outcome.refuse([patient.entry], reason_of(refusal))
            for visit in patient.visits:
                outcome.refuse(_all_of(visit), f"Patient {patient.entry.id} was refused")
            return
        outcome.imported.append(patient.entry)
        uncovered = self._uncovered(patient, known)
        for visit in patient.visits:
            self._import_visit(visit, known["id"], bool(patient.insurer), uncovered, outcome)

    def _registered(self, patient: PatientPlan, outcome: Outcome) -> Json:
        try:
            return self._api.post(RECEPTION, "/v1/patients", patient.body)
        except Refused as refusal:
            if refusal.code != "patient-probably-known":
                raise
            known_id = refusal.document["known_patient_ids"][0]
            outcome.remarks.append(Listed("Patient", patient.entry.id, f"already registered as {known_id}"))
            return self._api.get(RECEPTION, f"/v1/patients/{known_id}")

    def _uncovered(self, patient: PatientPlan, known: Json) -> str | None:
        """Put the coverage on file, and return why that is not possible; None when it is, or when there is no insurer."""
        if not patient.insurer:
            return None
        if known["address"] is None or patient.member_id is None:
            return "a coverage needs the patient's address and an identifier"
        # Bundles do not say since when: from birth on, every encounter of this bundle and of others is covered.
        try:
            record_coverage(self._api, known, self._payer(patient.insurer), patient.member_id, patient.birth_on)
        except Refused as refusal:
            if refusal.code != "coverage-known":
                return f"the coverage was refused: {reason_of(refusal)}"
        return None

    def _payer(self, insurer: str) -> str:
        number = _payer_number(insurer)
        for payer in self._api.every(BILLER, "/v1/payers"):
            if payer["name"].lower() == insurer.lower() or payer["payer_id"] == number:
                return str(payer["id"])
        indicator = FILING_INDICATORS.get(insurer.lower(), "CI")
        body = {"name": insurer, "payer_id": number, "filing_indicator": indicator}
        return str(self._api.post(BILLER, "/v1/payers", body)["id"])

    def _import_visit(
        self, visit: VisitPlan, patient_id: str, is_insured: bool, uncovered: str | None, outcome: Outcome
    ) -> None:
        try:
            held = self._held(visit, patient_id, outcome)
        except (Refused, NotInTime) as refusal:
            outcome.refuse(_all_of(visit), reason_of(refusal))
            return
        outcome.imported += [visit.encounter, *visit.parts, *visit.measured]
        outcome.visits.append(held["id"])
        if visit.claim and uncovered:
            outcome.refuse([visit.claim], uncovered)
        elif visit.claim:
            self._bill(visit, visit.claim, held, is_insured, outcome)

    def _held(self, visit: VisitPlan, patient_id: str, outcome: Outcome) -> Json:
        """Record the visit of an encounter and bring it to its end."""
        visit_id = self.recorded(visit, patient_id)
        try:
            return self._finished(visit_id, visit)
        except Refused as refusal:
            if refusal.status != 422 or not visit.measured:
                raise
            outcome.refuse(visit.measured, reason_of(refusal))
            visit.measured, visit.vitals = [], {}
            return self._finished(visit_id, visit)

    def _finished(self, visit_id: str, visit: VisitPlan) -> Json:
        present = self._api.get(RECEPTION, f"/v1/visits/{visit_id}")
        return record_visit(self._api, present, visit.tasks, visit.vitals, visit.ended_at)

    def _bill(self, visit: VisitPlan, claim: Entry, held: Json, is_insured: bool, outcome: Outcome) -> None:
        try:
            sheet = sheet_of(self._api, held["id"], ("open", "coded", "signed"))
            if sheet["state"] != "signed":
                sheet = code_and_sign(self._api, sheet, Coding(visit.diagnoses, visit.lines))
            if is_insured and sheet["self_pay_reason"]:
                outcome.refuse([claim], f"charged to the patient: no coverage was valid on {sheet['service_on']}")
                return
            if is_insured:
                outcome.claims.append(claim_of(self._api, sheet)["id"])
        except (Refused, NotInTime, ClaimHeld) as refusal:
            outcome.refuse([claim], reason_of(refusal))
            return
        outcome.imported.append(claim)


def _all_of(visit: VisitPlan) -> list[Entry]:
    return [visit.encounter, *visit.parts, *visit.measured, *([visit.claim] if visit.claim else [])]


def _reference(patient_id: str, encounter: Entry) -> str:
    """Return what finds the encounter's visit again: ids of bundles may hold anything, so a digest of them."""
    return "bundle-" + hashlib.sha256(f"{patient_id} {encounter.id} {encounter.full_url}".encode()).hexdigest()


def _payer_number(insurer: str) -> str:
    bare = re.sub(r"[^0-9A-Z]", "", insurer.upper())
    return bare[:20] if len(bare) > 1 else "P" + hashlib.sha256(insurer.encode()).hexdigest()[:12].upper()


def _show(console: Console, outcome: Outcome) -> None:
    imported = Counter(entry.type for entry in outcome.imported)
    listed = Counter(thing.type for thing in outcome.listed)
    table = Table("resource", "read", "imported", "listed")
    for kind in sorted(outcome.read):
        table.add_row(escape(kind), str(outcome.read[kind]), str(imported[kind]), str(listed[kind]))
    table.add_section()
    table.add_row("all", *(str(counted.total()) for counted in (outcome.read, imported, listed)))
    console.print(escape(outcome.name), table)
    console.print(f"{len(outcome.visits)} visits on record, {len(outcome.claims)} claims ready", highlight=False)
    for word, things in (("listed", outcome.listed), ("remark", outcome.remarks)):
        for thing in sorted(things, key=lambda thing: (thing.type, thing.id)):
            told = escape(f"{thing.type}/{thing.id}: {thing.reason}")
            console.print(f"  [dim]{word}[/dim] {told}", highlight=False, soft_wrap=True)
    if not outcome.is_sound:
        console.print(f"[red]{escape(outcome.name)} was not imported whole[/red]")
