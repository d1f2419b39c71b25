"""Builders for scheduling: a fictional practice with a location, rooms, a provider, an assistant, a visit type and patients."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from praxis.contracts.staff import StaffMemberRegisteredV1
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness, PracticeUnderTest

ADDRESS = {"line1": "1 Sample Street", "city": "Exampleville", "state": "NY", "postal_code": "10001-9998"}
LOCATION: dict[str, Any] = {
    "code": "MAIN",
    "name": "Sample Family Practice",
    "time_zone": "America/New_York",
    "place_of_service": "11",
    "address": ADDRESS,
}
VISIT_TYPE = {
    "code": "CHECKUP",
    "name": "Check-up",
    "duration_minutes": 30,
    "needs_room": True,
    "required_tasks": ["vital-signs"],
}
PATIENT = {"family_name": "Testperson", "given_name": "Tilda", "birth_on": "1980-05-17", "sex": "female"}

TEN = datetime(2027, 2, 2, 15, 0, tzinfo=UTC)
"""Tuesday 10:00 in New York, the day after the clock of the harness."""
SOON = TEN - timedelta(days=1)
"""An hour after the clock of the harness, on its day."""
VITALS = {
    "systolic_mmhg": 128,
    "diastolic_mmhg": 82,
    "pulse_per_minute": 71,
    "temperature_decicelsius": 372,
    "weight_grams": 70123,
}


def found(reply: httpx.Response, status: int = 200) -> dict[str, Any]:
    """Return the body of a reply that must have this status."""
    assert reply.status_code == status, reply.text
    body: dict[str, Any] = reply.json()
    return body


def at(minutes: int) -> datetime:
    """Return the instant this many minutes after TEN."""
    return TEN + timedelta(minutes=minutes)


@dataclass
class Clinic:
    """A practice that can be booked. Every id is that of an active thing."""

    practice: PracticeUnderTest
    location_id: str
    room_id: str
    visit_type_id: str
    practitioner_id: str
    patient_id: str

    async def book(self, starts_at: datetime | None = TEN, key: str | None = None, **changes: Any) -> httpx.Response:
        """Ask for an appointment; `changes` replace fields, None leaves one out."""
        body = {
            "patient_id": self.patient_id,
            "visit_type_id": self.visit_type_id,
            "location_id": self.location_id,
            "practitioner_id": self.practitioner_id,
            "room_id": self.room_id,
            "starts_at": starts_at,
            **changes,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        return await self.practice.post("/v1/appointments", sent, role="receptionist", key=key)

    async def booked(self, starts_at: datetime | None = TEN, **changes: Any) -> dict[str, Any]:
        """Book and return the appointment."""
        return found(await self.book(starts_at, **changes), 201)

    async def act(
        self, path: str, body: Any = None, role: str = "lead_medical_assistant", **more: Any
    ) -> httpx.Response:
        """Send an action as someone who may do everything on the floor."""
        return await self.practice.post(path, body, role=role, **more)

    async def checked_in(self, starts_at: datetime = SOON) -> dict[str, Any]:
        """Book, check in, and return the visit."""
        appointment = await self.booked(starts_at)
        return found(await self.act(f"/v1/appointments/{appointment['id']}/check-in"), 201)

    async def walked_in(self, **changes: Any) -> dict[str, Any]:
        """Receive a walk-in and return the visit."""
        return found(await self.act("/v1/visits", self.walk_in(**changes)), 201)

    def walk_in(self, **changes: Any) -> dict[str, Any]:
        """Return the body of a walk-in."""
        names = ("patient_id", "visit_type_id", "location_id", "practitioner_id")
        return {**{name: getattr(self, name) for name in names}, **changes}

    async def completed(self, starts_at: datetime = SOON) -> dict[str, Any]:
        """Bring a booked patient through the whole visit with the required task done, and return the visit."""
        visit = await self.checked_in(starts_at)
        found(await self.act(f"/v1/visits/{visit['id']}/room", {"room_id": self.room_id}))
        for task in visit["tasks"]:
            await self.do(task)
        return found(await self.act(f"/v1/visits/{visit['id']}/complete"))

    async def do(self, task: dict[str, Any]) -> dict[str, Any]:
        """Complete a task, vital signs with their result."""
        body = {"result": VITALS} if task["code"] == "vital-signs" else {}
        return found(await self.act(f"/v1/tasks/{task['id']}/complete", body))

    async def amend(self, visit: dict[str, Any], body: Any, **more: Any) -> httpx.Response:
        """Correct a visit as last read."""
        revision = {"if-match": f'"{visit["revision"]}"'}
        return await self.act(f"/v1/visits/{visit['id']}/amend", body, headers=revision, **more)

    async def new_patient(self, given_name: str) -> str:
        """Register one more patient and return the id."""
        reply = await self.practice.post("/v1/patients", {**PATIENT, "given_name": given_name}, role="receptionist")
        return str(found(reply, 201)["id"])

    async def new_practitioner(self, role: str = "provider") -> str:
        """Let staff announce one more person and return the id."""
        member = staff_member(role)
        await self.practice.deliver(member)
        return str(member.staff_member_id)

    async def new_room(self, name: str, location_id: str | None = None) -> str:
        """Open one more room and return the id."""
        reply = await self.practice.post("/v1/rooms", {"location_id": location_id or self.location_id, "name": name})
        return str(found(reply, 201)["id"])


def staff_member(role: str = "provider", id: UUID | None = None) -> StaffMemberRegisteredV1:
    """Return what staff says of a new person."""
    public = {"public_name": "Ada Sample", "family_name": "Sample", "given_name": "Ada"} if role == "provider" else {}
    return StaffMemberRegisteredV1(
        staff_member_id=id or new_id(), revision=1, role=role, status="active", hired_on=date(2025, 3, 1), **public
    )


async def new_clinic(scheduling: Harness, **visit_type: Any) -> Clinic:
    """Return a fresh practice with one of everything; `visit_type` changes its kind of visit."""
    practice = await scheduling.practice()
    location = found(await practice.post("/v1/locations", LOCATION), 201)
    room = found(await practice.post("/v1/rooms", {"location_id": location["id"], "name": "Room 1"}), 201)
    kind = found(await practice.post("/v1/visit-types", {**VISIT_TYPE, **visit_type}), 201)
    patient = found(await practice.post("/v1/patients", PATIENT, role="receptionist"), 201)
    provider = staff_member()
    await practice.deliver(provider)
    return Clinic(practice, location["id"], room["id"], kind["id"], str(provider.staff_member_id), patient["id"])
