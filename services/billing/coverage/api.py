"""Coverages over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.billing.coverage import commands, queries
from services.billing.coverage.schemas import ChangeCoverage, CoverageOut, CoverageSummary, EndCoverage, RecordCoverage

routes = router("coverages")


@routes.post("/v1/coverages", status_code=201, **policy("billing.coverages.record", "billing.coverage:write"))
async def record(body: RecordCoverage, session: SessionDep) -> CoverageOut:
    """Put a patient's coverage on file."""
    return queries.shown(session, await commands.record_coverage(session, body))


@routes.get("/v1/coverages", **policy("billing.coverages.list", "billing.coverage:read"))
async def find(session: SessionDep, page: PageDep, patient_id: UUID) -> Page[CoverageSummary]:
    """List a patient's coverages by first valid day, without naming anyone."""
    rows = await queries.coverages(session, patient_id, page.after, page.limit)
    found = page.page(rows, CoverageSummary, lambda row: (row.valid_from.isoformat(), str(row.id)))
    session.touch("coverages", patient_id, patient_id=patient_id)
    for item in found.items:
        session.touch("coverage", item.id, patient_id=patient_id)
    return found


@routes.get("/v1/coverages/{coverage_id}", **policy("billing.coverages.get", "billing.coverage:read"))
async def get(coverage_id: UUID, session: SessionDep) -> CoverageOut:
    """Return one coverage with the insured."""
    row = await queries.coverage(session, coverage_id)
    session.touch("coverage", row.id, row.revision, row.patient_id)
    return queries.shown(session, row)


@routes.put("/v1/coverages/{coverage_id}", **policy("billing.coverages.change", "billing.coverage:write"))
async def change(
    coverage_id: UUID, body: ChangeCoverage, session: SessionDep, expected: ExpectedRevision
) -> CoverageOut:
    """Replace a coverage."""
    return queries.shown(session, await commands.change_coverage(session, coverage_id, body, expected))


@routes.post("/v1/coverages/{coverage_id}/end", **policy("billing.coverages.end", "billing.coverage:write"))
async def end(coverage_id: UUID, body: EndCoverage, session: SessionDep, expected: ExpectedRevision) -> CoverageOut:
    """Record the last valid day of a coverage."""
    return queries.shown(session, await commands.end_coverage(session, coverage_id, body, expected))
