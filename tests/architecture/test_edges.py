"""One place commits, one place knows the time, one place imports by name."""

import ast
import re
from collections.abc import Iterable

import pytest

from tests.architecture.source import PRODUCT, Source, sources

CLOCKS = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime))$")
CLOCK_PLACES = ("praxis/kit/clock.py", "praxis/kit/ids.py", "praxis/runtime")
"""kit.ids puts the time into every UUIDv7."""
SQL_CLOCK = re.compile(
    r"\b(now\(\)|current_timestamp|current_date|localtimestamp|clock_timestamp|statement_timestamp)", re.I
)
SQL_COMMIT = re.compile(r"(^|;)\s*(commit|end|rollback|savepoint)\b\s*(transaction|work)?\s*(;|$)", re.I)
BY_NAME_PLACES = ("praxis/runtime", "praxis/kit/migrations.py", "praxis/kit/testing")
BY_NAME = {"__import__", "import_module", "importlib.import_module", "find_spec", "importlib.util.find_spec"}


def commits(files: Iterable[Source]) -> list[str]:
    found = []
    for file in files:
        if file.is_under("praxis/kit"):
            continue
        found += [
            file.at(line, name) for name, line in file.calls if re.search(r"\.(commit|rollback|begin_nested)$", name)
        ]
        found += [file.at(line, text) for text, line in file.strings if SQL_COMMIT.search(text)]
    return found


def wall_clocks(files: Iterable[Source]) -> list[str]:
    found = []
    for file in files:
        if file.is_under(*CLOCK_PLACES):
            continue
        found += [file.at(line, name) for name, line in file.calls if CLOCKS.search(name)]
        found += [file.at(line, "SQL asks for the time") for text, line in file.strings if SQL_CLOCK.search(text)]
    return found


def imports_by_name(files: Iterable[Source]) -> list[str]:
    found = []
    for file in files:
        if file.is_under(*BY_NAME_PLACES):
            continue
        found += [file.at(line, name) for name, line in file.calls if name in BY_NAME]
        found += [file.at(node.lineno, "importlib") for node in file.nodes if _imports_importlib(node)]
    return found


def _imports_importlib(node: ast.AST) -> bool:
    """Tell whether a statement imports importlib or a part of it that imports; metadata does not."""
    if isinstance(node, ast.Import):
        return any(re.fullmatch(r"importlib(\.(?!metadata).*)?", alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module == "importlib":
        return any(alias.name != "metadata" for alias in node.names)
    return (
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("importlib.")
        and node.module != "importlib.metadata"
    )


def test_only_the_kit_ends_transactions():
    assert commits(sources(*PRODUCT)) == []


def test_only_the_clock_reads_the_time():
    assert wall_clocks(sources(*PRODUCT)) == []


def test_only_the_runtime_imports_by_name():
    assert imports_by_name(sources(*PRODUCT)) == []


@pytest.mark.parametrize(
    "code", ["await session.commit()", "await driver.execute('COMMIT')", "run('begin; x; rollback')"]
)
def test_a_commit_outside_the_kit_is_caught(code: str):
    assert commits([Source("services/a/b/commands.py", f"async def f(session):\n    {code}\n")])
    assert not commits([Source("praxis/kit/unit_of_work.py", f"async def f(session):\n    {code}\n")])


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "time.time()",
        "text('select now()')",
        "x('current_date')",
    ],
)
def test_a_look_at_the_wall_clock_is_caught(code: str):
    assert wall_clocks([Source("services/a/b/commands.py", code)])
    assert not wall_clocks([Source("praxis/kit/clock.py", code)])


@pytest.mark.parametrize(
    "code", ["import importlib", "from importlib import import_module", "import importlib.util", "__import__('os')"]
)
def test_an_import_by_name_is_caught(code: str):
    assert imports_by_name([Source("services/a/app.py", code)])
    assert not imports_by_name([Source("services/a/app.py", "from importlib import metadata")])
