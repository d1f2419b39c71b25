"""Rules of traces."""

from datetime import datetime, timedelta

from praxis.kit.problems import NotFound


class StoryUnknown(NotFound):
    """No service has a step of this story."""

    code = "story-unknown"
    title = "There is no such story"


def lag_ms(kind: str, at: datetime, event_at: datetime) -> int | None:
    """Return the milliseconds between an event and its effect; None for what was announced, which waits for nothing."""
    return (at - event_at) // timedelta(milliseconds=1) if kind == "effect" else None
