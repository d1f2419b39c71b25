"""The tree as text and syntax, for rules that read code instead of running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("praxis", "services", "gateway")
EVERYTHING = (*PRODUCT, "bench", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: `path` from the root of the tree, and its text."""

    path: str
    text: str

    @cached_property
    def syntax(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.syntax))

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def docstrings(self) -> list[str]:
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = (ast.get_docstring(node) for node in self.nodes if isinstance(node, documented))
        return [text for text in found if text]

    @cached_property
    def calls(self) -> list[tuple[str, int]]:
        """Return each call's dotted name, such as `session.commit`, with its line."""
        return [(dotted(node.func), node.lineno) for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def strings(self) -> list[tuple[str, int]]:
        """Return every text constant that is no docstring, with its line."""
        prose = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        constants = (node for node in self.nodes if isinstance(node, ast.Constant) and id(node) not in prose)
        return [(node.value, node.lineno) for node in constants if isinstance(node.value, str)]

    def is_under(self, *places: str) -> bool:
        """Tell whether this is one of the files or lies in one of the folders."""
        return any(self.path == place or self.path.startswith(f"{place.rstrip('/')}/") for place in places)

    def at(self, line: int, message: str) -> str:
        """Return one finding as an editor can open it."""
        return f"{self.path}:{line}: {message}"


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a name or attribute, as much of its end as has names."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def sources(*folders: str) -> Iterator[Source]:
    """Yield every Python file of `folders`, sorted."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(str(path.relative_to(ROOT)), path.read_text("utf-8"))
