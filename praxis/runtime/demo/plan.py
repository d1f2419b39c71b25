"""What of a bundle becomes which patient, visit, task, diagnosis and charge: pure, and every entry ends somewhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from praxis.runtime.demo import terms
from praxis.runtime.demo.fhir import Entry, Listed, code_of, codes_at, dig, instant_at, items_at, text_at
from praxis.runtime.demo.people import Unusable, age_on, member_id, registration

NOT_HERE = "its encounter is not imported"
MOST_DIAGNOSES = 12
MOST_POINTERS = 4
MOST_MEASURED = 1_000_000


@dataclass(slots=True, eq=False)
class VisitPlan:
    """A past encounter as a visit; `parts` come with the visit, `measured` with its vital signs, `claim` with its charge."""

    encounter: Entry
    started_at: datetime
    ended_at: datetime
    is_check_up: bool
    is_adult: bool
    tasks: list[str] = field(default_factory=list)
    vitals: dict[str, int] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    administrations: Counter[str] = field(default_factory=Counter)
    parts: list[Entry] = field(default_factory=list)
    measured: list[Entry] = field(default_factory=list)
    claim: Entry | None = None
    insurer: str | None = None

    @property
    def kind(self) -> str:
        """Return the code of the visit type."""
        return "WELLNESS" if self.is_check_up else "OFFICE"

    @property
    def diagnoses(self) -> list[str]:
        """Return ICD-10-CM codes, the principal first, each once."""
        well = terms.WELL_ADULT if self.is_adult else terms.WELL_CHILD
        first = [well] if self.is_check_up or not self.conditions else []
        last = [terms.IMMUNIZATION] if self.administrations else []
        listed = list(dict.fromkeys([*first, *self.conditions]))
        return [*listed[: MOST_DIAGNOSES - len(last)], *last]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the HCPCS lines: what the claim itself names, else the visit, then the vaccines given."""
        check_up = terms.CHECK_UP_ADULT if self.is_check_up and self.is_adult else terms.CLINIC_VISIT
        last = len(self.diagnoses)
        reasons = range(1, last + (not self.administrations))
        services = [_line(code, 1, reasons[:MOST_POINTERS]) for code in self.services or [check_up]]
        return [*services, *(_line(code, units, [last]) for code, units in self.administrations.items())]


@dataclass(slots=True, eq=False)
class PatientPlan:
    """A person to register, how they are insured, and their visits, oldest first."""

    entry: Entry
    body: dict[str, Any]
    member_id: str | None
    visits: list[VisitPlan] = field(default_factory=list)
    insurer: str | None = None

    @property
    def birth_on(self) -> date:
        """Return the birth date."""
        return date.fromisoformat(self.body["birth_on"])


@dataclass(slots=True)
class Plan:
    """All of a bundle: each of its entries is part of a patient's plan or listed with a reason, never both."""

    patients: list[PatientPlan]
    listed: list[Listed]
    remarks: list[Listed]


def plan_bundle(entries: Sequence[Entry], now: datetime) -> Plan:
    """Plan the import of a bundle's entries; encounters that are not over at `now` are listed."""
    return _Planner(entries, now).plan()


def _line(code: str, units: int, pointers: Sequence[int]) -> dict[str, Any]:
    return {"hcpcs_code": code, "units": units, "diagnosis_pointers": list(pointers)}


