"""What must hold after a walk: each check is one line, and one that does not hold fails the command."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from praxis.kit.permissions import ASSISTANT, BILLER
from praxis.runtime.demo.api import Api, Json
from praxis.runtime.demo.seed import House
from praxis.runtime.state import RuntimeProblem

INSURANCE_RECEIVABLE = "1100"
REVENUE = "4000"


class ChecksFailed(RuntimeProblem):
    """Something did not come out as it must."""


class Checks:
    """Checks of one run, printed as they are made; `failed` names those that do not hold."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.failed: list[str] = []

    def tell(self, step: str) -> None:
        """Print a step that was done."""
        self._console.print(f"  [dim]{escape(step)}[/dim]", highlight=False)

    def expect(self, what: str, seen: Any, expected: Any) -> None:
        """Check that what is seen is what must be."""
        if seen == expected:
            self._console.print(f"  [green]holds[/green] {escape(what)}", highlight=False)
            return
        self.failed.append(what)
        self._console.print(
            f"  [red]FAILS[/red] {escape(what)}: {escape(str(seen))}, not {escape(str(expected))}", highlight=False
        )

    def conclude(self) -> None:
        """Raise ChecksFailed when a check did not hold."""
        if self.failed:
            raise ChecksFailed(f"{len(self.failed)} checks do not hold: {'; '.join(self.failed)}")


def stock_lines(api: Api, demo: House, sku: str) -> list[Json]:
    """Return what lies of an item in each lot, first expired first."""
    return list(api.every(ASSISTANT, "/v1/stock", item_id=demo.items[sku]))


def first_expired(stock: Sequence[Json], quantity: int) -> dict[str, int]:
    """Return lot id -> units that first expired, first out takes of this stock (ordered by expiry) for `quantity` units."""
    picks = {}
    for line in stock:
        units = min(line["on_hand"], quantity)
        if units:
            picks[line["lot_id"]] = units
            quantity -= units
    return picks


def used_lots(usage: Json, item_id: str) -> dict[str, int]:
    """Return lot id -> units of an item that a visit used up."""
    return {line["lot_id"]: line["quantity"] for line in usage["lines"] if line["item_id"] == item_id}


def on_hand(stock: Sequence[Json]) -> int:
    """Return the units in all lots."""
    return sum(line["on_hand"] for line in stock)


def entries_of(api: Api, source_id: str) -> list[Json]:
    """Return the ledger entries of a source, oldest first."""
    return list(api.every(BILLER, "/v1/ledger/entries", source_id=source_id))


def is_balanced(entry: Json) -> bool:
    """Tell whether an entry's debits equal its credits and are not zero."""
    debits, credits = (sum(posting[side] for posting in entry["postings"]) for side in ("debit_cents", "credit_cents"))
    return bool(debits == credits > 0)


def earned_cents(entries: Sequence[Json]) -> int:
    """Return what these entries add to revenue: credits less debits."""
    postings = [posting for entry in entries for posting in entry["postings"] if posting["account"] == REVENUE]
    return sum(posting["credit_cents"] - posting["debit_cents"] for posting in postings)


def expect_books_balanced(api: Api, checks: Checks) -> None:
    """Check that the whole ledger has as many debits as credits."""
    checks.expect("the trial balance is zero", api.get(BILLER, "/v1/ledger/trial-balance")["balance_cents"], 0)
