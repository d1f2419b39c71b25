"""Opening practices."""

from typing import Any

from sqlalchemy import Row, insert

from gateway.practices.models import PracticeCode
from gateway.practices.queries import own_practice, practice
from gateway.practices.schemas import OpenPractice
from praxis.contracts.gateway import PracticeOpenedV1
from praxis.kit.clock import zone
from praxis.kit.practices import Practice
from praxis.kit.unit_of_work import Session


async def open_practice(session: Session, body: OpenPractice) -> Row[Any]:
    """Open the session's practice, whose id the operator chose; done once, a repeat returns the practice as it is.

    Raises UnknownTimeZone and PracticeCodeTaken; ask `practice_with_code` first to repeat by code.
    """
    if row := await own_practice(session):
        return row
    zone(body.time_zone)
    opened = PracticeOpenedV1(
        practice_id=session.practice_id,
        revision=1,
        time_zone=body.time_zone,
        currency=body.currency,
        opened_at=session.now,
    )
    await session.execute(insert(Practice).values(opened.model_dump()))
    await session.execute(insert(PracticeCode).values(code=body.code))
    session.touch("practice", session.practice_id, 1)
    session.publish(opened)
    return await practice(session)
