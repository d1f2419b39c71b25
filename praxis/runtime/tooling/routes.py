"""Where each route's code is: `python -m praxis.runtime.tooling.routes` prints METHOD PATH -> file:line, sorted by path."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Route

from praxis.runtime.tooling.printing import print_lines
from praxis.runtime.tooling.tree import ROOT, applications


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One method of one route and where its endpoint begins."""

    path: str
    method: str
    publisher: str
    file: str
    line: int


def routes_of(app: FastAPI) -> Iterator[BaseRoute]:
    """Yield every route of an application, those of its included routers too."""
    return (context.original_route for context in iter_route_contexts(app.routes))


def places() -> list[Place]:
    """Return every route of every publisher in the tree, by path."""
    with applications() as built:
        return sorted(
            _place(application.publisher, route, method)
            for application in built
            for route in routes_of(application.app)
            if isinstance(route, Route)
            for method in sorted((route.methods or {"ANY"}) - {"HEAD"})
        )


def _place(publisher: str, route: Route, method: str) -> Place:
    endpoint: Any = inspect.unwrap(route.endpoint)
    code = endpoint if hasattr(endpoint, "__code__") else type(endpoint)
    file = Path(inspect.getsourcefile(code) or "")
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return Place(route.path, method, publisher, str(shown), inspect.getsourcelines(code)[1])


def main() -> None:
    """Print the table; what every publisher has stands once."""
    lines = dict.fromkeys((place.method, place.path, f"{place.file}:{place.line}") for place in places())
    width = max(len(path) for _, path, _ in lines)
    print_lines(f"{method:<6} {path:<{width}} -> {place}" for method, path, place in lines)


if __name__ == "__main__":
    main()