class _Planner:
    """Entries by reference, and the plans made of them so far."""

    def __init__(self, entries: Sequence[Entry], now: datetime) -> None:
        self._entries = entries
        self._now = now
        self._by_reference = {f"{entry.type}/{entry.id}": entry for entry in entries}
        self._by_reference |= {entry.full_url: entry for entry in entries if entry.full_url}
        self._patients: dict[Entry, PatientPlan] = {}
        self._visits: dict[Entry, VisitPlan] = {}
        self._cited: dict[Entry, list[VisitPlan]] = {}
        self._listed: list[Listed] = []
        self._remarks: list[Listed] = []

    def plan(self) -> Plan:
        """Take patients, then encounters, then what belongs to them; claims before the conditions they cite."""
        taken: dict[str, Callable[[Entry], str | None]] = {
            "Patient": self._take_patient,
            "Encounter": self._take_encounter,
            "Claim": self._take_claim,
            "Condition": self._take_condition,
            "Procedure": self._take_procedure,
            "Immunization": self._take_immunization,
            "Observation": self._take_observation,
        }
        for kind, take in taken.items():
            for entry in self._of(kind):
                self._list(entry, take(entry))
        for entry in self._entries:
            if entry.type not in taken:
                self._list(entry, terms.ELSEWHERE.get(entry.type, "resources of this type are not taken"))
        for patient in self._patients.values():
            patient.visits.sort(key=lambda visit: visit.started_at)
            self._insure(patient)
        return Plan(list(self._patients.values()), self._listed, self._remarks)

    def _of(self, kind: str) -> Iterator[Entry]:
        return (entry for entry in self._entries if entry.type == kind)

    def _list(self, entry: Entry, reason: str | None) -> None:
        if reason is not None:
            self._listed.append(Listed(entry.type, entry.id, reason))

    def _remark(self, entry: Entry, remark: str) -> None:
        self._remarks.append(Listed(entry.type, entry.id, remark))

    def _at(self, value: Any, *path: str | int) -> Entry | None:
        return self._by_reference.get(text_at(value, *path, "reference") or "")

    def _visit_of(self, entry: Entry) -> VisitPlan | None:
        encounter = self._at(entry.resource, "encounter")
        return self._visits.get(encounter) if encounter else None

    def _take_patient(self, entry: Entry) -> str | None:
        try:
            body, left_out = registration(entry.resource)
        except Unusable as unusable:
            return str(unusable)
        self._patients[entry] = PatientPlan(entry, body, member_id(entry.resource))
        for what in left_out:
            self._remark(entry, what)
        return None

    def _take_encounter(self, entry: Entry) -> str | None:
        subject = self._at(entry.resource, "subject")
        patient = self._patients.get(subject) if subject else None
        if patient is None:
            return "its patient is not imported"
        started_at = instant_at(entry.resource, "period.start")
        if reason := self._encounter_refusal(entry, started_at):
            return reason
        assert started_at is not None
        ended_at = instant_at(entry.resource, "period.end") or started_at
        if not started_at <= ended_at <= self._now:
            return "period.end lies before period.start, or is still to come"
        types = [codes_at(concept) for concept in items_at(entry.resource, "type")]
        is_check_up = any(code_of(codes, terms.SNOMED) in terms.CHECK_UPS for codes in types)
        is_adult = age_on(patient.birth_on, started_at.date()) >= terms.ADULT_AGE
        visit = self._visits[entry] = VisitPlan(entry, started_at, ended_at, is_check_up, is_adult)
        patient.visits.append(visit)
        return None

    def _encounter_refusal(self, entry: Entry, started_at: datetime | None) -> str | None:
        place, status = text_at(entry.resource, "class", "code"), text_at(entry.resource, "status")
        if place != "AMB":
            return f"an encounter of class {place or 'unknown'} does not take place in this practice (AMB does)"
        if status != "finished":
            return f"its status is {status or 'missing'}, not finished"
        if started_at is None:
            return "period.start is no instant with an offset"
        return "it has not taken place yet" if started_at > self._now else None

    def _take_claim(self, entry: Entry) -> str | None:
        if code_of(codes_at(entry.resource, "type"), "http://terminology.hl7.org/CodeSystem/claim-type") == "pharmacy":
            return "what a pharmacy dispensed is not billed by the practice"
        if (status := text_at(entry.resource, "status")) != "active":
            return f"its status is {status or 'missing'}, not active"
        visit = self._billed_visit(entry)
        insurer = self._insurer(entry)
        if visit is None:
            return NOT_HERE
        if visit.claim:
            return f"Claim {visit.claim.id} already bills this encounter"
        if insurer is None:
            return "it names no insurer"
        visit.claim, visit.insurer = entry, insurer
        visit.services = [code for item in items_at(entry.resource, "item") for code in _hcpcs(item)]
        for diagnosis in items_at(entry.resource, "diagnosis"):
            if condition := self._at(diagnosis, "diagnosisReference"):
                self._cited.setdefault(condition, []).append(visit)
        return None

    def _billed_visit(self, entry: Entry) -> VisitPlan | None:
        items = items_at(entry.resource, "item")
        encounters = [self._at(reference_holder) for item in items for reference_holder in items_at(item, "encounter")]
        return next((self._visits[one] for one in encounters if one in self._visits), None)

    def _insurer(self, entry: Entry) -> str | None:
        coverage = dig(entry.resource, "insurance", 0, "coverage")
        named = self._at({"coverage": coverage}, "coverage")
        return text_at(coverage, "display") or (text_at(named.resource, "payor", 0, "display") if named else None)

    def _take_condition(self, entry: Entry) -> str | None:
        own = self._visit_of(entry)
        visits = list(dict.fromkeys([*([own] if own else []), *self._cited.get(entry, [])]))
        if not visits:
            return NOT_HERE
        codes = codes_at(entry.resource, "code")
        snomed = code_of(codes, terms.SNOMED)
        icd = code_of(codes, terms.ICD_10_CM) or terms.CONDITIONS.get(snomed or "")
        if icd is None:
            return f"no ICD-10-CM code is listed for SNOMED CT {snomed or 'unknown'}"
        if _was_wrong(entry):
            return "it was refuted or entered in error"
        for visit in visits:
            visit.conditions.append(icd)
        visits[0].parts.append(entry)
        return None

    def _take_procedure(self, entry: Entry) -> str | None:
        code = code_of(codes_at(entry.resource, "code"), terms.SNOMED)
        task = terms.PROCEDURES.get(code or "")
        if task is None:
            return f"no task is listed for SNOMED CT {code or 'unknown'}"
        return self._add_task(entry, task)

    def _take_immunization(self, entry: Entry) -> str | None:
        cvx = code_of(codes_at(entry.resource, "vaccineCode"), terms.CVX)
        if reason := self._add_task(entry, "immunization"):
            return reason
        visit = self._visit_of(entry)
        assert visit is not None
        if code := terms.ADMINISTRATIONS.get(cvx or ""):
            visit.administrations[code] += 1
        else:
            self._remark(entry, f"given, not billed: no HCPCS code of level II for CVX {cvx or 'unknown'}")
        return None

    def _add_task(self, entry: Entry, task: str) -> str | None:
        visit = self._visit_of(entry)
        if visit is None:
            return NOT_HERE
        if (status := text_at(entry.resource, "status")) != "completed":
            return f"its status is {status or 'missing'}, not completed"
        visit.tasks.append(task)
        visit.parts.append(entry)
        return None

    def _take_observation(self, entry: Entry) -> str | None:
        visit = self._visit_of(entry)
        if visit is None:
            return NOT_HERE
        values = dict(_vital_signs(entry))
        if not values:
            code = code_of(codes_at(entry.resource, "code"), terms.LOINC)
            return f"clinical results other than vital signs stay in the EHR (LOINC {code or 'unknown'})"
        if values.keys() & visit.vitals.keys():
            return "another observation of this encounter has this vital sign"
        visit.vitals |= values
        visit.measured.append(entry)
        return None

    def _insure(self, patient: PatientPlan) -> None:
        """Choose the insurer of the newest claim; what was billed to another one, or to none, is listed."""
        billed = [visit for visit in patient.visits if visit.claim]
        insurers = [visit.insurer for visit in billed if not _is_uninsured(visit.insurer)]
        patient.insurer = insurers[-1] if insurers else None
        for visit in billed:
            insurer = None if _is_uninsured(visit.insurer) else visit.insurer
            if insurer != patient.insurer:
                assert visit.claim is not None
                self._list(visit.claim, f"billed to {visit.insurer}, while the newest claim is to {patient.insurer}")
                visit.claim = None


