"""What code says about itself: docstrings are there, rules they cite exist, and nothing is left for later."""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.source import EVERYTHING, PRODUCT, ROOT, Function, Source, sources

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|WIP)\b|(#|^[^'\"]*)\bfor now\b"
    r"|\b(placeholder|not implemented|not yet implemented|coming soon|NotImplementedError)\b"
)
MACHINE = re.compile(r"(?<![\w.])/(work|home|root)/\w")
RULE = re.compile(r"\brule ([A-Z]+-\d+)")
RULE_DEFINITION = re.compile(r"^\| *([A-Z]+-\d+) *\|", re.M)
SELF = "tests/architecture/test_words.py"


def undocumented(files: Iterable[Source]) -> list[str]:
    """Return public classes, functions and methods without a docstring; `__init__` needs none."""
    found = []
    for file in files:
        if "/migrations/" not in file.path:
            found += [file.at(node.lineno, node.name) for node in _public(file.syntax) if not ast.get_docstring(node)]
    return found


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def unfinished(files: Iterable[Source]) -> list[str]:
    found = []
    for file in files:
        for number, line in enumerate(file.text.splitlines(), 1):
            if UNFINISHED.search(line) or MACHINE.search(line):
                found.append(file.at(number, line.strip()))
    return found


def unknown_rules(files: Iterable[Source], known: set[str]) -> list[str]:
    return [
        file.at(1, f"cites rule {rule}, which docs/rules does not have")
        for file in files
        for text in file.docstrings
        for rule in RULE.findall(text)
        if rule not in known
    ]


def known_rules() -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "docs/rules").glob("*.md"))]
    return [rule for text in texts for rule in RULE_DEFINITION.findall(text)]


def pages() -> Iterator[Source]:
    """Yield the hand-written pages of the tree."""
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        yield Source(str(path.relative_to(ROOT)), path.read_text("utf-8"))


def test_everything_public_says_what_it_is():
    assert undocumented(sources(*PRODUCT)) == []


def test_nothing_is_left_for_later():
    assert [line for line in unfinished([*sources(*EVERYTHING), *pages()]) if not line.startswith(SELF)] == []


def test_every_cited_rule_exists_once():
    known = known_rules()
    assert sorted(set(known)) == sorted(known)
    assert unknown_rules(sources(*PRODUCT, "tests"), set(known)) == []


@pytest.mark.parametrize(
    "code", ["def f(): ...", "class A: ...", 'class A:\n    """A."""\n    def f(self): ...', "async def f(): ..."]
)
def test_a_public_thing_without_a_docstring_is_caught(code: str):
    assert undocumented([Source("services/a/b.py", code)])
    assert not undocumented(
        [Source("services/a/b.py", code.replace("f(", "_f(").replace("class A: ...", "class _A: ..."))]
    )


@pytest.mark.parametrize(
    "line",
    [
        "# TODO later",
        "x = 1  # for now",
        "    Good enough for now.",
        "raise NotImplementedError",
        "open('/home/somebody/x')",
    ],
)
def test_an_unfinished_line_is_caught(line: str):
    assert unfinished([Source("services/a/b.py", line)])


def test_a_cited_rule_that_does_not_exist_is_caught():
    cited = Source("services/a/b.py", '"""Follow rule ABC-99999."""')
    assert unknown_rules([cited], {"ABC-1"})
    assert not unknown_rules([cited], {"ABC-99999"})
