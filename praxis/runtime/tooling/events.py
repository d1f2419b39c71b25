"""Who announces what to whom: `python -m praxis.runtime.tooling.events` prints it, docs/events shows it with every field."""

from pathlib import Path

from pydantic.fields import FieldInfo

from praxis.contracts.event import Event, publisher_of
from praxis.kit.settings import PUBLISHERS
from praxis.runtime.tooling.printing import print_lines
from praxis.runtime.tooling.tree import consumers, events

FOLDER = Path("docs/events")


def documents() -> dict[Path, str]:
    """Return path -> text of one page per publisher."""
    heard = consumers()
    return {FOLDER / f"{publisher}.md": page(publisher, heard) for publisher in PUBLISHERS}


def page(publisher: str, heard: dict[str, list[str]]) -> str:
    """Return the page of one publisher: each event, who consumes it, its fields."""
    own = [event for subject, event in events().items() if publisher_of(subject) == publisher]
    head = f"# Events of {publisher}\n\nMade from `praxis/contracts/{publisher}.py` by `make events`.\n"
    return "\n".join([head, *(_section(event, heard[event.TYPE]) for event in own)])


def _section(event: type[Event], heard: list[str]) -> str:
    fields = "\n".join(_row(name, field) for name, field in event.model_fields.items())
    listeners = ", ".join(f"`{name}`" for name in heard) or "nobody in this tree"
    doc = " ".join((event.__doc__ or "").split())
    return (
        f"## {event.TYPE}\n\n{doc}\n\nAggregate: `{event.AGGREGATE}`. Consumed by: {listeners}.\n\n"
        f"| field | type |\n|---|---|\n{fields}\n"
    )


def _row(name: str, field: FieldInfo) -> str:
    shown = str(field.annotation) if not isinstance(field.annotation, type) else field.annotation.__name__
    if getattr(field.annotation, "__args__", None):
        shown = str(field.annotation)
    short = shown.replace("typing.", "").replace("datetime.", "").replace("uuid.", "")
    short = short.replace("praxis.contracts.", "").replace("|", "\\|")
    return f"| `{name}` | {short} |"


def main() -> None:
    """Print subject -> publisher -> consumers, one line each."""
    heard = consumers()
    width = max(map(len, heard))
    print_lines(
        f"{subject:<{width}} -> {publisher_of(subject):<10} -> {', '.join(names) or '-'}"
        for subject, names in heard.items()
    )


if __name__ == "__main__":
    main()
