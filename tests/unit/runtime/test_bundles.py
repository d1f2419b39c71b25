"""What of a FHIR bundle becomes which patient, visit, diagnosis and charge."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxis.runtime.demo.fhir import Entry, read_bundle
from praxis.runtime.demo.plan import PatientPlan, Plan, VisitPlan, plan_bundle
from praxis.runtime.demo.terms import LOINC, SNOMED
from tests.support.fhir import (
    FLU,
    HCPCS,
    HEPATITIS_B,
    NOW,
    SYMPTOM,
    TETANUS,
    at,
    claim,
    concept,
    condition,
    encounter,
    entries,
    measured,
    patient,
    vaccination,
)


def plan(*resources: Any) -> Plan:
    return plan_bundle(entries(*resources), NOW)


def the_visit(*resources: Any) -> VisitPlan:
    [found] = plan(*resources).patients
    [visit] = found.visits
    return visit


def reasons(made: Plan) -> dict[str, str]:
    return {f"{thing.type}/{thing.id}": thing.reason for thing in made.listed}


def codes(visit: VisitPlan) -> list[tuple[str, int, list[int]]]:
    return [(line["hcpcs_code"], line["units"], line["diagnosis_pointers"]) for line in visit.lines]


def taken(made: Plan) -> list[Entry]:
    found = [one.entry for one in made.patients]
    for visit in (visit for one in made.patients for visit in one.visits):
        found += [visit.encounter, *visit.parts, *visit.measured, *([visit.claim] if visit.claim else [])]
    return found


def test_a_check_up_of_an_adult_is_a_wellness_visit():
    visit = the_visit(patient(), encounter())
    assert (visit.kind, visit.diagnoses, codes(visit)) == ("WELLNESS", ["Z00.00"], [("G0439", 1, [1])])
    assert (visit.started_at, visit.ended_at) == (datetime(2019, 3, 1, 15, tzinfo=UTC),) * 2


def test_a_visit_ends_when_its_encounter_did():
    period = {"start": "2019-03-01T10:00:00-05:00", "end": "2019-03-01T10:15:00-05:00"}
    assert the_visit(patient(), encounter(period=period)).ended_at == datetime(2019, 3, 1, 15, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("birth", "diagnosis", "code"), [("2001-03-01", "Z00.00", "G0439"), ("2001-03-02", "Z00.129", "T1015")]
)
def test_the_eighteenth_birthday_makes_an_adult(birth: str, diagnosis: str, code: str):
    visit = the_visit(patient(birthDate=birth), encounter())
    assert (visit.diagnoses, codes(visit)) == ([diagnosis], [(code, 1, [1])])


def test_another_encounter_is_a_clinic_visit_for_its_conditions():
    visit = the_visit(patient(), encounter(type=[concept(SNOMED, SYMPTOM)]), condition("444814009"))
    assert (visit.kind, visit.diagnoses, codes(visit)) == ("OFFICE", ["J01.90"], [("T1015", 1, [1])])


def test_a_clinic_visit_without_a_condition_has_a_diagnosis_nevertheless():
    assert the_visit(patient(), encounter(type=[])).diagnoses == ["Z00.00"]


def test_a_check_up_comes_before_what_was_found_and_each_diagnosis_once():
    visit = the_visit(patient(), encounter(), condition("38341003", "a"), condition("59621000", "b"))
    assert visit.diagnoses == ["Z00.00", "I10"]
    assert codes(visit) == [("G0439", 1, [1, 2])]
    assert [part.id for part in visit.parts] == ["a", "b"]


def test_vaccines_are_given_as_tasks_and_billed_where_there_is_a_code():
    made = plan(
        patient(), encounter(), vaccination(FLU, "a"), vaccination(HEPATITIS_B, "b"), vaccination(HEPATITIS_B, "c"),
        vaccination(TETANUS, "d"),
    )  # fmt: skip
    [visit] = made.patients[0].visits
    assert visit.tasks == ["immunization"] * 4
    assert visit.diagnoses == ["Z00.00", "Z23"]
    assert codes(visit) == [("G0439", 1, [1]), ("G0008", 1, [2]), ("G0010", 2, [2])]
    assert [(remark.id, "CVX 113" in remark.reason) for remark in made.remarks] == [("d", True)]


def test_many_diagnoses_leave_room_for_the_vaccine():
    found = [condition(code, code) for code in (
        "38341003", "44054006", "15777000", "162864005", "444814009", "40055000", "195662009", "43878008", "10509002",
        "65363002", "84757009", "703151001", "271737000",
    )]  # fmt: skip
    visit = the_visit(patient(), encounter(), vaccination(FLU, "v"), *found)
    assert len(visit.diagnoses) == 12
    assert visit.diagnoses[-1] == "Z23"
    assert codes(visit) == [("G0439", 1, [1, 2, 3, 4]), ("G0008", 1, [12])]


def test_what_the_claim_itself_names_in_hcpcs_is_billed():
    item = {"encounter": [{"reference": "Encounter/e"}], "productOrService": concept(HCPCS, "G0463")}
    assert codes(the_visit(patient(), encounter(), claim(item=[item]))) == [("G0463", 1, [1])]


def test_a_claim_brings_the_conditions_it_cites_from_other_encounters():
    cited = claim(diagnosis=[{"diagnosisReference": {"reference": "Condition/co"}}])
    visit = the_visit(patient(), encounter(), cited, condition("38341003", encounter_id="elsewhere"))
    assert visit.diagnoses == ["Z00.00", "I10"]
    assert [part.id for part in visit.parts] == ["co"]


def test_a_condition_of_two_encounters_is_a_diagnosis_of_both_and_imported_once():
    cited = claim(encounter_id="f", diagnosis=[{"diagnosisReference": {"reference": "Condition/co"}}])
    made = plan(patient(), encounter(), encounter("f"), condition("38341003"), cited)
    assert [visit.diagnoses for visit in made.patients[0].visits] == [["Z00.00", "I10"]] * 2
    assert [entry.id for entry in taken(made)].count("co") == 1


def test_vital_signs_are_rounded_half_up_in_the_units_of_the_api():
    components = [
        {"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 123.5, "code": "mm[Hg]"}},
        {"code": concept(LOINC, "8462-4"), "valueQuantity": {"value": 83.4, "code": "mm[Hg]"}},
    ]
    pressure = at("e", "Observation", "bp", status="final", code=concept(LOINC, "55284-4"), component=components)
    visit = the_visit(
        patient(), encounter(), pressure, measured("29463-7", 3.2545, "kg", "w"), measured("8310-5", 37.25, "Cel", "t")
    )
    assert visit.vitals == {
        "systolic_mmhg": 124,
        "diastolic_mmhg": 83,
        "weight_grams": 3255,
        "temperature_decicelsius": 373,
    }
    assert [entry.id for entry in visit.measured] == ["bp", "w", "t"]


@pytest.mark.parametrize(
    ("value", "unit"), [("70", "kg"), (True, "kg"), (None, "kg"), (154, "[lb_av]"), (1e99, "kg"), (float("nan"), "kg")]
)
def test_a_value_that_is_no_number_in_a_known_unit_is_no_vital_sign(value: Any, unit: str):
    made = plan(patient(), encounter(), measured("29463-7", value, unit))
    assert "stay in the EHR (LOINC 29463-7)" in reasons(made)["Observation/o"]


def test_a_second_value_of_a_vital_sign_is_listed():
    made = plan(patient(), encounter(), measured("29463-7", 70, "kg", "a"), measured("29463-7", 71, "kg", "b"))
    assert made.patients[0].visits[0].vitals == {"weight_grams": 70_000}
    assert reasons(made) == {"Observation/b": "another observation of this encounter has this vital sign"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"class": {"code": "EMER"}}, "class EMER does not take place in this practice"),
        ({"class": "AMB"}, "class unknown"),
        ({"status": "planned"}, "planned, not finished"),
        ({"status": 7}, "missing, not finished"),
        ({"period": {"start": "2019-03-01"}}, "no instant"),
        ({"period": {"start": "2019-03-01T10:00:00"}}, "no instant"),
        ({"period": []}, "no instant"),
        ({"period": {"start": "2027-02-01T15:00:01Z"}}, "not taken place yet"),
        ({"period": {"start": "2019-03-01T15:00:01Z", "end": "2019-03-01T15:00:00Z"}}, "lies before period.start"),
        ({"period": {"start": "2019-03-01T15:00:00Z", "end": "2027-02-01T15:00:01Z"}}, "still to come"),
        ({"subject": {"reference": "Patient/q"}}, "its patient is not imported"),
        ({"subject": "Patient/p"}, "its patient is not imported"),
    ],
    ids=str,
)
def test_an_encounter_that_cannot_be_a_visit_takes_what_belongs_to_it_along(change: dict[str, Any], reason: str):
    made = plan(patient(), encounter(**change), condition("38341003"), vaccination(FLU, "v"), claim())
    assert made.patients[0].visits == []
    told = reasons(made)
    assert reason in told.pop("Encounter/e")
    assert set(told.values()) == {"its encounter is not imported"}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (condition("287664005"), "no ICD-10-CM code is listed for SNOMED CT 287664005"),
        (condition("38341003", verificationStatus=concept("x", "refuted")), "refuted or entered in error"),
        (vaccination(FLU, "co", status="not-done"), "not-done, not completed"),
        (
            at("e", "Procedure", "co", status="completed", code=concept(SNOMED, "1")),
            "no task is listed for SNOMED CT 1",
        ),
        (claim("co", type=concept("http://terminology.hl7.org/CodeSystem/claim-type", "pharmacy")), "pharmacy"),
        (claim("co", status="draft"), "draft, not active"),
        (claim("co", insurance=[]), "names no insurer"),
        (at("e", "Appointment", "co"), "resources of this type are not taken"),
        (at("e", "ExplanationOfBenefit", "co"), "by remittance"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_place_here_is_listed_with_its_reason(resource: dict[str, Any], reason: str):
    [told] = reasons(plan(patient(), encounter(), resource)).values()
    assert reason in told


def test_an_encounter_is_billed_once():
    made = plan(patient(), encounter(), claim("a"), claim("b"))
    assert reasons(made) == {"Claim/b": "Claim a already bills this encounter"}


def test_a_person_is_insured_with_the_insurer_of_the_newest_claim():
    older = encounter("old", period={"start": "2018-01-01T00:00:00Z"})
    made = plan(patient(), encounter(), older, claim("a", "e", "Aster"), claim("b", "old", "Birch"))
    [found] = made.patients
    assert found.insurer == "Aster"
    assert [visit.encounter.id for visit in found.visits] == ["old", "e"]
    assert "billed to Birch" in reasons(made)["Claim/b"]


def test_a_person_without_insurance_pays_themselves():
    [found] = plan(patient(), encounter(), claim(insurer="NO_INSURANCE")).patients
    assert found.insurer is None
    assert found.visits[0].claim is not None


def test_an_insurer_may_be_named_by_a_coverage_in_the_bundle():
    coverage = {"resourceType": "Coverage", "id": "cv", "payor": [{"display": "Aster"}]}
    insured = claim(insurance=[{"coverage": {"reference": "Coverage/cv"}}])
    [found] = plan(patient(), encounter(), insured, coverage).patients
    assert found.insurer == "Aster"


def test_references_may_be_full_urls():
    resources = [
        {"fullUrl": "urn:uuid:1", "resource": patient()},
        {"fullUrl": "urn:uuid:2", "resource": encounter(subject={"reference": "urn:uuid:1"})},
        {"resource": vaccination(FLU, "v", encounter={"reference": "urn:uuid:2"})},
    ]
    found, _ = read_bundle("test", json.dumps({"resourceType": "Bundle", "entry": resources}).encode())
    [person] = plan_bundle(found, NOW).patients
    assert isinstance(person, PatientPlan)
    assert person.visits[0].tasks == ["immunization"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a FHIR Bundle"),
        (b'{"resourceType": "Patient"}', "not a FHIR Bundle"),
        (b'{"resourceType": "Bundle"}', "no list of entries"),
        (b'{"resourceType": "Bundle", "entry": {}}', "no list of entries"),
    ],
)
def test_a_file_that_is_no_bundle_is_one_thing_that_cannot_be_read(content: bytes, reason: str):
    found, [listed] = read_bundle("some.json", content)
    assert found == []
    assert (listed.type, listed.id) == ("file", "some.json")
    assert reason in listed.reason


def test_an_entry_without_a_resource_is_listed_by_its_place():
    content = b'{"resourceType":"Bundle","entry":[1,null,{},{"resource":[]},{"resource":{"resourceType":7}}]}'
    found, listed = read_bundle("some.json", content)
    assert found == []
    assert [thing.id for thing in listed] == ["#0", "#1", "#2", "#3", "#4"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
resources = st.sampled_from(
    [patient(), encounter(), condition("38341003"), vaccination(FLU, "v"), claim(), measured("29463-7", 70, "kg")]
)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Return a good resource with one member replaced by anything."""
    resource = dict(draw(resources))
    return resource | {draw(st.sampled_from(sorted(resource.keys() - {"resourceType"}))): draw(anything)}


@settings(deadline=None)
@given(st.lists(resources | damaged(), max_size=8))
def test_whatever_a_bundle_holds_every_entry_ends_exactly_once(content: list[dict[str, Any]]):
    made_of = [{"resource": resource} for resource in content]
    found, unread = read_bundle("test", json.dumps({"resourceType": "Bundle", "entry": made_of}).encode())
    made = plan_bundle(found, NOW)
    ended = Counter((thing.type, thing.id) for thing in (*taken(made), *made.listed, *unread))
    assert ended == Counter((entry.type, entry.id) for entry in found)
    for visit in (visit for one in made.patients for visit in one.visits):
        assert 1 <= len(visit.diagnoses) <= 12
        pointers = [pointer for line in visit.lines for pointer in line["diagnosis_pointers"]]
        assert set(pointers) <= set(range(1, len(visit.diagnoses) + 1))
        assert all(1 <= len(line["diagnosis_pointers"]) <= 4 for line in visit.lines)
