"""The way over the floor, tasks, rooms and amendments."""

from itertools import product
from types import SimpleNamespace
from typing import get_args

import pytest
from pydantic import ValidationError

from praxis.kit.ids import new_id
from praxis.kit.problems import TransitionRefused
from services.scheduling.resources.domain import RequiredTaskRepeated, require_each_once
from services.scheduling.tasks.domain import (
    ResultNeeded,
    ResultNotTaken,
    TaskStatus,
    require_result_fits,
)
from services.scheduling.tasks.domain import require_transition as require_task_transition
from services.scheduling.tasks.schemas import VitalSigns
from services.scheduling.visits.domain import (
    FlowRefused,
    NotClinical,
    PractitionerNotYours,
    ReasonRefuted,
    ReferenceUnknown,
    RoomNeeded,
    RoomNotUsable,
    Stage,
    TaskRepeated,
    require_clinical,
    require_distinct,
    require_fitting,
    require_flow,
    require_own,
    require_roomed,
    require_usable_room,
)

STEPS = {
    ("waiting", "roomed"),
    ("waiting", "with-provider"),
    ("waiting", "completed"),
    ("roomed", "roomed"),
    ("roomed", "with-provider"),
    ("roomed", "completed"),
    ("with-provider", "completed"),
    ("waiting", "ended"),
    ("roomed", "ended"),
    ("with-provider", "ended"),
}
TASK_STEPS = {
    ("ready", "in-progress"),
    ("ready", "completed"),
    ("ready", "cancelled"),
    ("in-progress", "completed"),
    ("in-progress", "cancelled"),
}


@pytest.mark.parametrize(("current", "to"), sorted(product(get_args(Stage), get_args(Stage))))
def test_exactly_the_steps_of_the_floor_are_allowed(current: Stage, to: Stage):
    if (current, to) in STEPS:
        require_flow(current, to, 1)
        return
    with pytest.raises(FlowRefused) as refusal:
        require_flow(current, to, 4)
    assert {(current, other) for other in refusal.value.facts["allowed"]} == {
        step for step in STEPS if step[0] == current
    }


@pytest.mark.parametrize(("current", "to"), sorted(product(get_args(TaskStatus), get_args(TaskStatus))))
def test_exactly_the_steps_of_a_task_are_allowed(current: TaskStatus, to: TaskStatus):
    if (current, to) in TASK_STEPS:
        require_task_transition(current, to, 1)
        return
    with pytest.raises(TransitionRefused) as refusal:
        require_task_transition(current, to, 4)
    allowed = {(current, other) for other in refusal.value.facts["allowed"]}
    assert allowed == {step for step in TASK_STEPS if step[0] == current}


def test_only_vital_signs_have_a_result():
    require_result_fits("vital-signs", has_result=True)
    require_result_fits("ekg", has_result=False)
    with pytest.raises(ResultNeeded):
        require_result_fits("vital-signs", has_result=False)
    with pytest.raises(ResultNotTaken):
        require_result_fits("ekg", has_result=True)


def test_a_visit_in_need_of_a_room_goes_nowhere_without():
    require_roomed(needs_room=False, room_id=None)
    require_roomed(needs_room=True, room_id=new_id())
    with pytest.raises(RoomNeeded):
        require_roomed(needs_room=True, room_id=None)


def test_a_room_is_usable_at_its_own_location_while_active():
    here = new_id()
    require_usable_room(SimpleNamespace(status="active", location_id=here), here)
    with pytest.raises(RoomNotUsable):
        require_usable_room(SimpleNamespace(status="inactive", location_id=here), here)
    with pytest.raises(RoomNotUsable):
        require_usable_room(SimpleNamespace(status="active", location_id=new_id()), here)
    with pytest.raises(ReferenceUnknown):
        require_usable_room(None, here)


def test_a_visit_is_held_by_clinical_staff():
    require_clinical(SimpleNamespace(role="provider"), frozenset({"provider"}))
    with pytest.raises(NotClinical):
        require_clinical(SimpleNamespace(role="biller"), frozenset({"provider"}))
    with pytest.raises(ReferenceUnknown):
        require_clinical(None, frozenset({"provider"}))


def test_a_code_named_twice_is_pointed_at():
    require_distinct(["ekg", "injection"])
    with pytest.raises(TaskRepeated) as amended:
        require_distinct(["ekg", "injection", "ekg"])
    with pytest.raises(RequiredTaskRepeated) as offered:
        require_each_once(("ekg", "injection", "ekg"))
    assert amended.value.errors[0].pointer == "/tasks/2/code"
    assert offered.value.errors[0].pointer == "/required_tasks/2"


@pytest.mark.parametrize("result", [{}, {"systolic_mmhg": 80, "diastolic_mmhg": 120}, {"temperature_decicelsius": 37.25},
                                    {"weight_grams": 10}, {"mood": 3}])  # fmt: skip
def test_a_measurement_that_is_none_is_refused(result: dict[str, object]):
    with pytest.raises(ValidationError):
        VitalSigns.model_validate(result)


DONE = {"ekg": 1, "injection": 2}


@pytest.mark.parametrize(("reason", "after", "told"), [
    ("task-omitted", {"ekg": 1, "injection": 3, "education": 1}, None),
    ("task-omitted", {"injection": 2}, "ekg is missing"),
    ("task-omitted", {}, "ekg and injection are missing"),
    ("task-omitted", {"ekg": 1, "injection": 1}, "injection would count less"),
    ("task-not-performed", {"injection": 1}, None),
    ("task-not-performed", {}, None),
    ("task-not-performed", {"ekg": 2}, "ekg would be added"),
    ("task-not-performed", {"education": 1}, "education would be added"),
    ("wrong-quantity", {"ekg": 5, "injection": 1}, None),
    ("wrong-quantity", {"ekg": 1}, "injection is missing"),
    ("wrong-quantity", {**DONE, "education": 1}, "education would be added"),
    ("wrong-practitioner", DONE, None),
    ("wrong-practitioner", {"ekg": 1}, "Leave the tasks out"),
    ("entered-in-error", {"education": 9}, None),
])  # fmt: skip
def test_a_reason_binds_what_the_list_may_change(reason, after, told):
    if told is None:
        require_fitting(reason, DONE, after)
        return
    with pytest.raises(ReasonRefuted) as refusal:
        require_fitting(reason, DONE, after)
    assert any(told in error.message for error in refusal.value.errors)


def test_a_lead_names_anyone_and_a_provider_only_themselves():
    me, other = new_id(), new_id()
    require_own(is_lead=True, staff_member_id=None, practitioner_id=other)
    require_own(is_lead=False, staff_member_id=me, practitioner_id=me)
    for who in (other, None):
        with pytest.raises(PractitionerNotYours):
            require_own(is_lead=False, staff_member_id=who, practitioner_id=me)
