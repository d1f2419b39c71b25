"""The HTTP side of the edge: authenticate, authorize, claim the key, run the endpoint inside the unit of work, answer after commit.

A route declares its rule with `policy(...)`; a router made by `router()` builds only routes that have one:

    @routes.post("/v1/appointments", status_code=201, **policy("scheduling.appointments.book", "scheduling.appointment:write"))
    async def book(body: BookAppointment, session: SessionDep) -> AppointmentOut: ...
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from praxis.kit.auth import Principal
from praxis.kit.idempotency import Claim, Reply
from praxis.kit.observe import current_trace, log
from praxis.kit.paging import DEFAULT_LIMIT, Limit, Page, decode, encode, link_header
from praxis.kit.permissions import PERMISSIONS, allow
from praxis.kit.problems import (
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PreconditionRequired,
    Problem,
    Stale,
)
from praxis.kit.unit_of_work import Cause, Session, UnitOfWork

KeyUse = Literal["required", "optional", "never"]
Authenticate = Callable[[Request], Awaitable[Principal]]
Endpoint = Callable[[Request], Awaitable[Response]]

KEPT_HEADERS = ("content-type", "etag", "location", "link")
CHANGES_EXISTING = frozenset({"PUT", "PATCH", "DELETE"})


class Body(BaseModel):
    """Base of every request body: unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Nothing(Body):
    """An action that needs no facts: send {}."""


class Answer(BaseModel):
    """Base of every answer: built from a row or from keywords."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


AnswerT = TypeVar("AnswerT", bound=Answer)


class ProblemOut(BaseModel):
    """RFC 9457 problem details as every refusal of Praxis is shaped; further members are facts about what conflicts."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]]
    trace_id: str
    retryable: bool


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "Refused",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    },
    "5XX": {
        "description": "Failed",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    },
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What the edge enforces for one route."""

    operation: str
    permission: str
    key: KeyUse
    query: frozenset[str] = frozenset()


def policy(operation: str, permission: str, key: KeyUse = "optional") -> dict[str, Any]:
    """Return the route keywords that declare a rule.

    `operation` is `<service>.<nouns>.<verb>`, `permission` a name in `kit.permissions`, `key` says whether a POST must carry an
    Idempotency-Key (always, where it creates or moves money), or must not (where the answer holds a secret). The
    rule is published in OpenAPI as `x-praxis-*`.
    """
    if permission not in PERMISSIONS:
        raise KeyError(f"{operation} names the unknown permission {permission}")
    return {
        "operation_id": operation,
        "openapi_extra": {"x-praxis-permission": permission, "x-praxis-idempotency-key": key},
        "responses": PROBLEM_RESPONSES,
    }


async def _session(request: Request) -> Session:
    session = request.scope["praxis.session"]
    assert isinstance(session, Session)
    return session


SessionDep = Annotated[Session, Depends(_session)]
"""The open unit of work, as an endpoint's parameter."""


async def _expected_revision(if_match: Annotated[str | None, Header()] = None) -> int | None:
    if if_match is None:
        return None
    matched = re.fullmatch(r'(?:W/)?"(\d{1,18})"', if_match)
    if not matched:
        raise Malformed(
            "If-Match must be one revision in quotes.",
            errors=[FieldError("header:If-Match", "etag", 'Send it as "3".')],
        )
    return int(matched.group(1))


ExpectedRevision = Annotated[int | None, Depends(_expected_revision)]
"""The revision named by If-Match, or None when an action did not send one."""


class PageRequest:
    """One page of a list as the caller asked for it: `limit` rows behind `after` (the last page's sort values, or None)."""

    def __init__(self, request: Request, session: Session, limit: int, cursor: str | None) -> None:
        self._request = request
        self._keyring = session.keyring
        self._operation: str = request.scope["route"].operation_id
        self.limit = limit
        self.after = decode(self._keyring, self._operation, cursor) if cursor else None

    def page(
        self, rows: Sequence[Any], answer: type[AnswerT], key: Callable[[Any], Sequence[str | int]]
    ) -> Page[AnswerT]:
        """Return the page for at most `limit` + 1 rows; `key` gives a row's sort values. Adds the Link header when more follow."""
        shown = rows[: self.limit]
        cursor = encode(self._keyring, self._operation, key(shown[-1])) if len(rows) > self.limit else None
        if cursor:
            self._request.scope["praxis.link"] = link_header(
                f"{self._request.url.path}?{self._request.url.query}", cursor
            )
        return Page[AnswerT](items=[answer.model_validate(row) for row in shown], next=cursor)


