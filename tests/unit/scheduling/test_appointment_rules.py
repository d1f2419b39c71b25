"""States, times, references and near free starts of appointments."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.ids import new_id
from praxis.kit.problems import Invalid, TransitionRefused
from services.scheduling.appointments.domain import (
    HORIZON,
    TRANSITIONS,
    Busy,
    CancellationReason,
    GraceRunning,
    NotBookable,
    PatientAlreadyBooked,
    ReferenceUnknown,
    SlotTaken,
    Status,
    day_bounds,
    nearest_free,
    require_bookable,
    require_bookable_time,
    require_grace_over,
    require_movable,
    require_transition,
    slot_problem,
)

NOON = datetime(2027, 2, 2, 12, 0, tzinfo=UTC)
STATUSES = get_args(Status)
ALLOWED = {
    ("booked", "arrived"),
    ("booked", "checked-in"),
    ("booked", "cancelled"),
    ("booked", "noshow"),
    ("arrived", "checked-in"),
    ("arrived", "cancelled"),
    ("checked-in", "fulfilled"),
}
LOCATION = new_id()
BOOKABLE = {
    "patient_status": "active",
    "visit_type_status": "active",
    "location_status": "active",
    "practitioner_status": "active",
    "practitioner_role": "provider",
    "room_status": "active",
    "room_location_id": LOCATION,
    "needs_room": True,
}


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


def rules(problem: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.pointer: error.rule for error in problem.value.errors}


@pytest.mark.parametrize(("current", "to"), sorted(product(STATUSES, STATUSES)))
def test_exactly_the_table_of_states_is_allowed(current: Status, to: Status):
    if (current, to) in ALLOWED:
        require_transition(current, to, 1)
        return
    with pytest.raises(TransitionRefused) as refusal:
        require_transition(current, to, 7)
    assert refusal.value.facts["current_revision"] == 7
    assert {(current, other) for other in refusal.value.facts["allowed"]} == {
        pair for pair in ALLOWED if pair[0] == current
    }


def test_every_status_stands_in_the_table():
    assert set(TRANSITIONS) == set(STATUSES)


@pytest.mark.parametrize("status", sorted(set(STATUSES) - {"booked"}))
def test_only_a_booked_appointment_moves(status: Status):
    require_movable("booked", 1)
    with pytest.raises(TransitionRefused):
        require_movable(status, 1)


def test_the_cancellation_reasons_are_the_thirty_two_of_fhir():
    codes = get_args(CancellationReason)
    assert len(codes) == len(set(codes)) == 32
    assert {"pat", "pat-crs", "prov-mri", "meds-inc", "oth-weath"} < set(codes)


@pytest.mark.parametrize(("start", "rule"), [(NOON - timedelta(minutes=1), "not-in-the-past"),
                                             (NOON + HORIZON + timedelta(minutes=1), "within-the-horizon"),
                                             (NOON + timedelta(seconds=30), "full-minute"),
                                             (datetime.max.replace(tzinfo=UTC), "within-the-horizon"),
                                             (datetime.min.replace(tzinfo=UTC), "not-in-the-past")])  # fmt: skip
def test_a_start_nobody_can_book_is_refused_at_its_field(start: datetime, rule: str):
    with pytest.raises(Invalid) as refusal:
        require_bookable_time(start, NOON, "America/New_York", "/starts_at")
    assert rules(refusal) == {"/starts_at": rule}


@pytest.mark.parametrize("start", [NOON, NOON + HORIZON])
def test_the_first_and_the_last_bookable_start_are_allowed(start: datetime):
    require_bookable_time(start, NOON, "America/New_York", "/starts_at")


def test_an_appointment_is_missed_from_the_end_of_its_grace_on():
    with pytest.raises(GraceRunning) as refusal:
        require_grace_over(NOON, minutes(15) - timedelta(microseconds=1), "America/New_York")
    assert refusal.value.facts["from"] == minutes(15)
    require_grace_over(NOON, minutes(15), "America/New_York")


def test_everything_active_is_bookable():
    require_bookable(BOOKABLE, LOCATION, has_room=True)


@pytest.mark.parametrize(("change", "pointer", "rule"), [
    ({"patient_status": "inactive"}, "/patient_id", "patient-active"),
    ({"visit_type_status": "inactive"}, "/visit_type_id", "visit-type-active"),
    ({"location_status": "inactive"}, "/location_id", "location-active"),
    ({"practitioner_status": "inactive"}, "/practitioner_id", "practitioner-active"),
    ({"practitioner_role": "biller"}, "/practitioner_id", "clinical-role"),
    ({"room_status": "inactive"}, "/room_id", "room-active"),
    ({"room_location_id": new_id()}, "/room_id", "room-at-location"),
])  # fmt: skip
def test_each_thing_that_cannot_be_booked_now_is_named(change: Mapping[str, Any], pointer: str, rule: str):
    with pytest.raises(NotBookable) as refusal:
        require_bookable({**BOOKABLE, **change}, LOCATION, has_room=True)
    assert {error.pointer: error.rule for error in refusal.value.errors} == {pointer: rule}


def test_all_reasons_are_given_at_once():
    found = {**BOOKABLE, "patient_status": "inactive", "practitioner_role": "receptionist"}
    with pytest.raises(NotBookable) as refusal:
        require_bookable(found, LOCATION, has_room=True)
    assert [error.rule for error in refusal.value.errors] == ["patient-active", "clinical-role"]


def test_a_room_is_required_where_the_visit_type_says_so_but_not_from_a_walk_in():
    found = {**BOOKABLE, "room_status": None, "room_location_id": None}
    with pytest.raises(NotBookable):
        require_bookable(found, LOCATION, has_room=False)
    require_bookable(found, LOCATION, has_room=False, room_later=True)
    require_bookable({**found, "needs_room": False}, LOCATION, has_room=False)


def test_unknown_references_are_all_named_before_anything_else():
    found = {**BOOKABLE, "patient_status": None, "room_status": None, "location_status": "inactive"}
    with pytest.raises(ReferenceUnknown) as refusal:
        require_bookable(found, LOCATION, has_room=True)
    assert rules(refusal) == {"/patient_id": "known", "/room_id": "known"}


def test_a_refusal_is_the_patients_only_when_nothing_else_is_busy():
    patient = Busy(new_id(), "patient", NOON, minutes(30))
    room = Busy(new_id(), "room", NOON, minutes(30))
    assert isinstance(slot_problem([patient], []), PatientAlreadyBooked)
    both = slot_problem([patient, room], [minutes(30)])
    assert isinstance(both, SlotTaken)
    assert [conflict["resource_id"] for conflict in both.facts["conflicts"]] == [patient.resource_id, room.resource_id]
    assert both.facts["nearest_free"] == [minutes(30)]


def test_the_nearest_free_starts_lie_around_the_asked_one():
    busy = [(minutes(-30), minutes(30)), (minutes(45), minutes(60))]
    assert nearest_free((minutes(0), minutes(30)), busy, minutes(-300)) == [minutes(-75), minutes(-60), minutes(60)]


def test_no_offer_lies_before_now():
    assert nearest_free((NOON, minutes(30)), [(NOON, minutes(30))], minutes(-5)) == [
        minutes(30),
        minutes(45),
        minutes(60),
    ]


def test_a_day_that_is_full_for_hours_has_no_offer():
    assert nearest_free((NOON, minutes(30)), [(minutes(-600), minutes(600))], minutes(-600)) == []


@given(busy=st.lists(st.tuples(st.integers(-400, 400), st.integers(1, 120)), max_size=12), length=st.integers(1, 120))
def test_an_offered_start_touches_nothing_busy(busy: list[tuple[int, int]], length: int):
    taken = [(minutes(start), minutes(start + size)) for start, size in busy]
    offers = nearest_free((NOON, minutes(length)), taken, minutes(-60))
    assert len(offers) <= 3
    assert offers == sorted(set(offers))
    for offer in offers:
        assert offer >= minutes(-60)
        assert all(offer + timedelta(minutes=length) <= start or end <= offer for start, end in taken)


@pytest.mark.parametrize(("on", "hours"), [(date(2027, 3, 13), 24), (date(2027, 3, 14), 23), (date(2027, 11, 7), 25)])
def test_a_local_day_is_as_long_as_the_clocks_make_it(on: date, hours: int):
    start, end = day_bounds(on, "America/New_York")
    assert end - start == timedelta(hours=hours)
    assert start == datetime(on.year, on.month, on.day, 4 if on.month == 11 else 5, tzinfo=UTC)
