"""Users, sessions and API clients over HTTP."""

from uuid import UUID

from fastapi import Request

from gateway.identity import commands, queries
from gateway.identity.schemas import (
    AddApiClient,
    AddUser,
    ApiClientAdded,
    ApiClientOut,
    ApiKeyOut,
    ChangeUser,
    CurrentOut,
    IssueKey,
    KeyIssued,
    SessionStarted,
    SetPassword,
    StartSession,
    UserOut,
)
from gateway.public import address_of, public, public_router
from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page

open_routes = public_router("sessions")
routes = router("identity")


@open_routes.post("/v1/sessions", status_code=201, **public(commands.SIGN_IN))
async def start(body: StartSession, request: Request) -> SessionStarted:
    """Sign in; at most five attempts in fifteen minutes for one account from one address, and few at once from one address."""
    request.app.state.doorkeeper.admit_sign_in(request.scope)
    return await commands.start_session(request.app.state.parts, body, address_of(request.scope))


@routes.get("/v1/sessions/current", **policy("gateway.sessions.get", "gateway.self:read"))
async def current(session: SessionDep) -> CurrentOut:
    """Tell who asks."""
    asker = session.principal
    names = await queries.names(session, [asker.id])
    ends = await queries.session_expiry(session, asker.session_id) if asker.session_id else None
    return CurrentOut(
        id=asker.id,
        kind=asker.kind,
        name=names[asker.id],
        roles=list(asker.roles),
        practice_id=asker.practice_id,
        staff_member_id=asker.staff_member_id,
        expires_at=ends,
    )


@routes.post("/v1/sessions/current/end", status_code=204, **policy("gateway.sessions.end", "gateway.self:read"))
async def end(session: SessionDep) -> None:
    """Sign out; the token opens nothing within two seconds."""
    await commands.end_session(session)


@routes.post("/v1/users", status_code=201, **policy("gateway.users.add", "gateway.user:write"))
async def add_user(body: AddUser, session: SessionDep) -> UserOut:
    """Add a user."""
    return UserOut.model_validate(await commands.add_user(session, body))


@routes.get("/v1/users", **policy("gateway.users.list", "gateway.user:read"))
async def list_users(session: SessionDep, page: PageDep) -> Page[UserOut]:
    """List users by login."""
    return page.page(await queries.users(session, page.after, page.limit), UserOut, lambda row: (row.login,))


@routes.get("/v1/users/{user_id}", **policy("gateway.users.get", "gateway.user:read"))
async def get_user(user_id: UUID, session: SessionDep) -> UserOut:
    """Return one user."""
    row = await queries.user(session, user_id)
    session.touch("user", row.id, row.revision)
    return UserOut.model_validate(row)


@routes.put("/v1/users/{user_id}", **policy("gateway.users.change", "gateway.user:write"))
async def change_user(user_id: UUID, body: ChangeUser, session: SessionDep, expected: ExpectedRevision) -> UserOut:
    """Replace the roles and the staff member of another user and end their sessions."""
    return UserOut.model_validate(await commands.change_user(session, user_id, body, expected))


@routes.post(
    "/v1/users/me/password", status_code=204, **policy(commands.SET_PASSWORD, "gateway.self:write", key="never")
)
async def set_password(body: SetPassword, request: Request, session: SessionDep) -> None:
    """Set your own password and end your other sessions; throttled as signing in is."""
    request.app.state.doorkeeper.admit_sign_in(request.scope)
    await commands.set_own_password(session, request.app.state.parts.database, body)


@routes.post("/v1/users/{user_id}/deactivate", **policy("gateway.users.deactivate", "gateway.user:write"))
async def deactivate_user(user_id: UUID, session: SessionDep, expected: ExpectedRevision) -> UserOut:
    """End another user and their sessions."""
    return UserOut.model_validate(await commands.deactivate_user(session, user_id, expected))


@routes.post(
    "/v1/api-clients", status_code=201, **policy("gateway.api-clients.add", "gateway.client:write", key="never")
)
async def add_client(body: AddApiClient, session: SessionDep) -> ApiClientAdded:
    """Add another system; its key is answered once."""
    row, key = await commands.add_api_client(session, body)
    return ApiClientAdded(**row._mapping, first_key=key)


@routes.get("/v1/api-clients", **policy("gateway.api-clients.list", "gateway.client:read"))
async def list_clients(session: SessionDep, page: PageDep) -> Page[ApiClientOut]:
    """List API clients by name."""
    return page.page(await queries.api_clients(session, page.after, page.limit), ApiClientOut, lambda row: (row.name,))


@routes.get("/v1/api-clients/{client_id}", **policy("gateway.api-clients.get", "gateway.client:read"))
async def get_client(client_id: UUID, session: SessionDep) -> ApiClientOut:
    """Return one API client."""
    row = await queries.api_client(session, client_id)
    session.touch("api-client", row.id, row.revision)
    return ApiClientOut.model_validate(row)


@routes.post("/v1/api-clients/{client_id}/revoke", **policy("gateway.api-clients.revoke", "gateway.client:write"))
async def revoke_client(client_id: UUID, session: SessionDep, expected: ExpectedRevision) -> ApiClientOut:
    """Revoke an API client and its keys for good."""
    return ApiClientOut.model_validate(await commands.revoke_api_client(session, client_id, expected))


@routes.get("/v1/api-clients/{client_id}/keys", **policy("gateway.api-keys.list", "gateway.client:read"))
async def list_keys(client_id: UUID, session: SessionDep, page: PageDep) -> Page[ApiKeyOut]:
    """List the keys of an API client in the order they were issued, without secrets."""
    rows = await queries.api_keys(session, client_id, page.after, page.limit)
    return page.page(rows, ApiKeyOut, lambda row: (str(row.id),))


@routes.post(
    "/v1/api-clients/{client_id}/keys",
    status_code=201,
    **policy("gateway.api-keys.issue", "gateway.client:write", key="never"),
)
async def issue_key(client_id: UUID, body: IssueKey, session: SessionDep) -> KeyIssued:
    """Issue a second key, to change keys without a pause; it is answered once."""
    return await commands.issue_key(session, client_id, body)


@routes.post(
    "/v1/api-clients/{client_id}/keys/{key_id}/revoke", **policy("gateway.api-keys.revoke", "gateway.client:write")
)
async def revoke_key(client_id: UUID, key_id: UUID, session: SessionDep) -> ApiKeyOut:
    """Revoke one key."""
    return ApiKeyOut.model_validate(await commands.revoke_key(session, client_id, key_id))
