"""How PostgreSQL would answer a query: EXPLAIN as the app role, on tables that hold enough rows to matter."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler

from praxis.kit.testing import PracticeUnderTest
from praxis.kit.unit_of_work import Session
from tests.support.servers import Servers

Question = tuple[str, Sequence[Any]]
"""A statement and its arguments."""


class Asked:
    """Stands where a session stands and keeps the statements instead of running them; every answer is empty."""

    def __init__(self) -> None:
        self.statements: list[Question] = []

    async def all(self, statement: ClauseElement) -> list[Any]:
        asked = cast(SQLCompiler, statement.compile(dialect=dialect())).construct_expanded_state()
        self.statements.append((asked.statement, asked.positional_parameters))
        return []

    scalars = all

    async def one_or_none(self, statement: ClauseElement) -> None:
        await self.all(statement)

    scalar = one_or_none

    @property
    def session(self) -> Session:
        return cast(Session, self)


async def copy_rows(practice: PracticeUnderTest, table: str, source: str, **changes: str) -> None:
    """Insert the row `it` of `table` again for each row of `source`, with columns changed to SQL expressions."""
    changed = ", ".join(f"'{column}', {expression}" for column, expression in changes.items())
    await practice.sql(
        f"insert into {table} select (jsonb_populate_record(it, jsonb_build_object({changed}))).* from {table} it, {source}"
    )


async def analyze(servers: Servers, service: str) -> None:
    """Let PostgreSQL count what the service's tables hold."""
    owner = await asyncpg.connect(f"{servers.admin_dsn.rsplit('/', 1)[0]}/{service}")
    await owner.execute("analyze")
    await owner.close()


async def conditions(practice: PracticeUnderTest, question: Question) -> tuple[str, str]:
    """Return the index conditions and the filters of the plan; no table may be read from end to end."""
    sql, arguments = question
    async with practice.session() as session:
        plan = await session.driver.fetchval(f"explain (format json) {sql}", *arguments)
    nodes = list(_nodes(plan[0]["Plan"]))
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    index, rest = ("; ".join(node.get(part, "") for node in nodes) for part in ("Index Cond", "Filter"))
    return index, rest


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)
