"""The ledger: balanced, chained, only ever added to; the database refuses everything else, even to its owner."""

import asyncpg
import pytest

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness, PracticeUnderTest
from praxis.kit.unit_of_work import Cause as UnitCause
from praxis.kit.unit_of_work import Session
from services.billing.ledger.commands import post_entry, reverse_entry
from services.billing.ledger.domain import ACCOUNTS, GENESIS, AlreadyPosted, Cause, Side, charged, entry_hash
from services.billing.ledger.queries import entries, trial_balance

MAKE_ENTRY = """
with entry as (
    insert into ledger_entries (id, number, accounting_on, source_type, source_id, purpose, currency, total_cents,
                                posting_count, posted_at, prev_hash, hash)
    values ($1, $2, '2027-02-01', 'test', $1, 'test', 'USD', $3, $4, '2027-02-01T14:00:00Z', $5, $5)
)
insert into ledger_postings (entry_id, position, account, debit_cents, credit_cents)
select $1, p.* from unnest($6::int[], $7::text[], $8::bigint[], $9::bigint[]) p
"""


async def make_entry(
    practice: PracticeUnderTest, sides: list[tuple[str, int, int]], total: int = 500, count: int | None = None
):
    """Write an entry by plain SQL, past every check but the database's."""
    accounts, debits, credits = ([list(column) for column in zip(*sides, strict=True)]) if sides else ([], [], [])
    wanted = len(sides) if count is None else count
    entry_id, positions = new_id(), list(range(1, len(sides) + 1))
    await practice.sql(MAKE_ENTRY, entry_id, 1, total, wanted, bytes(32), positions, accounts, debits, credits)
    return entry_id


async def posted(practice: PracticeUnderTest, cents: int = 500) -> Cause:
    """Post one charge and return its cause."""
    cause = Cause("charge-sheet", new_id(), "signed-1")
    async with practice.session() as session:
        await post_entry(session, cause, charged("1100", cents), cause.source_id)
    return cause


async def test_a_balanced_entry_by_sql_is_accepted(billing: Harness):
    practice = await billing.practice()
    await make_entry(practice, [("1100", 500, 0), ("4000", 0, 300), ("4930", 0, 200)])
    assert len(await practice.sql("select * from ledger_postings")) == 3


@pytest.mark.parametrize(
    ("sides", "total", "count"),
    [
        ([("1100", 500, 0), ("4000", 0, 499)], 500, 2),
        ([("1100", 500, 0), ("4000", 0, 500)], 400, 2),
        ([("1100", 500, 0), ("4000", 0, 500)], 500, 3),
        ([("1100", 500, 0)], 500, 1),
        ([("1100", 500, 0)], 500, 2),
        ([], 500, 2),
        ([("1100", 500, 500), ("4000", 500, 500)], 1000, 2),
        ([("1100", 0, 0), ("1100", 500, 0), ("4000", 0, 500)], 500, 3),
        ([("1100", -500, 0), ("4000", 0, -500)], 500, 2),
        ([("1234", 500, 0), ("4000", 0, 500)], 500, 2),
    ],
)
async def test_the_database_refuses_an_entry_that_does_not_balance(billing: Harness, sides, total, count):
    practice = await billing.practice()
    with pytest.raises(asyncpg.CheckViolationError):
        await make_entry(practice, sides, total, count)
    assert await practice.sql("select * from ledger_entries") == []


async def test_postings_cannot_be_added_to_an_old_entry_even_when_they_balance(billing: Harness):
    practice = await billing.practice()
    entry_id = await make_entry(practice, [("1100", 500, 0), ("4000", 0, 500)])
    with pytest.raises(asyncpg.CheckViolationError):
        await practice.sql(
            "insert into ledger_postings (entry_id, position, account, debit_cents, credit_cents) "
            "values ($1, 3, '1010', 7, 0), ($1, 4, '1100', 0, 7)",
            entry_id,
        )


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_postings", "signed_charges", "claim_lines"])
@pytest.mark.parametrize(
    "statement", ["delete from {}", "truncate {} cascade", "update {} set practice_id = practice_id"]
)
async def test_what_was_written_cannot_be_changed_even_by_the_owner(billing: Harness, table, statement):
    practice = await billing.practice()
    await make_entry(practice, [("1100", 500, 0), ("4000", 0, 500)])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await practice.sql(statement.format(table))
    if table.startswith("ledger") or statement.startswith("truncate"):
        owner = await asyncpg.connect(billing.settings.role_dsn("migrate"))
        try:
            with pytest.raises(asyncpg.RestrictViolationError):
                await owner.execute(statement.format(table))
        finally:
            await owner.close()


