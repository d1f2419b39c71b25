"""What many hands do to one slot, one patient, one room and one appointment at the same moment."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import httpx
import pytest

from praxis.contracts.scheduling import AppointmentBookedV1, VisitCheckedInV1, VisitCompletedV1
from praxis.kit.testing import Harness
from tests.support.scheduling import SOON, TEN, Clinic, at, found, new_clinic

CLIENTS = 64
OVERLAPS = """
select count(*) as pairs from occupancies a join occupancies b
  on a.resource_id = b.resource_id and a.appointment_id < b.appointment_id and a.starts_at < b.ends_at and b.starts_at < a.ends_at
"""


def statuses(replies: Iterable[httpx.Response]) -> Counter[int]:
    return Counter(reply.status_code for reply in replies)


def codes(replies: Iterable[httpx.Response]) -> set[str]:
    return {reply.json()["code"] for reply in replies if reply.status_code >= 400}


async def overlapping(clinic: Clinic) -> int:
    [row] = await clinic.practice.sql(OVERLAPS)
    return int(row["pairs"])


async def patients(clinic: Clinic, count: int) -> list[str]:
    """Register patients, all at once: it also opens the connections that the race needs to be one."""
    return await asyncio.gather(*(clinic.new_patient(f"Number {number}") for number in range(count)))


async def test_of_sixty_four_clients_on_one_slot_one_gets_it_and_one_event_says_so(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    people = await patients(clinic, 16)
    replies = await asyncio.gather(*(clinic.book(TEN, patient_id=people[n % 16]) for n in range(CLIENTS)))
    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    assert codes(replies) == {"slot-taken"}
    assert all(reply.json()["nearest_free"] for reply in replies if reply.status_code == 409)
    assert len(await clinic.practice.announced(AppointmentBookedV1)) == 1
    assert len(await clinic.practice.sql("select 1 from occupancies")) == 3
    assert len(await clinic.practice.sql("select 1 from appointments")) == 1


async def test_overlapping_starts_are_no_way_around(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    people = await patients(clinic, 16)
    replies = await asyncio.gather(*(clinic.book(at(n % 6 * 5), patient_id=people[n % 16]) for n in range(CLIENTS)))
    assert statuses(replies) == {201: 1, 409: CLIENTS - 1}
    assert await overlapping(clinic) == 0


async def test_crossed_providers_and_rooms_end_without_a_deadlock_and_use_both_of_each(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    providers = [clinic.practitioner_id, await clinic.new_practitioner()]
    rooms = [clinic.room_id, await clinic.new_room("Room 2")]
    people = await patients(clinic, 16)
    replies = await asyncio.gather(
        *(
            clinic.book(TEN, patient_id=people[n % 16], practitioner_id=providers[n & 1], room_id=rooms[n >> 1 & 1])
            for n in range(CLIENTS)
        )
    )
    assert statuses(replies) == {201: 2, 409: CLIENTS - 2}
    assert codes(replies) <= {"slot-taken", "patient-already-booked"}
    assert await overlapping(clinic) == 0


async def test_one_patient_booked_by_many_at_once_comes_once(scheduling: Harness):
    clinic = await new_clinic(scheduling, needs_room=False)
    providers = [await clinic.new_practitioner() for _ in range(16)]
    replies = await asyncio.gather(
        *(clinic.book(at(n), practitioner_id=one, room_id=None) for n, one in enumerate(providers))
    )
    assert statuses(replies) == {201: 1, 409: 15}
    assert codes(replies) == {"patient-already-booked"}


async def test_one_key_sent_by_twenty_at_once_books_once_and_all_hear_the_same(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    replies = await asyncio.gather(*(clinic.book(TEN, key="same-intent-1") for _ in range(20)))
    assert statuses(replies) == {201: 20}
    assert len({reply.content for reply in replies}) == 1
    assert len({reply.headers["etag"] for reply in replies}) == 1
    assert len(await clinic.practice.announced(AppointmentBookedV1)) == 1
    assert (await clinic.book(at(60), key="same-intent-1")).json()["code"] == "idempotency-key-reused"


async def test_two_appointments_moved_onto_one_free_time_do_not_both_arrive(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    people = await patients(clinic, 8)
    moved = [await clinic.booked(at(30 * n), patient_id=person) for n, person in enumerate(people)]
    replies = await asyncio.gather(
        *(clinic.act(f"/v1/appointments/{one['id']}/reschedule", {"starts_at": at(600)}) for one in moved)
    )
    assert statuses(replies) == {200: 1, 409: 7}
    assert codes(replies) == {"slot-taken"}
    assert all(reply.json()["conflicts"] for reply in replies if reply.status_code == 409)
    assert len(await clinic.practice.sql("select 1 from occupancies")) == 24
    assert await overlapping(clinic) == 0


async def test_two_appointments_that_want_each_others_time_keep_their_own(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    first, second = await clinic.booked(at(0)), await clinic.booked(at(30), patient_id=await clinic.new_patient("Bo"))
    replies = await asyncio.gather(
        clinic.act(f"/v1/appointments/{first['id']}/reschedule", {"starts_at": at(30)}),
        clinic.act(f"/v1/appointments/{second['id']}/reschedule", {"starts_at": at(0)}),
    )
    assert statuses(replies) == {409: 2}
    assert codes(replies) == {"slot-taken"}


async def test_moving_booking_and_cancelling_in_one_room_ends_without_overlap_or_failure(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    people = await patients(clinic, 24)
    booked = [await clinic.booked(at(30 * n), patient_id=people[n]) for n in range(8)]
    calls = [
        clinic.act(f"/v1/appointments/{one['id']}/reschedule", {"starts_at": at(30 * (n + 1) + 15)})
        for n, one in enumerate(booked)
    ]
    calls += [clinic.act(f"/v1/appointments/{one['id']}/cancel", {"reason": "pat"}) for one in booked]
    calls += [clinic.book(at(20 * n), patient_id=people[8 + n]) for n in range(16)]
    replies = await asyncio.gather(*calls)
    assert set(statuses(replies)) <= {200, 201, 409}
    assert codes(replies) <= {"slot-taken", "transition-refused"}
    assert statuses(replies[8:16]) == {200: 8}
    assert await overlapping(clinic) == 0


async def test_a_cancel_and_a_check_in_at_once_do_not_both_happen(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    for n in range(5):
        appointment = await clinic.booked(
            SOON + timedelta(minutes=30 * n), patient_id=await clinic.new_patient(f"Bo{'abcde'[n]}")
        )
        path = f"/v1/appointments/{appointment['id']}"
        cancelled, checked_in = await asyncio.gather(
            clinic.act(f"{path}/cancel", {"reason": "pat"}), clinic.act(f"{path}/check-in")
        )
        assert sorted((cancelled.status_code == 200, checked_in.status_code == 201)) == [False, True]
        assert codes([cancelled, checked_in]) == {"transition-refused"}


async def test_a_double_click_checks_in_once(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    appointment = await clinic.booked(SOON)
    replies = await asyncio.gather(*(clinic.act(f"/v1/appointments/{appointment['id']}/check-in") for _ in range(6)))
    assert statuses(replies) == {201: 1, 409: 5}
    assert len(await clinic.practice.announced(VisitCheckedInV1)) == 1


async def test_two_visits_brought_to_one_room_at_once_do_not_share_it(scheduling: Harness):
    clinic = await new_clinic(scheduling)
    visits = [await clinic.walked_in(patient_id=person) for person in await patients(clinic, 6)]
    replies = await asyncio.gather(
        *(clinic.act(f"/v1/visits/{visit['id']}/room", {"room_id": clinic.room_id}) for visit in visits)
    )
    assert statuses(replies) == {200: 1, 409: 5}
    assert codes(replies) == {"room-occupied"}


@pytest.mark.parametrize("action", ["complete", "waive"])
async def test_a_visit_completed_while_its_last_task_ends_loses_nothing(scheduling: Harness, action):
    clinic = await new_clinic(scheduling, required_tasks=[], needs_room=False)
    body = {"reason": "not-indicated"} if action == "waive" else {}
    for _ in range(4):
        visit = await clinic.walked_in()
        task = found(await clinic.act(f"/v1/visits/{visit['id']}/tasks", {"code": "ekg"}), 201)
        ended, completed, again = await asyncio.gather(
            clinic.act(f"/v1/tasks/{task['id']}/{action}", body),
            clinic.act(f"/v1/visits/{visit['id']}/complete"),
            clinic.act(f"/v1/visits/{visit['id']}/complete"),
        )
        assert sorted([completed.status_code, again.status_code]) == [200, 409]
        done = action == "complete" and ended.status_code == 200
        shown = found(await clinic.practice.get(f"/v1/visits/{visit['id']}"))
        assert shown["performed"] == ([{"code": "ekg", "quantity": 1}] if done else [])
    assert len(await clinic.practice.announced(VisitCompletedV1)) == 4
