"""The practices a service keeps books for: copied from the gateway's events, read for time zone and currency, iterated by jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Row, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from praxis.contracts.gateway import PracticeOpenedV1
from praxis.kit.db import Base
from praxis.kit.inbox import Consumers
from praxis.kit.problems import Unavailable
from praxis.kit.unit_of_work import Session

consumers = Consumers()


class PracticeNotHeardOf(Unavailable):
    """503: the practice was opened a moment ago and this service has not heard of it yet."""

    code = "practice-not-heard-of"
    title = "This practice is not known here yet"


class Practice(Base):
    """A practice as every publisher knows it."""

    __tablename__ = "practices"

    time_zone: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@consumers.on(PracticeOpenedV1)
async def keep_practice(session: Session, event: PracticeOpenedV1) -> None:
    """Keep the newest revision of the practice."""
    values = event.model_dump()
    statement = insert(Practice).values(values)
    changed = {name: value for name, value in values.items() if name != "practice_id"}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Practice.practice_id], set_=changed, where=Practice.revision < event.revision
        )
    )


async def practice(session: Session) -> Row[Any]:
    """Return the practice's `time_zone` (IANA) and `currency`; raises PracticeNotHeardOf."""
    row = await session.one_or_none(select(Practice.time_zone, Practice.currency))
    if row is None:
        raise PracticeNotHeardOf(retry_after=1)
    return row


async def practice_time_zone(session: Session) -> str:
    """Return the IANA time zone of the practice; raises PracticeNotHeardOf."""
    zone: str = (await practice(session)).time_zone
    return zone
