"""No floating point near money or quantities."""

import ast
import re
from collections.abc import Iterable

import pytest

from tests.architecture.source import PRODUCT, Source, sources

MONEY_PLACES = ("services/billing", "services/inventory", "praxis/kit/money.py", "praxis/contracts")
COUNTED = re.compile(r"(_cents|_micros|quantity|units|on_hand)$")


def floats(files: Iterable[Source]) -> list[str]:
    """Return float literals and the name `float` in money's places, and true divisions of counted things everywhere."""
    found = []
    for file in files:
        for node in file.nodes:
            if file.is_under(*MONEY_PLACES) and _is_float(node):
                found.append(file.at(node.lineno, "float"))  # type: ignore[attr-defined]  # _is_float admits expressions alone
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Div)
                and (_is_counted(node.left) or _is_counted(node.right))
            ):
                found.append(file.at(node.lineno, "/ makes a float of a counted thing: use // or kit.money"))
    return found


def _is_float(node: ast.AST) -> bool:
    literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return literal or (isinstance(node, ast.Name) and node.id == "float")


def _is_counted(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(COUNTED.search(name))


def test_money_and_quantities_never_meet_a_float():
    assert floats(sources(*PRODUCT)) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("services/billing/charges/domain.py", "rate = 0.5"),
        ("services/inventory/stock/domain.py", "def f(x: float) -> None: ..."),
        ("praxis/kit/money.py", "float('1')"),
        ("services/staff/people/domain.py", "half = total_cents / 2"),
        ("services/scheduling/visits/domain.py", "share = row.quantity / 3"),
    ],
)
def test_a_float_near_money_is_caught(path: str, code: str):
    assert floats([Source(path, code)])


def test_a_float_far_from_money_is_not():
    assert not floats([Source("praxis/kit/jobs.py", "wait = 0.5 / 2")])
