"""Every slice has the same files, and opens the same three of them to its siblings."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.source import ROOT, Source, sources

FILES = frozenset({"domain", "schemas", "models", "queries", "commands", "api", "fhir", "consumers", "jobs", "engine"})
BESIDE_SLICES = frozenset({"__init__", "app", "settings", "db", "seed"})
EDGE_OF_THE_GATEWAY = frozenset(
    {"addresses", "answer_fields", "doorkeeper", "kept", "public", "rates", "readiness", "services"}
)
"""What stands around every request at the gateway and keeps no table; beside it `gateway/proxy`, which is no slice either."""
NO_SLICES = BESIDE_SLICES | EDGE_OF_THE_GATEWAY | {"proxy", "migrations", "__pycache__"}
SHARED = frozenset({"domain", "queries", "commands"})
NAMELESS = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "tools", "lib", "stuff"}
)


def publishers(root: Path) -> Iterator[Path]:
    """Yield the folders that hold slices: each service and the gateway."""
    candidates = [*sorted((root / "services").iterdir()), root / "gateway"]
    return (folder for folder in candidates if folder.is_dir() and folder.name != "__pycache__")


def slices(root: Path) -> Iterator[Path]:
    for publisher in publishers(root):
        for folder in sorted(publisher.iterdir()):
            if folder.is_dir() and folder.name not in NO_SLICES:
                yield folder


def strange_files(root: Path) -> list[str]:
    """Return what lies in a slice or beside one and has no business there."""
    found = []
    for publisher in publishers(root):
        expected = BESIDE_SLICES | (EDGE_OF_THE_GATEWAY if publisher.name == "gateway" else set())
        found += [path for path in sorted(publisher.glob("*.py")) if path.stem not in expected]
    for folder in slices(root):
        found += [
            path for path in folder.iterdir() if path.name != "__pycache__" and path.stem not in FILES | {"__init__"}
        ]
        found += [] if (folder / "__init__.py").exists() else [folder / "__init__.py (missing)"]
    return [str(path.relative_to(root)) for path in found]


def nameless_files(files: Iterable[Source]) -> list[str]:
    return [file.path for file in files if NAMELESS & {*Path(file.path).parts[:-1], Path(file.path).stem}]


def private_imports(files: Iterable[Source]) -> list[str]:
    """Return imports of a sibling slice's models, schemas, api, consumers, jobs or engine."""
    found = []
    for file in files:
        own = slice_of(file.path)
        for module, line in imported_modules(file):
            other = slice_of(module.replace(".", "/") + "/")
            if own and other and own != other and _part_of(module) not in SHARED:
                found.append(file.at(line, f"imports {module}, which is not shared"))
    return found


def slice_of(path: str) -> str | None:
    """Return `services/staff/people` or `gateway/identity`, or None for what is in no slice."""
    parts = path.split("/")
    depth = {"services": 3, "gateway": 2}.get(parts[0], 0)
    return "/".join(parts[:depth]) if depth and len(parts) > depth and parts[depth - 1] not in NO_SLICES else None


def _part_of(module: str) -> str:
    parts = module.split(".")
    return (
        parts[{"services": 3, "gateway": 2}[parts[0]]] if len(parts) > {"services": 3, "gateway": 2}[parts[0]] else ""
    )


def imported_modules(file: Source) -> Iterator[tuple[str, int]]:
    """Yield every imported module; `from services.staff.people import queries` counts as the module `...people.queries`."""
    for node in file.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            is_slice = slice_of(node.module.replace(".", "/") + "/") == node.module.replace(".", "/")
            yield from ((f"{node.module}.{a.name}" if is_slice else node.module, node.lineno) for a in node.names)


def test_a_slice_holds_only_the_files_that_every_slice_may_have():
    assert strange_files(ROOT) == []


def test_no_file_is_named_for_nothing_in_particular():
    assert nameless_files(sources("praxis", "services", "gateway", "tests")) == []


def test_a_slice_uses_only_queries_commands_and_domain_of_its_siblings():
    assert private_imports(sources("services", "gateway")) == []


def test_a_strange_file_in_a_slice_is_caught(tmp_path: Path):
    for path in ("services/staff/people/__init__.py", "services/staff/people/mappers.py", "services/staff/wiring.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "gateway").mkdir()
    assert strange_files(tmp_path) == ["services/staff/wiring.py", "services/staff/people/mappers.py"]


def test_a_nameless_file_is_caught():
    assert nameless_files([Source("services/staff/people/utils.py", ""), Source("tests/helpers/x.py", "")])


def test_an_import_of_a_siblings_models_is_caught():
    code = "from services.staff.people.models import StaffMember\nfrom services.staff.people import api\n"
    assert len(private_imports([Source("services/staff/credentials/queries.py", code)])) == 2
    assert not private_imports([Source("services/staff/people/queries.py", code)])
    assert not private_imports([Source("services/staff/app.py", code)])
    shared = "from services.staff.people import queries\nfrom services.staff.people.domain import X\n"
    assert not private_imports([Source("services/staff/credentials/commands.py", shared)])
