"""Claims over HTTP."""

from uuid import UUID

from starlette.responses import Response

from praxis.kit.http import ExpectedRevision, Nothing, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.billing.claims import commands, queries
from services.billing.claims.schemas import ClaimOut, ClaimState, ClaimSummary

routes = router("claims")


class X12Response(Response):
    """An X12 file as it will be sent."""

    media_type = "application/edi-x12"


@routes.get("/v1/claims", **policy("billing.claims.list", "billing.claim:read"))
async def find(
    session: SessionDep, page: PageDep, state: ClaimState | None = None, visit_id: UUID | None = None
) -> Page[ClaimSummary]:
    """List claims as they were drafted."""
    rows = await queries.claims(session, state, visit_id, page.after, page.limit)
    found = page.page(rows, ClaimSummary, lambda row: (str(row.id),))
    for item in found.items:
        session.touch("claim", item.id, patient_id=item.patient_id)
    return found


@routes.get("/v1/claims/{claim_id}", **policy("billing.claims.get", "billing.claim:read"))
async def get(claim_id: UUID, session: SessionDep) -> ClaimOut:
    """Return one claim with its lines and findings."""
    row = await queries.claim(session, claim_id)
    session.touch("claim", row.id, row.revision, row.patient_id)
    return await queries.shown(session, row)


@routes.get(
    "/v1/claims/{claim_id}/x12", response_class=X12Response, **policy("billing.claims.x12", "billing.claim:read")
)
async def x12(claim_id: UUID, session: SessionDep) -> X12Response:
    """Return the 837P of a ready claim."""
    row = await queries.claim(session, claim_id)
    session.touch("claim", row.id, row.revision, row.patient_id)
    return X12Response(await queries.x12_text(session, claim_id))


@routes.post("/v1/claims/{claim_id}/scrub", **policy("billing.claims.scrub", "billing.claim:write"))
async def scrub(claim_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision) -> ClaimOut:
    """Check a held claim again against what is known now, or write a ready one anew when that has changed."""
    return await queries.shown(session, await commands.scrub_claim(session, claim_id, expected))