async def _page_request(
    request: Request,
    session: SessionDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> PageRequest:
    return PageRequest(request, session, limit, cursor)


PageDep = Annotated[PageRequest, Depends(_page_request)]
"""The asked-for page, as a list endpoint's parameter; adds `limit` and `cursor` to its query."""


def require_revision(current: int, expected: int | None) -> None:
    """Raise Stale when the caller read another revision than the present one."""
    if expected is not None and expected != current:
        raise Stale(f"Revision {current} is the newest; you sent {expected}.", facts={"current_revision": current})


class Edge:
    """Carries one request through a unit of work and turns every outcome into a response."""

    def __init__(self, authenticate: Authenticate, unit_of_work: UnitOfWork) -> None:
        self._authenticate = authenticate
        self._unit_of_work = unit_of_work

    async def handle(self, request: Request, rule: Rule, endpoint: Endpoint) -> Response:
        """Run `endpoint` under `rule`; the response returned is sent after the commit."""
        try:
            principal = await self._authenticate(request)
            try:
                return await self._allowed(request, principal, rule, endpoint)
            except Forbidden:
                await self._unit_of_work.record_refusal(principal, rule.operation)
                raise
        except Exception as error:
            return failure_response(error)

    async def _allowed(self, request: Request, principal: Principal, rule: Rule, endpoint: Endpoint) -> Response:
        await _require_text(request)
        _authorize(principal, rule)
        _require_known_query(request, rule)
        if request.method in CHANGES_EXISTING and "if-match" not in request.headers:
            raise PreconditionRequired
        claim = await self._claim(request, principal, rule)
        cause = Cause(principal, rule.operation, claim, audited=request.method != "GET")
        return await self._run(request, cause, endpoint)

    async def _claim(self, request: Request, principal: Principal, rule: Rule) -> Claim | None:
        if request.method != "POST":
            return None
        key = request.headers.get("idempotency-key")
        if key is None and rule.key == "required":
            raise Malformed("This request needs an Idempotency-Key.", errors=[_KEY_ERROR])
        if key is None:
            return None
        if rule.key == "never":
            raise Malformed("This answer holds a secret and is never kept for a repeat.", errors=[_NO_KEY_ERROR])
        if not re.fullmatch(r"[\x21-\x7e]{8,200}", key):
            raise Malformed("The Idempotency-Key is not usable.", errors=[_KEY_ERROR])
        target = f"{request.url.path}?{request.url.query}\0".encode()
        return Claim.of(principal.practice_id, principal.id, rule.operation, key, target + await request.body())

    async def _run(self, request: Request, cause: Cause, endpoint: Endpoint) -> Response:
        fresh: Response | None = None

        async def work(session: Session) -> Reply:
            nonlocal fresh
            request.scope["praxis.session"] = session
            fresh = await endpoint(request)
            if session.touches and session.touches[0].revision is not None:
                fresh.headers["etag"] = f'"{session.touches[0].revision}"'
            if "praxis.link" in request.scope:
                fresh.headers["link"] = request.scope["praxis.link"]
            headers = {name: fresh.headers[name] for name in KEPT_HEADERS if name in fresh.headers}
            return Reply(fresh.status_code, headers, bytes(fresh.body))

        reply = await self._unit_of_work.run(cause, work)
        if fresh is not None:
            return fresh
        assert reply is not None
        return Response(reply.body, reply.status, {**reply.headers, "idempotent-replayed": "true"})


def _authorize(principal: Principal, rule: Rule) -> None:
    decision = allow(principal.roles, rule.permission)
    if not decision.allowed:
        raise Forbidden(facts={"permission": rule.permission, "sufficient_roles": list(decision.sufficient_roles)})


def _require_known_query(request: Request, rule: Rule) -> None:
    """Refuse a query parameter that the route does not have: a misspelt filter would answer with everything."""
    unknown = sorted(set(request.query_params) - rule.query)
    if unknown:
        known = f"known here: {', '.join(sorted(rule.query))}" if rule.query else "there are none here"
        raise Invalid(
            errors=[FieldError(f"query:{name}", "known-parameter", f"Leave it out; {known}.") for name in unknown]
        )


async def _require_text(request: Request) -> None:
    """Refuse the NUL character, which JSON and URLs can spell and PostgreSQL's text cannot hold."""
    if b"%00" in request.scope["query_string"] or "\0" in request.url.path:
        raise Malformed("The address holds a NUL character.", errors=[FieldError("query:", "no-nul", "Leave it out.")])
    if _NUL.search(await request.body()):
        raise Invalid(errors=[FieldError("", "no-nul", "Leave the NUL character out of every text.")])


# An even number of backslashes before it makes "\\u0000" six plain characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000|\x00")

_NO_KEY_ERROR = FieldError("header:Idempotency-Key", "no-key-here", "Leave it out; revoke what a lost answer made.")

_KEY_ERROR = FieldError(
    "header:Idempotency-Key",
    "8-200 visible ASCII characters",
    "Send a new UUID for each new intent, the same one for a retry.",
)


class EdgeRoute(APIRoute):
    """A FastAPI route whose endpoint runs inside the unit of work."""

    @property
    def rule(self) -> Rule:
        """Return the declared rule; a route without one does not build."""
        extra = self.openapi_extra or {}
        if "x-praxis-permission" not in extra or not self.operation_id:
            raise TypeError(f"{self.path} declares no policy(...)")
        query = frozenset(
            field.alias for field in get_flat_params(self.dependant) if isinstance(field.field_info, params.Query)
        )
        return Rule(self.operation_id, extra["x-praxis-permission"], extra["x-praxis-idempotency-key"], query)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler (which parses, validates and serialises) in the edge."""
        rule, endpoint = self.rule, self.make_endpoint()

        async def handle(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            return await edge.handle(request, rule, endpoint)

        return handle

    def make_endpoint(self) -> Endpoint:
        """Return what runs inside the unit of work."""
        return super().get_route_handler()


class LeanRoute(EdgeRoute):
    """The same contract for the few hottest routes: `async def endpoint(body: Model, session: Session) -> Model`, nothing else.

    FastAPI's dependency machinery costs more than such an endpoint; OpenAPI, rule and edge are those of every other route.
    """

    def make_endpoint(self) -> Endpoint:
        """Parse the one body, call the endpoint, serialise its model."""
        hints = get_type_hints(self.endpoint)
        body_type: type[BaseModel] = hints["body"]
        status = self.status_code or 200

        async def endpoint(request: Request) -> Response:
            try:
                body = body_type.model_validate_json(await request.body())
            except ValidationError as error:
                raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error
            answer: BaseModel = await self.endpoint(body=body, session=request.scope["praxis.session"])
            return Response(answer.model_dump_json(), status, media_type="application/json")

        return endpoint


def router(tag: str, route_class: type[EdgeRoute] = EdgeRoute) -> APIRouter:
    """Return a router whose routes all pass the edge."""
    return APIRouter(tags=[tag], route_class=route_class, strict_content_type=True)


def problem_response(problem: Problem) -> Response:
    """Return the problem document of a refusal."""
    headers = {"cache-control": "no-store"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    document = orjson.dumps(problem.document(current_trace().trace_id), default=str)
    return Response(document, problem.status, headers, media_type="application/problem+json")


def failure_response(error: Exception) -> Response:
    """Return the response for whatever an endpoint raised; anything that is no refusal is logged by its type and is a plain 500."""
    if isinstance(error, RequestValidationError):
        return problem_response(_validation_problem(error))
    if isinstance(error, HTTPException):
        return problem_response(_http_problem(error))
    if not isinstance(error, Problem):
        log.error("unexpected", exc_info=error)
        error = Problem()
    return problem_response(error)


def _validation_problem(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return Malformed(
            "The body is not valid JSON.", errors=[FieldError("", "json", "Send one JSON object in UTF-8.")]
        )
    return Invalid(
        errors=[FieldError(_pointer(e["loc"]), e["type"], e["msg"].removeprefix("Value error, ")) for e in found]
    )


def _pointer(location: tuple[Any, ...]) -> str:
    place, *path = location
    if place == "body":
        return "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in path)
    return f"{place}:{'.'.join(str(p) for p in path)}"


class MethodNotAllowed(Problem):
    """405: the path exists, the method does not."""

    status = 405
    code = "method-not-allowed"
    title = "This method is not offered here"


def _http_problem(error: HTTPException) -> Problem:
    if error.status_code == 404:
        return NotFound()
    if error.status_code == 405:
        return MethodNotAllowed()
    return Malformed() if error.status_code < 500 else Problem()
