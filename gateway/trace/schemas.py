"""What is said about a story."""

from uuid import UUID

from praxis.kit.http import Answer
from praxis.kit.story import StepOut


class TraceStepOut(StepOut):
    """One step. `actor_name` is the login or API client that acted, `lag_ms` what an effect came behind its event."""

    actor_name: str | None
    lag_ms: int | None


class TraceOut(Answer):
    """Every step of a story over all services, oldest first; `missing` names the services that did not answer."""

    story_id: UUID
    steps: list[TraceStepOut]
    missing: list[str]
