"""Staff members over HTTP."""

from uuid import UUID

from praxis.contracts.staff import StaffRole
from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.staff.people import commands, queries
from services.staff.people.schemas import ChangeStaffMember, DeactivateStaffMember, RegisterStaffMember, StaffMemberOut

routes = router("staff-members")


@routes.post("/v1/staff-members", status_code=201, **policy("staff.staff-members.register", "staff.person:write"))
async def register(body: RegisterStaffMember, session: SessionDep) -> StaffMemberOut:
    """Register a person who works here."""
    return StaffMemberOut.model_validate(await commands.register_staff_member(session, body))


@routes.get("/v1/staff-members", **policy("staff.staff-members.list", "staff.person:read"))
async def find(session: SessionDep, page: PageDep, role: StaffRole | None = None) -> Page[StaffMemberOut]:
    """List staff members by family name."""
    rows = await queries.staff_members(session, role, page.after, page.limit)
    for row in rows[: page.limit]:
        session.touch("staff-member", row.id)
    return page.page(rows, StaffMemberOut, lambda row: (str(row.id),))


@routes.get("/v1/staff-members/{staff_member_id}", **policy("staff.staff-members.get", "staff.person:read"))
async def get(staff_member_id: UUID, session: SessionDep) -> StaffMemberOut:
    """Return one staff member."""
    row = await queries.staff_member(session, staff_member_id)
    session.touch("staff-member", row.id, row.revision)
    return StaffMemberOut.model_validate(row)


@routes.put("/v1/staff-members/{staff_member_id}", **policy("staff.staff-members.change", "staff.person:write"))
async def change(
    staff_member_id: UUID, body: ChangeStaffMember, session: SessionDep, expected: ExpectedRevision
) -> StaffMemberOut:
    """Replace a staff member's record."""
    return StaffMemberOut.model_validate(await commands.change_staff_member(session, staff_member_id, body, expected))


@routes.post(
    "/v1/staff-members/{staff_member_id}/deactivate", **policy("staff.staff-members.deactivate", "staff.person:write")
)
async def deactivate(
    staff_member_id: UUID, body: DeactivateStaffMember, session: SessionDep, expected: ExpectedRevision
) -> StaffMemberOut:
    """Record that a staff member has left."""
    return StaffMemberOut.model_validate(
        await commands.deactivate_staff_member(session, staff_member_id, body, expected)
    )
