"""A story as a table: every step with service, event id, time, lag and actor."""

from datetime import datetime

from rich.console import Console
from rich.table import Table

from praxis.runtime.demo.api import Json

COLUMNS = {"time": 12, "lag": 8, "service": 10, "step": 9, "event": 34, "event id": 36, "by": 30}
"""Heading -> least width."""
WIDE = 180
"""Columns of a page that is no terminal: enough for one line per step."""


def show_trace(console: Console, trace: Json) -> None:
    """Print the steps of a trace, oldest first; times are UTC, a lag is from an event to its effect."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    table = Table(title=f"story {trace['story_id']}")
    for name, width in COLUMNS.items():
        table.add_column(name, overflow="fold", min_width=width if console.width >= WIDE else None)
    for step in trace["steps"]:
        table.add_row(*_cells(step), style="dim" if step["kind"] == "effect" else None)
    console.print(table)


def _cells(step: Json) -> tuple[str, ...]:
    lag = "" if step["lag_ms"] is None else f"{step['lag_ms']} ms"
    event = step["subject"].removeprefix("praxis.")
    actor = " ".join(filter(None, (step["actor_name"], step["actor"])))
    at = datetime.fromisoformat(step["at"])
    return f"{at:%H:%M:%S.%f}"[:-3], lag, step["service"], step["kind"], event, step["event_id"], actor
