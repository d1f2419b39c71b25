"""Changing locations, rooms and visit types; keeping practitioners."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from praxis.contracts.scheduling import LocationChangedV1
from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1, StaffMemberRegisteredV1
from praxis.kit.clock import zone
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Session
from services.scheduling.resources.domain import require_each_once, require_known
from services.scheduling.resources.models import Location, Practitioner, Resource, Room, VisitType
from services.scheduling.resources.queries import location, location_or_none, room, visit_type
from services.scheduling.resources.schemas import (
    ChangeLocation,
    ChangeRoom,
    ChangeVisitType,
    OfferVisitType,
    OpenLocation,
    OpenRoom,
)

StaffMemberEvent = StaffMemberRegisteredV1 | StaffMemberChangedV1 | StaffMemberDeactivatedV1


async def open_location(session: Session, body: OpenLocation) -> Row[Any]:
    """Add a location; raises UnknownTimeZone and LocationCodeTaken."""
    zone(body.time_zone)
    location_id = await _add(session, Location, body.model_dump())
    return await _announced(session, location_id)


async def change_location(session: Session, location_id: UUID, body: ChangeLocation, expected: int | None) -> Row[Any]:
    """Replace a location; raises Stale, UnknownTimeZone and LocationCodeTaken."""
    zone(body.time_zone)
    await _replace(session, Location, await location(session, location_id, lock=True), body.model_dump(), expected)
    return await _announced(session, location_id)


async def open_room(session: Session, body: OpenRoom) -> Row[Any]:
    """Add a room; raises ReferenceUnknown and RoomNameTaken."""
    require_known(await location_or_none(session, body.location_id), "/location_id", "location")
    room_id = await _add(session, Room, body.model_dump())
    await add_resource(session, room_id, "room")
    return await _shown(session, "room", await room(session, room_id))


async def change_room(session: Session, room_id: UUID, body: ChangeRoom, expected: int | None) -> Row[Any]:
    """Replace a room; raises Stale and RoomNameTaken."""
    await _replace(session, Room, await room(session, room_id, lock=True), body.model_dump(), expected)
    return await _shown(session, "room", await room(session, room_id))


async def offer_visit_type(session: Session, body: OfferVisitType) -> Row[Any]:
    """Add a visit type; raises RequiredTaskRepeated and VisitTypeCodeTaken."""
    require_each_once(body.required_tasks)
    visit_type_id = await _add(session, VisitType, body.model_dump())
    return await _shown(session, "visit-type", await visit_type(session, visit_type_id))


async def change_visit_type(
    session: Session, visit_type_id: UUID, body: ChangeVisitType, expected: int | None
) -> Row[Any]:
    """Replace a visit type; raises Stale and as `offer_visit_type`."""
    require_each_once(body.required_tasks)
    await _replace(session, VisitType, await visit_type(session, visit_type_id, lock=True), body.model_dump(), expected)
    return await _shown(session, "visit-type", await visit_type(session, visit_type_id))


async def keep_practitioner(session: Session, event: StaffMemberEvent) -> None:
    """Keep the newest revision of a staff member; the first one also makes the row that bookings lock."""
    values = {
        "id": event.staff_member_id,
        "revision": event.revision,
        "role": event.role,
        "status": event.status,
        "public_name": event.public_name,
        "changed_at": session.now,
    }
    statement = upsert(Practitioner).values(values)
    newer = statement.on_conflict_do_update(
        index_elements=[Practitioner.practice_id, Practitioner.id],
        set_={name: value for name, value in values.items() if name != "id"},
        where=Practitioner.revision < event.revision,
    )
    await session.execute(newer)
    await add_resource(session, event.staff_member_id, "practitioner")


async def add_resource(session: Session, resource_id: UUID, kind: Literal["practitioner", "room", "patient"]) -> None:
    """Make the row that bookings of this resource lock; nothing happens when it is there."""
    await session.execute(upsert(Resource).values(id=resource_id, kind=kind).on_conflict_do_nothing())


_Table = type[Location] | type[Room] | type[VisitType]


async def _add(session: Session, table: _Table, values: Mapping[str, Any]) -> UUID:
    id = new_id()
    row = {**values, "id": id, "revision": 1, "status": "active", "changed_at": session.now}
    await session.execute(insert(table).values(row))
    return id


async def _replace(
    session: Session, table: _Table, row: Row[Any], values: Mapping[str, Any], expected: int | None
) -> None:
    require_revision(row.revision, expected)
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(table).where(table.id == row.id).values(changed))


async def _shown(session: Session, entity: str, row: Row[Any]) -> Row[Any]:
    session.touch(entity, row.id, row.revision)
    return row


async def _announced(session: Session, location_id: UUID) -> Row[Any]:
    row = await location(session, location_id)
    session.publish(
        LocationChangedV1(
            location_id=row.id,
            revision=row.revision,
            code=row.code,
            time_zone=row.time_zone,
            place_of_service=row.place_of_service,
            status=row.status,
        )
    )
    return await _shown(session, "location", row)
