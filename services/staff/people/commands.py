"""Changing staff members."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1, StaffMemberRegisteredV1
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Session
from services.staff.people.domain import PROVIDER, require_active, require_billable_provider
from services.staff.people.models import StaffMember
from services.staff.people.queries import staff_member
from services.staff.people.schemas import ChangeStaffMember, DeactivateStaffMember, RegisterStaffMember

_Event = TypeVar("_Event", StaffMemberRegisteredV1, StaffMemberChangedV1, StaffMemberDeactivatedV1)


async def register_staff_member(session: Session, body: RegisterStaffMember) -> Row[Any]:
    """Add a person; raises Invalid for an unusable NPI and NpiTaken."""
    require_billable_provider(body.role, body.npi, body.taxonomy_code)
    staff_member_id = new_id()
    values = {**body.model_dump(), "id": staff_member_id, "revision": 1, "status": "active", "changed_at": session.now}
    await session.execute(insert(StaffMember).values(values))
    return await _announced(session, staff_member_id, StaffMemberRegisteredV1)


async def change_staff_member(
    session: Session, staff_member_id: UUID, body: ChangeStaffMember, expected: int | None
) -> Row[Any]:
    """Replace a person's record; raises Stale, StaffMemberInactive and as `register_staff_member`."""
    require_billable_provider(body.role, body.npi, body.taxonomy_code)
    await _change(session, staff_member_id, body.model_dump(), expected)
    return await _announced(session, staff_member_id, StaffMemberChangedV1)


async def deactivate_staff_member(
    session: Session, staff_member_id: UUID, body: DeactivateStaffMember, expected: int | None
) -> Row[Any]:
    """Record that a person has left; the gateway ends their sessions when it hears of it."""
    await _change(session, staff_member_id, {"status": "inactive", "ended_on": body.ended_on}, expected)
    return await _announced(session, staff_member_id, StaffMemberDeactivatedV1)


async def _change(session: Session, staff_member_id: UUID, values: Mapping[str, Any], expected: int | None) -> None:
    row = await staff_member(session, staff_member_id, lock=True)
    require_revision(row.revision, expected)
    require_active(row.status)
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(StaffMember).where(StaffMember.id == staff_member_id).values(changed))


async def _announced(session: Session, staff_member_id: UUID, event: type[_Event]) -> Row[Any]:
    row = await staff_member(session, staff_member_id)
    is_provider = row.role == PROVIDER
    session.touch("staff-member", row.id, row.revision)
    session.publish(
        event(
            staff_member_id=row.id,
            revision=row.revision,
            role=row.role,
            status=row.status,
            public_name=f"{row.given_name} {row.family_name}" if is_provider else None,
            family_name=row.family_name if is_provider else None,
            given_name=row.given_name if is_provider else None,
            npi=row.npi,
            taxonomy_code=row.taxonomy_code,
            hired_on=row.hired_on,
        )
    )
    return row