async def test_a_source_is_posted_once_for_each_purpose(billing: Harness):
    practice = await billing.practice()
    cause = await posted(practice)

    async def post_again(session: Session) -> None:
        await post_entry(session, cause, charged("1100", 500), cause.source_id)

    with pytest.raises(AlreadyPosted):
        await billing.parts.unit_of_work.run(UnitCause(practice.actor("biller"), "test"), post_again)
    assert len(await practice.sql("select * from ledger_entries")) == 1


async def test_a_reversal_posts_the_exact_opposite_and_leaves_the_original(billing: Harness):
    practice = await billing.practice()
    cause = await posted(practice, 1234)
    async with practice.session() as session:
        await reverse_entry(session, cause, "voided-1", cause.source_id)
    async with practice.session() as session:
        first, second = await entries(session, cause.source_id, None, 10)
        balance = await trial_balance(session, None)
    sides = [[(p.account, p.debit_cents, p.credit_cents) for p in entry.postings] for entry in (first, second)]
    assert sides == [[("1100", 1234, 0), ("4000", 0, 1234)], [("1100", 0, 1234), ("4000", 1234, 0)]]
    assert [(a.account, a.balance_cents) for a in balance.accounts] == [("1100", 0), ("4000", 0)]
    assert (balance.debit_cents, balance.credit_cents) == (2468, 2468)


async def test_a_reversal_of_nothing_posts_nothing(billing: Harness):
    practice = await billing.practice()
    with pytest.raises(ValueError, match="two or more"):
        async with practice.session() as session:
            await reverse_entry(session, Cause("charge-sheet", new_id(), "signed-1"), "voided-1", new_id())
    assert await practice.sql("select * from ledger_entries") == []


async def test_the_chain_can_be_computed_again_from_what_is_stored(billing: Harness):
    practice = await billing.practice()
    for cents in (100, 200, 300):
        await posted(practice, cents)
    previous = GENESIS
    for entry in (await practice.get("/v1/ledger/entries")).json()["items"]:
        rows = await practice.sql(
            "select account, debit_cents, credit_cents from ledger_postings where entry_id = $1 order by position",
            entry["id"],
        )
        [stored] = await practice.sql("select * from ledger_entries where id = $1", entry["id"])
        sides = [Side(row["account"], row["debit_cents"], row["credit_cents"]) for row in rows]
        cause = Cause(stored["source_type"], stored["source_id"], stored["purpose"])
        previous = entry_hash(previous, stored["number"], stored["accounting_on"], cause, stored["currency"], sides)
        assert entry["hash"] == previous.hex()


async def test_a_trial_balance_through_a_day_leaves_later_entries_out(billing: Harness):
    practice = await billing.practice()
    await posted(practice, 100)
    practice.clock.advance(days=1)
    await posted(practice, 900)
    earlier = (await practice.get("/v1/ledger/trial-balance?through=2027-02-01")).json()
    assert [(a["account"], a["balance_cents"]) for a in earlier["accounts"]] == [("1100", 100), ("4000", -100)]
    assert (await practice.get("/v1/ledger/trial-balance")).json()["debit_cents"] == 1000


async def test_entries_are_paged_by_number(billing: Harness):
    practice = await billing.practice()
    for cents in (100, 200, 300):
        await posted(practice, cents)
    first = (await practice.get("/v1/ledger/entries?limit=2")).json()
    rest = (await practice.get(f"/v1/ledger/entries?limit=2&cursor={first['next']}")).json()
    assert [entry["number"] for page in (first, rest) for entry in page["items"]] == [1, 2, 3]
    assert rest["next"] is None


@pytest.mark.parametrize("role", ["provider", "receptionist", "lead_medical_assistant"])
async def test_only_who_keeps_the_books_reads_them(billing: Harness, role):
    practice = await billing.practice()
    assert (await practice.get("/v1/ledger/entries", role=role)).status_code == 403
    assert (await practice.get("/v1/ledger/trial-balance", role=role)).status_code == 403


async def test_the_database_knows_exactly_the_accounts_of_the_chart(billing: Harness):
    practice = await billing.practice()
    [row] = await practice.sql(
        "select pg_get_constraintdef(oid) as rule from pg_constraint where conname = 'ledger_postings_account'"
    )
    assert {part for part in row["rule"].split("'") if part.isdigit()} == set(ACCOUNTS)


async def test_every_entry_shown_by_the_list_is_audited(billing: Harness):
    practice = await billing.practice()
    await posted(practice)
    await posted(practice)
    [first] = (await practice.get("/v1/ledger/entries?limit=1", role="biller")).json()["items"]
    rows = await practice.sql("select entity, entity_id from audit where action = 'billing.ledger-entries.list'")
    assert [(row["entity"], str(row["entity_id"])) for row in rows] == [("ledger-entry", first["id"])]
