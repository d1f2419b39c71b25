"""Reading staff members."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_

from praxis.kit.unit_of_work import Session
from services.staff.people.domain import StaffMemberUnknown
from services.staff.people.models import StaffMember

_COLUMNS = tuple(column for column in StaffMember.__table__.columns if column.name not in ("practice_id", "changed_at"))


async def staff_member(session: Session, staff_member_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one staff member, locked for change when asked; raises StaffMemberUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(StaffMember.id == staff_member_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise StaffMemberUnknown
    return row


async def staff_members(
    session: Session, role: str | None, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return staff members by family name and id, `limit` + 1 at most so that the caller sees whether more follow.

    `after` is the id of the last one shown: a name would travel in the cursor.
    """
    statement: Select[Any] = select(*_COLUMNS).order_by(StaffMember.family_name, StaffMember.id).limit(limit + 1)
    if role:
        statement = statement.where(StaffMember.role == role)
    if after:
        last = await staff_member(session, UUID(str(after[0])))
        statement = statement.where(tuple_(StaffMember.family_name, StaffMember.id) > tuple_(last.family_name, last.id))
    return await session.all(statement)
