"""Payers, fee schedules and the billing provider over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.ids import derived_id
from praxis.kit.paging import Page
from services.billing.payers import commands, queries
from services.billing.payers.schemas import (
    BillingProviderOut,
    FeeScheduleOut,
    FeeScheduleSummary,
    PayerOut,
    PutBillingProvider,
    PutFeeSchedule,
    PutPayer,
)

routes = router("payers")


@routes.post("/v1/payers", status_code=201, **policy("billing.payers.add", "billing.payer:write"))
async def add_payer(body: PutPayer, session: SessionDep) -> PayerOut:
    """Add a payer."""
    return PayerOut.model_validate(await commands.add_payer(session, body))


@routes.get("/v1/payers", **policy("billing.payers.list", "billing.payer:read"))
async def find_payers(session: SessionDep, page: PageDep) -> Page[PayerOut]:
    """List payers by name."""
    rows = await queries.payers(session, page.after, page.limit)
    return page.page(rows, PayerOut, lambda row: (row.name, str(row.id)))


@routes.get("/v1/payers/{payer_id}", **policy("billing.payers.get", "billing.payer:read"))
async def get_payer(payer_id: UUID, session: SessionDep) -> PayerOut:
    """Return one payer."""
    row = await queries.payer(session, payer_id)
    session.touch("payer", row.id, row.revision)
    return PayerOut.model_validate(row)


@routes.put("/v1/payers/{payer_id}", **policy("billing.payers.change", "billing.payer:write"))
async def change_payer(payer_id: UUID, body: PutPayer, session: SessionDep, expected: ExpectedRevision) -> PayerOut:
    """Replace a payer's record."""
    return PayerOut.model_validate(await commands.change_payer(session, payer_id, body, expected))


@routes.post("/v1/fee-schedules", status_code=201, **policy("billing.fee-schedules.add", "billing.fee:write"))
async def add_fee_schedule(body: PutFeeSchedule, session: SessionDep) -> FeeScheduleOut:
    """Add a price list."""
    return await queries.fee_schedule_shown(session, await commands.add_fee_schedule(session, body))


@routes.get("/v1/fee-schedules", **policy("billing.fee-schedules.list", "billing.fee:read"))
async def find_fee_schedules(session: SessionDep, page: PageDep) -> Page[FeeScheduleSummary]:
    """List price lists by their first valid day."""
    rows = await queries.fee_schedules(session, page.after, page.limit)
    return page.page(rows, FeeScheduleSummary, lambda row: (row.valid_from.isoformat(), str(row.id)))


@routes.get("/v1/fee-schedules/{fee_schedule_id}", **policy("billing.fee-schedules.get", "billing.fee:read"))
async def get_fee_schedule(fee_schedule_id: UUID, session: SessionDep) -> FeeScheduleOut:
    """Return one price list with its prices."""
    row = await queries.fee_schedule(session, fee_schedule_id)
    session.touch("fee-schedule", row.id, row.revision)
    return await queries.fee_schedule_shown(session, row)


@routes.put("/v1/fee-schedules/{fee_schedule_id}", **policy("billing.fee-schedules.change", "billing.fee:write"))
async def change_fee_schedule(
    fee_schedule_id: UUID, body: PutFeeSchedule, session: SessionDep, expected: ExpectedRevision
) -> FeeScheduleOut:
    """Replace a price list and its prices."""
    row = await commands.change_fee_schedule(session, fee_schedule_id, body, expected)
    return await queries.fee_schedule_shown(session, row)


@routes.get("/v1/billing-provider", **policy("billing.billing-provider.get", "billing.payer:read"))
async def get_billing_provider(session: SessionDep) -> BillingProviderOut:
    """Return under which identity the practice bills."""
    row = await queries.billing_provider(session)
    session.touch("billing-provider", derived_id(session.practice_id, "billing-provider"), row.revision)
    return BillingProviderOut.model_validate(row)


@routes.put("/v1/billing-provider", **policy("billing.billing-provider.set", "billing.payer:write"))
async def set_billing_provider(
    body: PutBillingProvider, session: SessionDep, expected: ExpectedRevision
) -> BillingProviderOut:
    """Set the identity under which the practice bills; If-Match is "0" the first time."""
    return BillingProviderOut.model_validate(await commands.set_billing_provider(session, body, expected))
