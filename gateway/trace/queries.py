"""Putting a story together."""

from collections.abc import Mapping
from uuid import UUID

from gateway.identity.queries import names
from gateway.services import Services
from gateway.trace.domain import StoryUnknown, lag_ms
from gateway.trace.schemas import TraceOut, TraceStepOut
from praxis.kit.story import StepOut, steps_of
from praxis.kit.unit_of_work import Session


async def trace(session: Session, services: Services, story_id: UUID) -> TraceOut:
    """Return the story as far as the services that answer know it; raises StoryUnknown when all do and none has a step."""
    answers = await services.stories(story_id, session.principal)
    steps = [*await steps_of(session, story_id), *(step for answer in answers.values() for step in answer.steps)]
    missing = services.missing(answers)
    if not steps and not missing:
        raise StoryUnknown
    actors = await names(session, {step.actor_id for step in steps if step.actor_id})
    told = [_told(step, actors) for step in sorted(steps, key=lambda step: (step.at, step.kind, step.service))]
    return TraceOut(story_id=story_id, steps=told, missing=missing)


def _told(step: StepOut, actors: Mapping[UUID, str]) -> TraceStepOut:
    name = actors.get(step.actor_id) if step.actor_id else None
    return TraceStepOut(**step.model_dump(), actor_name=name, lag_ms=lag_ms(step.kind, step.at, step.event_at))