def _is_uninsured(insurer: str | None) -> bool:
    return (insurer or "").lower() in terms.NO_INSURANCE


def _was_wrong(entry: Entry) -> bool:
    codes = {code for _, code in codes_at(entry.resource, "verificationStatus")}
    return bool(codes & {"refuted", "entered-in-error"})


def _hcpcs(item: Any) -> list[str]:
    return [code for system, code in codes_at(item, "productOrService") if system in terms.HCPCS]


def _vital_signs(entry: Entry) -> Iterator[tuple[str, int]]:
    """Yield field and whole value of every vital sign that an observation or one of its components has."""
    if text_at(entry.resource, "status") not in ("final", "amended", "corrected"):
        return
    for part in (entry.resource, *items_at(entry.resource, "component")):
        code = code_of(codes_at(part, "code"), terms.LOINC)
        unit, value = text_at(part, "valueQuantity", "code"), dig(part, "valueQuantity", "value")
        known = terms.VITAL_SIGNS.get((code or "", unit or ""))
        if (
            known
            and isinstance(value, int | Decimal)
            and not isinstance(value, bool)
            and abs(Decimal(value)) < MOST_MEASURED
        ):
            name, factor = known
            yield name, int((Decimal(value) * factor).quantize(Decimal(1), ROUND_HALF_UP))
