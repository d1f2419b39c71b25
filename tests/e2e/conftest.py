"""One whole installation for all end-to-end tests, which therefore stay on one worker."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from praxis.runtime.demo.api import Api
from praxis.runtime.demo.checks import Checks
from praxis.runtime.demo.seed import House, set_up
from praxis.runtime.demo.visit import Walked, walk_first_visit, walk_second_visit
from tests.support.stack import RunningStack, running_stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Return a running installation with an empty demo practice."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def api(stack: RunningStack) -> Iterator[Api]:
    """Return the public API as the demo practice's people use it."""
    with Api(stack.url, stack.keys) as api:
        yield api


@pytest.fixture(scope="session")
def demo(api: Api) -> House:
    """Return the demo practice, set up."""
    return set_up(api)


@pytest.fixture(scope="session")
def checks() -> Checks:
    """Return the checks that the walks made."""
    return Checks(Console(file=io.StringIO()))


@pytest.fixture(scope="session")
def first(api: Api, demo: House, checks: Checks) -> Walked:
    """Return the visit that went well."""
    return walk_first_visit(api, demo, checks)


@pytest.fixture(scope="session")
def second(api: Api, demo: House, checks: Checks, first: Walked) -> Walked:
    """Return the visit with a cancelled booking, a correction and a shortage."""
    return walk_second_visit(api, demo, checks)
