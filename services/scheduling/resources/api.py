"""Locations, rooms, visit types and practitioners over HTTP."""

from uuid import UUID

from praxis.contracts.staff import StaffRole
from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.scheduling.resources import commands, queries
from services.scheduling.resources.schemas import (
    ChangeLocation,
    ChangeRoom,
    ChangeVisitType,
    LocationOut,
    OfferVisitType,
    OpenLocation,
    OpenRoom,
    PractitionerOut,
    RoomOut,
    VisitTypeOut,
)

routes = router("resources")

_READ = "scheduling.resource:read"
_WRITE = "scheduling.resource:write"


@routes.post("/v1/locations", status_code=201, **policy("scheduling.locations.open", _WRITE))
async def open_location(body: OpenLocation, session: SessionDep) -> LocationOut:
    """Open a location."""
    return LocationOut.model_validate(await commands.open_location(session, body))


@routes.get("/v1/locations", **policy("scheduling.locations.list", _READ))
async def find_locations(session: SessionDep, page: PageDep) -> Page[LocationOut]:
    """List locations by code."""
    rows = await queries.locations(session, page.after, page.limit)
    return page.page(rows, LocationOut, lambda row: (row.code, str(row.id)))


@routes.get("/v1/locations/{location_id}", **policy("scheduling.locations.get", _READ))
async def get_location(location_id: UUID, session: SessionDep) -> LocationOut:
    """Return one location."""
    row = await queries.location(session, location_id)
    session.touch("location", row.id, row.revision)
    return LocationOut.model_validate(row)


@routes.put("/v1/locations/{location_id}", **policy("scheduling.locations.change", _WRITE))
async def change_location(
    location_id: UUID, body: ChangeLocation, session: SessionDep, expected: ExpectedRevision
) -> LocationOut:
    """Replace a location."""
    return LocationOut.model_validate(await commands.change_location(session, location_id, body, expected))


@routes.post("/v1/rooms", status_code=201, **policy("scheduling.rooms.open", _WRITE))
async def open_room(body: OpenRoom, session: SessionDep) -> RoomOut:
    """Open a room."""
    return RoomOut.model_validate(await commands.open_room(session, body))


@routes.get("/v1/rooms", **policy("scheduling.rooms.list", _READ))
async def find_rooms(session: SessionDep, page: PageDep, location_id: UUID | None = None) -> Page[RoomOut]:
    """List rooms by name, of one location when asked."""
    rows = await queries.rooms(session, location_id, page.after, page.limit)
    return page.page(rows, RoomOut, lambda row: (row.name, str(row.id)))


@routes.get("/v1/rooms/{room_id}", **policy("scheduling.rooms.get", _READ))
async def get_room(room_id: UUID, session: SessionDep) -> RoomOut:
    """Return one room."""
    row = await queries.room(session, room_id)
    session.touch("room", row.id, row.revision)
    return RoomOut.model_validate(row)


@routes.put("/v1/rooms/{room_id}", **policy("scheduling.rooms.change", _WRITE))
async def change_room(room_id: UUID, body: ChangeRoom, session: SessionDep, expected: ExpectedRevision) -> RoomOut:
    """Replace a room."""
    return RoomOut.model_validate(await commands.change_room(session, room_id, body, expected))


@routes.post("/v1/visit-types", status_code=201, **policy("scheduling.visit-types.offer", _WRITE))
async def offer_visit_type(body: OfferVisitType, session: SessionDep) -> VisitTypeOut:
    """Offer a kind of visit."""
    return VisitTypeOut.model_validate(await commands.offer_visit_type(session, body))


@routes.get("/v1/visit-types", **policy("scheduling.visit-types.list", _READ))
async def find_visit_types(session: SessionDep, page: PageDep) -> Page[VisitTypeOut]:
    """List kinds of visits by code."""
    rows = await queries.visit_types(session, page.after, page.limit)
    return page.page(rows, VisitTypeOut, lambda row: (row.code, str(row.id)))


@routes.get("/v1/visit-types/{visit_type_id}", **policy("scheduling.visit-types.get", _READ))
async def get_visit_type(visit_type_id: UUID, session: SessionDep) -> VisitTypeOut:
    """Return one kind of visit."""
    row = await queries.visit_type(session, visit_type_id)
    session.touch("visit-type", row.id, row.revision)
    return VisitTypeOut.model_validate(row)


@routes.put("/v1/visit-types/{visit_type_id}", **policy("scheduling.visit-types.change", _WRITE))
async def change_visit_type(
    visit_type_id: UUID, body: ChangeVisitType, session: SessionDep, expected: ExpectedRevision
) -> VisitTypeOut:
    """Replace a kind of visit."""
    return VisitTypeOut.model_validate(await commands.change_visit_type(session, visit_type_id, body, expected))


@routes.get("/v1/practitioners", **policy("scheduling.practitioners.list", _READ))
async def find_practitioners(
    session: SessionDep, page: PageDep, role: StaffRole | None = None
) -> Page[PractitionerOut]:
    """List the people who work here, of one role when asked."""
    rows = await queries.practitioners(session, role, page.after, page.limit)
    return page.page(rows, PractitionerOut, lambda row: (str(row.id),))


@routes.get("/v1/practitioners/{practitioner_id}", **policy("scheduling.practitioners.get", _READ))
async def get_practitioner(practitioner_id: UUID, session: SessionDep) -> PractitionerOut:
    """Return one person who works here."""
    row = await queries.practitioner(session, practitioner_id)
    session.touch("practitioner", row.id, row.revision)
    return PractitionerOut.model_validate(row)
