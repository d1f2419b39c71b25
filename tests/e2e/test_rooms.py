"""Rooms that a demo left occupied when it was stopped midway."""

from collections.abc import Iterator

import pytest

from praxis.kit.ids import new_id
from praxis.kit.permissions import PROVIDER, RECEPTION
from praxis.runtime.demo.api import Api, Json
from praxis.runtime.demo.seed import House
from praxis.runtime.demo.walk import VITALS, bring_to_room, finish_tasks, register_patient
from praxis.runtime.state import RuntimeProblem


def person_of_the_practice(api: Api) -> Json:
    body = {"family_name": f"Roomer {new_id()}", "given_name": "Rita", "birth_on": "1980-01-01", "sex": "female"}
    return api.post(RECEPTION, "/v1/patients", body)


def arrived(api: Api, demo: House, patient: Json) -> str:
    body = {
        "patient_id": patient["id"],
        "visit_type_id": demo.visit_types["OFFICE"],
        "location_id": demo.location_id,
        "practitioner_id": demo.staff[PROVIDER],
    }
    return str(api.post(RECEPTION, "/v1/visits", body)["id"])


@pytest.fixture
def rooms_left_to_the_next(api: Api, demo: House) -> Iterator[None]:
    yield
    still_here = list(api.every(RECEPTION, "/v1/visits", location_id=demo.location_id))
    for visit in sorted(still_here, key=lambda visit: visit["room_id"] is None):
        if visit["room_id"] is None:
            bring_to_room(api, demo, visit["id"])
        finish_tasks(api, api.get(RECEPTION, f"/v1/visits/{visit['id']}"), VITALS)
        api.post(PROVIDER, f"/v1/visits/{visit['id']}/complete", {})


@pytest.mark.usefixtures("rooms_left_to_the_next")
def test_a_visit_that_a_stopped_demo_left_makes_room_and_nobody_elses_does(api: Api, demo: House):
    *others, left = [person_of_the_practice(api) for _ in demo.rooms[1:]] + [register_patient(api)]
    inside = [arrived(api, demo, patient) for patient in (*others, left)]
    for visit_id in inside:
        bring_to_room(api, demo, visit_id)
    newcomer = arrived(api, demo, person_of_the_practice(api))
    assert bring_to_room(api, demo, newcomer)["room_id"] == demo.rooms[-1]
    stages = [api.get(RECEPTION, f"/v1/visits/{visit_id}")["stage"] for visit_id in inside]
    assert stages == [*["roomed"] * len(others), "completed"]
    with pytest.raises(RuntimeProblem, match=inside[0]):
        bring_to_room(api, demo, arrived(api, demo, person_of_the_practice(api)))
