"""Reading practices."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from gateway.db import across_practices
from gateway.practices.domain import PracticeUnknown
from gateway.practices.models import PracticeCode
from praxis.kit.db import Database
from praxis.kit.practices import Practice
from praxis.kit.unit_of_work import Session


async def own_practice(session: Session) -> Row[Any] | None:
    """Return the session's practice, or None when it was never opened."""
    return await session.one_or_none(
        select(
            Practice.practice_id.label("id"),
            Practice.revision,
            Practice.time_zone,
            Practice.currency,
            PracticeCode.code,
        ).join(PracticeCode, PracticeCode.practice_id == Practice.practice_id)
    )


async def practice(session: Session) -> Row[Any]:
    """Return the session's practice; raises PracticeUnknown."""
    row = await own_practice(session)
    if row is None:
        raise PracticeUnknown
    return row


async def practice_with_code(database: Database, code: str) -> UUID | None:
    """Return the id of the practice that has this code, whichever it is."""
    async with across_practices(database) as connection:
        found: UUID | None = await connection.scalar(select(PracticeCode.practice_id).where(PracticeCode.code == code))
    return found
