"""Reading credentials."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_

from praxis.kit.unit_of_work import Session
from services.staff.credentials.domain import NUMBER, CredentialUnknown
from services.staff.credentials.models import Credential
from services.staff.credentials.schemas import CredentialOut

_COLUMNS = tuple(c for c in Credential.__table__.columns if c.name not in ("practice_id", "changed_at", "number_index"))


async def credential(session: Session, credential_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one credential, locked for change when asked; raises CredentialUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Credential.id == credential_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise CredentialUnknown
    return row


async def credentials(
    session: Session, staff_member_id: UUID | None, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return credentials by staff member and id, `limit` + 1 at most."""
    statement: Select[Any] = select(*_COLUMNS).order_by(Credential.staff_member_id, Credential.id).limit(limit + 1)
    if staff_member_id:
        statement = statement.where(Credential.staff_member_id == staff_member_id)
    if after:
        place = (UUID(str(after[0])), UUID(str(after[1])))
        statement = statement.where(tuple_(Credential.staff_member_id, Credential.id) > tuple_(*place))
    return await session.all(statement)


def shown(session: Session, row: Row[Any]) -> CredentialOut:
    """Return the credential with its number readable."""
    return CredentialOut.model_validate({**row._mapping, "number": session.unseal(NUMBER, row.number_sealed)})
