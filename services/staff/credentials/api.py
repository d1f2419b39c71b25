"""Credentials over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, Nothing, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.staff.credentials import commands, queries
from services.staff.credentials.schemas import CredentialOut, RecordCredential

routes = router("credentials")


@routes.post("/v1/credentials", status_code=201, **policy("staff.credentials.record", "staff.credential:write"))
async def record(body: RecordCredential, session: SessionDep) -> CredentialOut:
    """Put a credential on file."""
    return queries.shown(session, await commands.record_credential(session, body))


@routes.get("/v1/credentials", **policy("staff.credentials.list", "staff.credential:read"))
async def find(session: SessionDep, page: PageDep, staff_member_id: UUID | None = None) -> Page[CredentialOut]:
    """List credentials, of one person when asked."""
    rows = await queries.credentials(session, staff_member_id, page.after, page.limit)
    for row in rows[: page.limit]:
        session.touch("credential", row.id)
    answers = [queries.shown(session, row) for row in rows]
    return page.page(answers, CredentialOut, lambda answer: (str(answer.staff_member_id), str(answer.id)))


@routes.get("/v1/credentials/{credential_id}", **policy("staff.credentials.get", "staff.credential:read"))
async def get(credential_id: UUID, session: SessionDep) -> CredentialOut:
    """Return one credential."""
    row = await queries.credential(session, credential_id)
    session.touch("credential", row.id, row.revision)
    return queries.shown(session, row)


@routes.post("/v1/credentials/{credential_id}/verify", **policy("staff.credentials.verify", "staff.credential:write"))
async def verify(credential_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision) -> CredentialOut:
    """Record that the issuer confirmed the credential."""
    return queries.shown(session, await commands.verify_credential(session, credential_id, expected))


@routes.post("/v1/credentials/{credential_id}/revoke", **policy("staff.credentials.revoke", "staff.credential:write"))
async def revoke(credential_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision) -> CredentialOut:
    """Withdraw a credential."""
    return queries.shown(session, await commands.revoke_credential(session, credential_id, expected))
