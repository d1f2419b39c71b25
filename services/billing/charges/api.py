"""Charge sheets over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, Nothing, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.billing.charges import commands, queries
from services.billing.charges.schemas import (
    ChargeSheetOut,
    ChargeSheetSummary,
    CodeChargeSheet,
    SheetState,
    SignChargeSheet,
)

routes = router("charge-sheets")


@routes.get("/v1/charge-sheets", **policy("billing.charge-sheets.list", "billing.charge:read"))
async def find(
    session: SessionDep, page: PageDep, state: SheetState | None = None, visit_id: UUID | None = None
) -> Page[ChargeSheetSummary]:
    """List charge sheets, of one state or one visit when asked."""
    rows = await queries.charge_sheets(session, state, visit_id, page.after, page.limit)
    found = page.page(rows, ChargeSheetSummary, lambda row: (str(row.id),))
    for item in found.items:
        session.touch("charge-sheet", item.id, patient_id=item.patient_id)
    return found


@routes.get("/v1/charge-sheets/{charge_sheet_id}", **policy("billing.charge-sheets.get", "billing.charge:read"))
async def get(charge_sheet_id: UUID, session: SessionDep) -> ChargeSheetOut:
    """Return one charge sheet with its coding and supplies."""
    row = await queries.charge_sheet(session, charge_sheet_id)
    session.touch("charge-sheet", row.id, row.revision, row.patient_id)
    return await queries.shown(session, row)


@routes.put("/v1/charge-sheets/{charge_sheet_id}", **policy("billing.charge-sheets.code", "billing.charge:code"))
async def code(
    charge_sheet_id: UUID, body: CodeChargeSheet, session: SessionDep, expected: ExpectedRevision
) -> ChargeSheetOut:
    """Replace the diagnoses and lines of a sheet that is not signed."""
    return await queries.shown(session, await commands.code_charge_sheet(session, charge_sheet_id, body, expected))


@routes.post(
    "/v1/charge-sheets/{charge_sheet_id}/sign",
    **policy("billing.charge-sheets.sign", "billing.charge:code", key="required"),
)
async def sign(
    charge_sheet_id: UUID, body: SignChargeSheet, session: SessionDep, expected: ExpectedRevision
) -> ChargeSheetOut:
    """Price a coded sheet and make it final: its charge is posted and its claim drafted."""
    return await queries.shown(session, await commands.sign_charge_sheet(session, charge_sheet_id, body, expected))


@routes.post(
    "/v1/charge-sheets/{charge_sheet_id}/bill-coverage",
    **policy("billing.charge-sheets.bill-coverage", "billing.claim:write", key="required"),
)
async def bill_coverage(
    charge_sheet_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision
) -> ChargeSheetOut:
    """Ask the payer of a coverage that came to light after the patient was charged: the debt is moved and a claim drafted."""
    return await queries.shown(session, await commands.bill_coverage(session, charge_sheet_id, expected))
