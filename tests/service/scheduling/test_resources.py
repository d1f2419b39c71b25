"""Locations, rooms, visit types, and the practitioners that staff announces."""

import pytest

from praxis.contracts.scheduling import LocationChangedV1
from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1
from praxis.kit.testing import Harness
from tests.support.scheduling import LOCATION, VISIT_TYPE, found, new_clinic, staff_member


async def test_a_location_is_announced_at_each_revision(scheduling: Harness):
    practice = await scheduling.practice()
    location = found(await practice.post("/v1/locations", LOCATION), 201)
    path = f"/v1/locations/{location['id']}"
    body = {**LOCATION, "place_of_service": "22", "status": "inactive"}
    assert (await practice.put(path, body)).status_code == 428
    changed = await practice.put(path, body, revision=1)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await practice.put(path, body, revision=1)).status_code == 412
    events = await practice.announced(LocationChangedV1)
    assert [(event.revision, event.place_of_service, event.status) for event in events] == [
        (1, "11", "active"),
        (2, "22", "inactive"),
    ]
    assert events[1].time_zone == "America/New_York"
    assert found(await practice.get(path))["address"]["postal_code"] == "10001-9998"


@pytest.mark.parametrize(("change", "pointer"), [
    ({"time_zone": "Mars/Olympus"}, ""),
    ({"place_of_service": "1"}, "/place_of_service"),
    ({"address": {**LOCATION["address"], "postal_code": "10001"}}, "/address/postal_code"),
    ({"code": ""}, "/code"),
    ({"color": "red"}, "/color"),
])  # fmt: skip
async def test_a_location_that_can_never_be_right_is_refused(scheduling: Harness, change, pointer):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/locations", {**LOCATION, **change})
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await practice.announced(LocationChangedV1) == []


async def test_codes_and_names_are_taken_once(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    practice, room = clinic.practice, {"location_id": clinic.location_id, "name": "Room 1"}
    assert (await practice.post("/v1/locations", LOCATION)).json()["code"] == "location-code-taken"
    assert (await practice.post("/v1/rooms", room)).json()["code"] == "room-name-taken"
    assert (await practice.post("/v1/visit-types", VISIT_TYPE)).json()["code"] == "visit-type-code-taken"
    elsewhere = found(await practice.post("/v1/locations", {**LOCATION, "code": "EAST"}), 201)
    found(await practice.post("/v1/rooms", {**room, "location_id": elsewhere["id"]}), 201)


async def test_a_room_needs_a_location_of_its_practice(scheduling: Harness):
    here, there = await new_clinic(scheduling), await new_clinic(scheduling)
    reply = await here.practice.post("/v1/rooms", {"location_id": there.location_id, "name": "Room 9"})
    assert (reply.status_code, reply.json()["code"]) == (422, "reference-unknown")
    assert reply.json()["errors"][0]["pointer"] == "/location_id"


async def test_a_room_is_renamed_and_closed(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    path = f"/v1/rooms/{clinic.room_id}"
    found(await clinic.practice.put(path, {"name": "Room A", "status": "inactive"}, revision=1))
    room = found(await clinic.practice.get(path))
    assert (room["name"], room["status"], room["revision"]) == ("Room A", "inactive", 2)


async def test_a_visit_type_is_replaced_whole(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    path = f"/v1/visit-types/{clinic.visit_type_id}"
    body = {"code": "CHECKUP", "name": "Long check-up", "duration_minutes": 60, "status": "active"}
    for less in (body, {**body, "needs_room": True}, {**body, "required_tasks": []}):
        assert (await clinic.practice.put(path, less, revision=1)).status_code == 422
    whole = {**body, "needs_room": False, "required_tasks": []}
    changed = found(await clinic.practice.put(path, whole, revision=1))
    assert (changed["duration_minutes"], changed["required_tasks"], changed["needs_room"]) == (60, [], False)


@pytest.mark.parametrize(("change", "code"), [
    ({"required_tasks": ["ekg", "ekg"]}, "required-task-repeated"),
    ({"required_tasks": ["Blood Draw"]}, "invalid"),
    ({"duration_minutes": 0}, "invalid"),
    ({"duration_minutes": 1441}, "invalid"),
])  # fmt: skip
async def test_a_visit_type_that_can_never_be_right_is_refused(scheduling: Harness, change, code):
    practice = await scheduling.practice()
    reply = await practice.post("/v1/visit-types", {**VISIT_TYPE, **change})
    assert (reply.status_code, reply.json()["code"]) == (422, code)


@pytest.mark.parametrize(("path", "body"), [("/v1/locations", LOCATION), ("/v1/visit-types", VISIT_TYPE)])
async def test_set_up_is_for_manager_and_lead(scheduling: Harness, path, body):
    practice = await scheduling.practice()
    assert (await practice.post(path, body, role="receptionist")).status_code == 403
    assert (await practice.post(path, body, role=None)).status_code == 401
    found(await practice.post(path, body, role="lead_medical_assistant"), 201)


async def test_lists_go_page_by_page_in_order(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    for name in ("Room 3", "Room 2"):
        await clinic.new_room(name)
    first = found(await clinic.practice.get(f"/v1/rooms?location_id={clinic.location_id}&limit=2"))
    rest = found(
        await clinic.practice.get(f"/v1/rooms?location_id={clinic.location_id}&limit=2&cursor={first['next']}")
    )
    assert [room["name"] for room in first["items"] + rest["items"]] == ["Room 1", "Room 2", "Room 3"]
    assert rest["next"] is None
    assert [one["code"] for one in found(await clinic.practice.get("/v1/locations"))["items"]] == ["MAIN"]
    assert [one["code"] for one in found(await clinic.practice.get("/v1/visit-types"))["items"]] == ["CHECKUP"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 2, 3)])
async def test_the_newest_word_of_staff_counts_in_any_order(scheduling: Harness, order):
    practice = await scheduling.practice()
    first = staff_member("medical_assistant")
    state = first.model_dump() | {"role": "provider", "public_name": "Ada Sample"}
    events = {
        1: first,
        2: StaffMemberChangedV1(**state | {"revision": 2}),
        3: StaffMemberDeactivatedV1(**state | {"revision": 3, "status": "inactive"}),
    }
    for revision in order:
        await practice.deliver(events[revision])
    row = found(await practice.get(f"/v1/practitioners/{first.staff_member_id}"))
    assert (row["revision"], row["role"], row["status"], row["public_name"]) == (
        3,
        "provider",
        "inactive",
        "Ada Sample",
    )
    assert len(await practice.sql("select 1 from resources where id = $1", first.staff_member_id)) == 1


async def test_practitioners_are_listed_by_id(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    ids = sorted([clinic.practitioner_id, await clinic.new_practitioner(), await clinic.new_practitioner("biller")])
    first = found(await clinic.practice.get("/v1/practitioners?limit=2"))
    rest = found(await clinic.practice.get(f"/v1/practitioners?limit=2&cursor={first['next']}"))
    assert [one["id"] for one in first["items"] + rest["items"]] == ids


async def test_practitioners_of_one_role_are_listed_alone(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    biller = await clinic.new_practitioner("biller")
    listed = found(await clinic.practice.get("/v1/practitioners?role=biller"))["items"]
    assert [one["id"] for one in listed] == [biller]
    assert (await clinic.practice.get("/v1/practitioners?role=surgeon")).status_code == 422
