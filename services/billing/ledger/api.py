"""The ledger over HTTP: read only."""

from datetime import date
from uuid import UUID

from praxis.kit.http import PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.billing.ledger import queries
from services.billing.ledger.schemas import EntryOut, TrialBalanceOut

routes = router("ledger")


@routes.get("/v1/ledger/entries", **policy("billing.ledger-entries.list", "billing.ledger:read"))
async def find_entries(session: SessionDep, page: PageDep, source_id: UUID | None = None) -> Page[EntryOut]:
    """List entries by number, those of one source when asked."""
    entries = await queries.entries(session, source_id, page.after, page.limit)
    found = page.page(entries, EntryOut, lambda entry: (entry.number,))
    for item in found.items:
        session.touch("ledger-entry", item.id)
    return found


@routes.get("/v1/ledger/trial-balance", **policy("billing.ledger-trial-balance.get", "billing.ledger:read"))
async def trial_balance(session: SessionDep, through: date | None = None) -> TrialBalanceOut:
    """Return every account's debits and credits, up to and including an accounting day when asked."""
    return await queries.trial_balance(session, through)
