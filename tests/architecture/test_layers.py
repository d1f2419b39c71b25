"""Each import-linter contract of pyproject.toml holds, and fails when a bad import is planted."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import PRODUCT, ROOT
from tests.architecture.test_slices import slices

LINT = Path(sys.executable).with_name("lint-imports")

PLANTS = {
    "layers": [
        ("praxis/kit/money.py", "from praxis.runtime import state"),
        ("praxis/contracts/staff.py", "from praxis.kit import ids"),
        ("services/staff/people/queries.py", "from praxis.runtime import state"),
        ("services/staff/app.py", "import gateway"),
    ],
    "services": [("services/staff/people/queries.py", "import services.billing")],
    "slices": [
        ("services/staff/people/domain.py", "from services.staff.people import schemas"),
        ("services/staff/people/queries.py", "from services.staff.people import commands"),
        ("services/staff/people/mappers.py", "WIDTH = 1"),
    ],
    "rings": [
        ("services/staff/people/queries.py", "from services.staff.credentials import domain as other"),
    ],
    "domain": [
        ("services/staff/people/domain.py", "import sqlalchemy"),
        ("services/staff/people/domain.py", "from praxis.kit.unit_of_work import Session"),
    ],
    "engines": [("services/staff/people/engine.py", "from praxis.kit import ids")],
    "testing": [("services/staff/app.py", "from praxis.kit.testing import Harness")],
}
RING = ("services/staff/credentials/queries.py", "from services.staff.people import domain as other")


def settings() -> list[dict[str, Any]]:
    """Return the contracts as pyproject.toml states them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


def lint(root: Path, *chosen: str) -> subprocess.CompletedProcess[str]:
    limits = [option for contract in chosen for option in ("--contract", contract)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [str(LINT), "--no-logo", *limits]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree that a test may break."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in PRODUCT:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    result = lint(root)
    assert result.returncode == 0, result.stdout
    return root


@contextmanager
def planted(root: Path, *plants: tuple[str, str]) -> Iterator[None]:
    before = {path: (root / path).read_text("utf-8") if (root / path).exists() else None for path, _ in plants}
    for path, line in plants:
        (root / path).write_text(f"{before[path] or ''}\n{line}\n", "utf-8")
    try:
        yield
    finally:
        for path, text in before.items():
            if text is None:
                (root / path).unlink()
            else:
                (root / path).write_text(text, "utf-8")


def test_every_contract_holds(copy: Path):
    assert lint(copy).returncode == 0


def test_every_contract_has_a_plant():
    assert sorted(PLANTS) == sorted(contract["id"] for contract in settings())


def test_every_slice_of_the_gateway_is_held_to_the_layers():
    [containers] = [contract["containers"] for contract in settings() if contract["id"] == "slices"]
    listed = {name.removeprefix("gateway.") for name in containers if name.startswith("gateway.")}
    assert listed == {folder.name for folder in slices(ROOT) if folder.parent.name == "gateway"}


@pytest.mark.parametrize(
    ("contract", "path", "line"), [(contract, *plant) for contract, plants in PLANTS.items() for plant in plants]
)
def test_a_planted_import_breaks_its_contract(copy: Path, contract: str, path: str, line: str):
    plants = [(path, line), RING] if contract == "rings" else [(path, line)]
    with planted(copy, *plants):
        result = lint(copy, contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout, result.stdout + result.stderr
