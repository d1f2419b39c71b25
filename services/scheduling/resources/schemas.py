"""What people send and get about locations, rooms, visit types and practitioners."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from praxis.contracts.staff import StaffRole
from praxis.kit.http import Answer, Body
from services.scheduling.resources.domain import DAY_MINUTES
from services.scheduling.tasks.domain import CODE_PATTERN

Status = Literal["active", "inactive"]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,29}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
TaskCode = Annotated[str, StringConstraints(pattern=CODE_PATTERN, max_length=40)]
RequiredTasks = Annotated[tuple[TaskCode, ...], Field(max_length=20)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=55)]


class PlaceAddress(Body):
    """Where a location is. Claims need the nine-digit postal code (X12 837P, N403 in 2010AA and 2310C)."""

    line1: Line
    line2: Line | None = None
    city: Annotated[str, StringConstraints(min_length=2, max_length=30)]
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{5}-\d{4}$")]


class OpenLocation(Body):
    """A new location. `time_zone` is an IANA name, `place_of_service` the CMS two-digit code."""

    code: Code
    name: Name
    time_zone: Annotated[str, StringConstraints(max_length=60)]
    place_of_service: Annotated[str, StringConstraints(pattern=r"^\d{2}$")]
    address: PlaceAddress


class ChangeLocation(OpenLocation):
    """The whole new state of a location."""

    status: Status


class LocationOut(Answer):
    """A location."""

    id: UUID
    revision: int
    code: str
    name: str
    time_zone: str
    place_of_service: str
    address: PlaceAddress
    status: Status


class OpenRoom(Body):
    """A new room at a location."""

    location_id: UUID
    name: Name


class ChangeRoom(Body):
    """The whole new state of a room; it stays at its location."""

    name: Name
    status: Status


class RoomOut(Answer):
    """A room."""

    id: UUID
    revision: int
    location_id: UUID
    name: str
    status: Status


class OfferVisitType(Body):
    """A new kind of visit. `required_tasks` are the tasks that each such visit starts with and cannot end without."""

    code: Code
    name: Name
    duration_minutes: Annotated[int, Field(ge=1, le=DAY_MINUTES)]
    needs_room: bool = True
    required_tasks: RequiredTasks = ()


class ChangeVisitType(OfferVisitType):
    """The whole new state of a visit type; booked appointments keep what they were booked with."""

    needs_room: bool
    required_tasks: RequiredTasks
    status: Status


class VisitTypeOut(Answer):
    """A kind of visit."""

    id: UUID
    revision: int
    code: str
    name: str
    duration_minutes: int
    needs_room: bool
    required_tasks: tuple[str, ...]
    status: Status


class PractitionerOut(Answer):
    """Someone who works here, as staff last told; `revision` is that of the staff member."""

    id: UUID
    revision: int
    role: StaffRole
    status: Status
    public_name: str | None
