"""The story of one aggregate as one publisher knows it: what it announced and what it did because of others."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from praxis.kit.http import Answer, SessionDep, policy, router
from praxis.kit.unit_of_work import Session

routes = router("internal")


class StepOut(Answer):
    """One step: an event `announced` here (at its transaction) or an `effect` of one (at the consumer's transaction)."""

    kind: Literal["announced", "effect"]
    service: str
    event_id: UUID
    subject: str
    aggregate_id: UUID
    at: datetime
    event_at: datetime
    actor: str
    actor_id: UUID | None


class StoryOut(Answer):
    """Every step of one story in one service, oldest first."""

    steps: list[StepOut]


_STEPS = text("""
select 'announced' as kind, event_id, subject, aggregate_id, recorded_at as at, recorded_at as event_at,
       array_to_string(actor_roles, ' ') as actor, actor_id
from outbox where correlation_id = :story
union all
select 'effect', event_id, subject, aggregate_id, received_at, event_at, consumer, null from inbox where correlation_id = :story
order by at, kind
""")


async def steps_of(session: Session, story: UUID) -> list[StepOut]:
    """Return the steps of the story `story` (a correlation id)."""
    rows = await session.connection.execute(_STEPS, {"story": story})
    return [StepOut(service=session.service, **row._mapping) for row in rows]


@routes.get("/internal/v1/stories/{story_id}", **policy("internal.stories.get", "gateway.trace:read"))
async def get_story(story_id: UUID, session: SessionDep) -> StoryOut:
    """Return this publisher's steps of the story."""
    return StoryOut(steps=await steps_of(session, story_id))
