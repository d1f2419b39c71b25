"""Appointments: booked, moved, cancelled, missed; and what is refused with what would work."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from praxis.contracts.scheduling import (
    AppointmentBookedV1,
    AppointmentCancelledV1,
    AppointmentMissedV1,
    AppointmentRescheduledV1,
)
from praxis.kit.clock import tzdata_version
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.scheduling import LOCATION, SOON, TEN, Clinic, at, found, new_clinic

OCCUPIED = "select resource_id, starts_at from occupancies where appointment_id = $1"


async def occupied(clinic: Clinic, appointment: dict[str, str]) -> set[tuple[str, datetime]]:
    rows = await clinic.practice.sql(OCCUPIED, UUID(appointment["id"]))
    return {(str(row["resource_id"]), row["starts_at"]) for row in rows}


async def test_a_booking_occupies_provider_room_and_patient_and_is_announced(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    reply = await clinic.book(TEN)
    appointment = found(reply, 201)
    assert reply.headers["etag"] == '"1"'
    assert (appointment["status"], appointment["channel"], appointment["revision"]) == ("booked", "staff", 1)
    assert (appointment["starts_at"], appointment["ends_at"]) == ("2027-02-02T15:00:00Z", "2027-02-02T15:30:00Z")
    assert (appointment["local_start"], appointment["time_zone"]) == ("2027-02-02T10:00:00", "America/New_York")
    assert appointment["tzdata_version"] == tzdata_version()
    assert await occupied(clinic, appointment) == {
        (i, TEN) for i in (clinic.practitioner_id, clinic.room_id, clinic.patient_id)
    }
    [event] = await clinic.practice.announced(AppointmentBookedV1)
    assert {str(id) for id in event.resource_ids} == {clinic.practitioner_id, clinic.room_id}
    assert (str(event.appointment_id), event.starts_at, event.visit_type_code) == (appointment["id"], TEN, "CHECKUP")
    [row] = await clinic.practice.sql("select correlation_id from outbox where subject = $1", AppointmentBookedV1.TYPE)
    assert str(row["correlation_id"]) == appointment["id"] == appointment["correlation_id"]


async def test_a_taken_slot_is_refused_with_what_is_busy_and_what_is_free_and_announces_nothing(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    await clinic.booked(TEN)
    other = await clinic.new_patient("Bo")
    reply = await clinic.book(at(15), patient_id=other, room_id=await clinic.new_room("Room 2"))
    assert (reply.status_code, reply.json()["code"]) == (409, "slot-taken")
    [conflict] = reply.json()["conflicts"]
    assert (conflict["resource_id"], conflict["kind"]) == (clinic.practitioner_id, "practitioner")
    assert [datetime.fromisoformat(conflict[end]) for end in ("starts_at", "ends_at")] == [TEN, at(30)]
    offers = [datetime.fromisoformat(offer) for offer in reply.json()["nearest_free"]]
    assert offers == [at(-30), at(30), at(45)]
    assert len(await clinic.practice.announced(AppointmentBookedV1)) == 1
    for offer in offers[:2]:
        await clinic.booked(offer, patient_id=other)


async def test_a_patient_cannot_be_in_two_places(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    await clinic.booked(TEN)
    elsewhere = {"practitioner_id": await clinic.new_practitioner(), "room_id": await clinic.new_room("Room 2")}
    reply = await clinic.book(at(29), **elsewhere)
    assert (reply.status_code, reply.json()["code"]) == (409, "patient-already-booked")
    await clinic.booked(at(30), **elsewhere)


async def test_back_to_back_appointments_do_not_conflict(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    for start in (at(0), at(30), at(-30)):
        await clinic.booked(start)


async def test_a_visit_over_midnight_counts_on_both_days(scheduling: Harness):
    clinic = await new_clinic(scheduling, duration_minutes=60)
    midnight = TEN + timedelta(hours=14)
    await clinic.booked(midnight - timedelta(minutes=30))
    assert (await clinic.book(midnight)).json()["code"] == "slot-taken"
    await clinic.booked(midnight + timedelta(minutes=30))


async def test_the_longest_visit_blocks_its_last_minute(scheduling: Harness):
    clinic = await new_clinic(scheduling, duration_minutes=1440)
    await clinic.booked(TEN)
    late = await clinic.book(TEN + timedelta(hours=23, minutes=59))
    assert (late.json()["code"], len(late.json()["conflicts"])) == ("slot-taken", 3)
    await clinic.booked(TEN + timedelta(hours=24))


@pytest.mark.parametrize(("change", "pointer"), [
    ({"starts_at": "2027-02-01T13:59:00Z"}, "/starts_at"),
    ({"starts_at": "2030-02-01T14:00:00Z"}, "/starts_at"),
    ({"starts_at": "9999-12-31T23:59:00-12:00"}, "/starts_at"),
    ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
    ({"starts_at": "2027-02-02T15:00:30Z"}, "/starts_at"),
    ({"starts_at": "2027-02-02T15:00:60Z"}, "/starts_at"),
    ({"starts_at": "2027-02-02T15:00:00"}, "/starts_at"),
    ({"local_start": "2027-02-02T10:00:00"}, ""),
    ({"starts_at": None}, ""),
    ({"starts_at": None, "local_start": "2027-02-02T10:00:00Z"}, "/local_start"),
    ({"starts_at": None, "local_start": "2027-03-14T02:30:00"}, "/local_start"),
    ({"starts_at": None, "local_start": "2027-11-07T01:30:00"}, "/local_start"),
    ({"practitioner_id": None}, "/practitioner_id"),
    ({"patient_id": "x"}, "/patient_id"),
    ({"patient_id": str(new_id())}, "/patient_id"),
    ({"visit_type_id": str(new_id())}, "/visit_type_id"),
    ({"note": "tired"}, "/note"),
])  # fmt: skip
async def test_a_booking_that_can_never_be_right_is_refused_at_its_field(scheduling: Harness, change, pointer):
    clinic = await new_clinic(scheduling)
    reply = await clinic.book(**change)
    assert reply.status_code == 422, reply.text
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert await clinic.practice.sql("select 1 from appointments") == []


async def test_a_body_that_is_no_json_is_unreadable(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    headers = {"authorization": f"Bearer {clinic.practice.token('receptionist')}", "content-type": "application/json"}
    reply = await scheduling.client.post("/v1/appointments", content=b"{", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (400, "malformed")


async def test_wall_time_is_resolved_where_the_location_is(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    far = found(
        await clinic.practice.post("/v1/locations", {**LOCATION, "code": "WEST", "time_zone": "Pacific/Honolulu"}), 201
    )
    room = await clinic.new_room("Lanai", far["id"])
    appointment = await clinic.booked(None, local_start="2027-02-02T10:00:00", location_id=far["id"], room_id=room)
    assert (appointment["starts_at"], appointment["time_zone"]) == ("2027-02-02T20:00:00Z", "Pacific/Honolulu")


async def test_the_hour_that_comes_twice_is_booked_twice_and_its_readings_are_named(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    wall = {"starts_at": None, "local_start": "2027-11-07T01:30:00"}
    refused = await clinic.book(**wall)
    assert (refused.status_code, refused.json()["code"]) == (422, "local-time-ambiguous")
    assert refused.json()["candidates"] == ["2027-11-07T01:30:00-04:00", "2027-11-07T01:30:00-05:00"]
    first, second = [await clinic.booked(**wall, fold=fold) for fold in (0, 1)]
    assert (first["starts_at"], second["starts_at"]) == ("2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z")
    assert first["local_start"] == second["local_start"] == "2027-11-07T01:30:00"


async def test_the_hour_that_does_not_exist_is_never_shifted(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    reply = await clinic.book(None, local_start="2027-03-14T02:30:00")
    assert (reply.status_code, reply.json()["code"]) == (422, "local-time-missing")
    assert reply.json()["nearest"] == ["2027-03-14T01:59:00-05:00", "2027-03-14T03:00:00-04:00"]


async def test_what_is_closed_cannot_be_booked(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    biller = await clinic.new_practitioner("biller")
    await clinic.practice.put(f"/v1/rooms/{clinic.room_id}", {"name": "Room 1", "status": "inactive"}, revision=1)
    reply = await clinic.book(practitioner_id=biller)
    assert (reply.status_code, reply.json()["code"]) == (409, "not-bookable")
    assert {error["pointer"]: error["rule"] for error in reply.json()["errors"]} == {
        "/room_id": "room-active",
        "/practitioner_id": "clinical-role",
    }


async def test_a_visit_that_needs_no_room_is_booked_without(scheduling: Harness):
    clinic = await new_clinic(scheduling, needs_room=False)
    appointment = await clinic.booked(room_id=None)
    assert len(await occupied(clinic, appointment)) == 2
    strict = await new_clinic(scheduling)
    assert (await strict.book(room_id=None)).json()["errors"][0]["rule"] == "room-required"


async def test_a_cancelled_time_is_free_again_and_the_appointment_stays(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked()
    path = f"/v1/appointments/{appointment['id']}/cancel"
    cancelled = await clinic.act(path, {"reason": "pat-lt"})
    assert (cancelled.headers["etag"], found(cancelled)["status"]) == ('"2"', "cancelled")
    again = found(await clinic.act(path, {"reason": "prov"}))
    assert (again["revision"], again["cancellation_reason"]) == (2, "pat-lt")
    assert await occupied(clinic, appointment) == set()
    await clinic.booked()
    [event] = await clinic.practice.announced(AppointmentCancelledV1)
    assert (event.revision, event.status, event.cancellation_reason) == (2, "cancelled", "pat-lt")
    assert found(await clinic.practice.get(f"/v1/appointments/{appointment['id']}"))["status"] == "cancelled"


@pytest.mark.parametrize("reason", ["because", "", None])
async def test_a_cancellation_names_a_coded_reason(scheduling: Harness, reason):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked()
    assert (await clinic.act(f"/v1/appointments/{appointment['id']}/cancel", {"reason": reason})).status_code == 422


async def test_a_moved_appointment_keeps_its_id_and_frees_its_old_time(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment, room = await clinic.booked(), await clinic.new_room("Room 2")
    path = f"/v1/appointments/{appointment['id']}/reschedule"
    moved = found(await clinic.act(path, {"starts_at": at(15), "room_id": room}))
    assert (moved["id"], moved["revision"], moved["room_id"]) == (appointment["id"], 2, room)
    assert (moved["starts_at"], moved["local_start"]) == ("2027-02-02T15:15:00Z", "2027-02-02T10:15:00")
    assert await occupied(clinic, moved) == {(i, at(15)) for i in (clinic.practitioner_id, room, clinic.patient_id)}
    [event] = await clinic.practice.announced(AppointmentRescheduledV1)
    assert (event.revision, event.starts_at) == (2, at(15))
    wall = found(await clinic.act(path, {"local_start": "2027-02-03T08:00:00"}))
    assert (wall["starts_at"], wall["room_id"], wall["revision"]) == ("2027-02-03T13:00:00Z", room, 3)
    await clinic.booked(TEN)


async def test_a_move_onto_a_taken_time_changes_nothing(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    first, second = await clinic.booked(at(0)), await clinic.booked(at(30), patient_id=await clinic.new_patient("Bo"))
    reply = await clinic.act(f"/v1/appointments/{second['id']}/reschedule", {"starts_at": at(10)})
    assert (reply.status_code, reply.json()["code"]) == (409, "slot-taken")
    assert datetime.fromisoformat(reply.json()["conflicts"][0]["starts_at"]) == at(0)
    assert await occupied(clinic, second) == {
        (i, at(30)) for i in (clinic.practitioner_id, clinic.room_id, second["patient_id"])
    }
    assert len(await occupied(clinic, first)) == 3
    assert await clinic.practice.announced(AppointmentRescheduledV1) == []


async def test_an_action_on_an_old_revision_is_refused(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked()
    path = f"/v1/appointments/{appointment['id']}"
    found(await clinic.act(f"{path}/reschedule", {"starts_at": at(60)}, headers={"if-match": '"1"'}))
    for action, body in (
        ("reschedule", {"starts_at": at(90)}),
        ("cancel", {"reason": "pat"}),
        ("arrive", {}),
        ("miss", {}),
    ):
        stale = await clinic.act(f"{path}/{action}", body, headers={"if-match": '"1"'})
        assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)


async def test_a_patient_is_missed_after_the_grace_and_the_time_is_free(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked()
    path = f"/v1/appointments/{appointment['id']}/miss"
    scheduling.clock.advance(days=1, hours=1, minutes=14)
    early = await clinic.act(path)
    assert (early.status_code, early.json()["code"]) == (409, "grace-running")
    assert datetime.fromisoformat(early.json()["from"]) == at(15)
    assert early.json()["local_from"] == "2027-02-02T10:15:00-05:00"
    scheduling.clock.advance(minutes=1)
    assert found(await clinic.act(path))["status"] == "noshow"
    assert await occupied(clinic, appointment) == set()
    [event] = await clinic.practice.announced(AppointmentMissedV1)
    assert (event.status, event.revision) == ("noshow", 2)


@pytest.mark.parametrize(("prepare", "action", "allowed"), [
    (["cancel"], "reschedule", []),
    (["cancel"], "check-in", []),
    (["arrive"], "miss", ["cancelled", "checked-in"]),
    (["arrive"], "arrive", ["cancelled", "checked-in"]),
    (["check-in"], "cancel", ["fulfilled"]),
    (["arrive", "check-in"], "reschedule", ["fulfilled"]),
])  # fmt: skip
async def test_every_other_transition_is_refused_with_what_is_allowed(scheduling: Harness, prepare, action, allowed):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked(SOON)
    bodies = {"cancel": {"reason": "pat"}, "reschedule": {"starts_at": at(60)}}
    path = f"/v1/appointments/{appointment['id']}"
    for step in prepare:
        assert (await clinic.act(f"{path}/{step}", bodies.get(step))).status_code in (200, 201)
    reply = await clinic.act(f"{path}/{action}", bodies.get(action))
    assert (reply.status_code, reply.json()["code"], reply.json()["allowed"]) == (409, "transition-refused", allowed)
    assert reply.json()["current_revision"] == 1 + len(prepare)


async def test_the_day_is_that_of_the_location(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    far = found(
        await clinic.practice.post("/v1/locations", {**LOCATION, "code": "WEST", "time_zone": "Pacific/Honolulu"}), 201
    )
    late = await clinic.booked(None, local_start="2027-02-02T23:30:00")
    there = await clinic.booked(
        None,
        local_start="2027-02-02T20:00:00",
        location_id=far["id"],
        room_id=await clinic.new_room("Lanai", far["id"]),
    )

    async def listed(query: str) -> list[str]:
        return [one["id"] for one in found(await clinic.practice.get(f"/v1/appointments?{query}"))["items"]]

    assert await listed("on=2027-02-02") == [late["id"]]
    assert await listed("on=2027-02-03") == [there["id"]]
    assert await listed(f"on=2027-02-02&location_id={far['id']}") == [there["id"]]
    assert await listed(f"on=2027-02-02&practitioner_id={clinic.practitioner_id}") == [late["id"]]
    assert await listed(f"on=2027-02-02&practitioner_id={new_id()}") == []


async def test_a_day_goes_page_by_page_by_start_and_each_row_shown_is_audited(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    starts = [at(60), at(0), at(30)]
    for start in starts:
        await clinic.booked(start)
    path = f"/v1/appointments?on=2027-02-02&location_id={clinic.location_id}&limit=2"
    first = await clinic.practice.get(path)
    rest = await clinic.practice.get(f"{path}&cursor={found(first)['next']}")
    assert 'rel="next"' in first.headers["link"]
    seen = [datetime.fromisoformat(one["starts_at"]) for one in found(first)["items"] + found(rest)["items"]]
    assert seen == sorted(starts)
    shown = await clinic.practice.sql("select patient_id from audit where action = 'scheduling.appointments.list'")
    assert [str(row["patient_id"]) for row in shown] == [clinic.patient_id] * 3


@pytest.mark.parametrize(
    ("query", "pointer"), [("", "query:on"), ("?on=today", "query:on"), ("?on=9999-12-31", "query:on")]
)
async def test_a_day_list_needs_a_day(scheduling: Harness, query, pointer):
    practice = await scheduling.practice()
    reply = await practice.get(f"/v1/appointments{query}")
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == pointer


async def test_a_client_books_in_its_own_channel_and_a_partner_not_at_all(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    body = {**clinic.walk_in(), "room_id": clinic.room_id, "starts_at": TEN}
    assert found(await clinic.practice.post("/v1/appointments", body, role="ehr_client"), 201)["channel"] == "client"
    assert (await clinic.practice.post("/v1/appointments", body, role="partner_client")).status_code == 403
    assert (await clinic.practice.post("/v1/appointments", body, role=None)).status_code == 401


@pytest.mark.parametrize("action", ["arrive", "check-in"])
async def test_nobody_arrives_on_another_day_than_that_of_the_appointment(scheduling: Harness, action):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked(TEN + timedelta(hours=13))
    path = f"/v1/appointments/{appointment['id']}/{action}"
    early = await clinic.act(path)
    assert (early.status_code, early.json()["code"], early.json()["day"]) == (409, "not-today", "2027-02-02")
    # 00:30 in New York is 05:30 in UTC; 23:30 there is the next day in UTC.
    scheduling.clock.advance(hours=15, minutes=30)
    assert (await clinic.act(path)).status_code in (200, 201)
    late = await clinic.booked(TEN + timedelta(hours=1), patient_id=await clinic.new_patient("Bo"))
    scheduling.clock.advance(days=1)
    assert (await clinic.act(f"/v1/appointments/{late['id']}/{action}")).json()["code"] == "not-today"


async def test_the_appointments_of_a_patient_are_listed_by_start_on_whatever_day(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    mine = [(await clinic.booked(start))["id"] for start in (SOON, at(0), at(3000))]
    await clinic.booked(at(60), patient_id=await clinic.new_patient("Bo"))
    path = f"/v1/appointments?patient_id={clinic.patient_id}"
    assert [one["id"] for one in found(await clinic.practice.get(path))["items"]] == mine
    reply = await clinic.practice.get(f"{path}&on=2027-02-02")
    assert (reply.status_code, reply.json()["errors"][0]["rule"]) == (422, "one-of")


async def test_an_appointment_shows_the_visit_it_became(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked(SOON)
    assert appointment["visit_id"] is None
    path = f"/v1/appointments/{appointment['id']}"
    visit = found(await clinic.act(f"{path}/check-in"), 201)
    assert found(await clinic.practice.get(path))["visit_id"] == visit["id"]
    [listed] = found(await clinic.practice.get("/v1/appointments?on=2027-02-01"))["items"]
    assert listed["visit_id"] == visit["id"]


async def test_a_start_in_the_past_is_refused_with_the_time_it_is_there(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    reply = await clinic.book(at(-1501))
    assert "2027-02-01T09:00:00-05:00" in reply.json()["errors"][0]["message"]
