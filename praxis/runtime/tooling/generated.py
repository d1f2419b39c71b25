"""The files that are made from code and committed: `python -m praxis.runtime.tooling.generated [--check]`.

JSON Schemas of events, OpenAPI documents and the pages of docs/events. With `--check` nothing is written and a difference fails.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from praxis.runtime.tooling import events, openapi, schemas
from praxis.runtime.tooling.tree import ROOT

OWNED = ("praxis/contracts/schemas/*.v[0-9]*.json", "docs/openapi/*.json", "docs/events/*.md")
"""Where generated files live; what matches and is not generated any more is removed. Golden payloads are written by hand."""


def documents() -> dict[Path, str]:
    """Return path -> text of every generated file."""
    return {**schemas.documents(), **openapi.documents(), **events.documents()}


def strays(wanted: Mapping[Path, str], root: Path = ROOT) -> Iterator[Path]:
    """Yield committed files whose source is gone."""
    for pattern in OWNED:
        for path in sorted(root.glob(pattern)):
            if path.relative_to(root) not in wanted and not path.name.endswith(".golden.json"):
                yield path


def differences(wanted: Mapping[Path, str], root: Path = ROOT) -> list[str]:
    """Return what `write` would change, one line each."""
    stale = [str(path) for path, text in wanted.items() if not _holds(root / path, text)]
    return [*stale, *(f"{path.relative_to(root)} (has no source any more)" for path in strays(wanted, root))]


def write(wanted: Mapping[Path, str], root: Path = ROOT) -> None:
    """Write what differs and remove what has no source any more."""
    for path, text in wanted.items():
        if not _holds(root / path, text):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
    for path in strays(wanted, root):
        path.unlink()


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def main(arguments: list[str]) -> int:
    """Write, or with `--check` compare; return the exit code."""
    wanted = documents()
    found = differences(wanted)
    checking = "--check" in arguments
    if not checking:
        write(wanted)
    for line in found:
        print(f"{'out of date' if checking else 'written'}: {line}")
    if checking and found:
        print("Run `make openapi` and commit what it writes.")
    return 1 if checking and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
