"""Refusals, in the shape of RFC 9457 problem details.

Raise a `Problem` anywhere below the edge; nothing is committed and the caller gets `application/problem+json` with a stable
`code`, one `errors` entry per field and, where one exists, what would work. Slices subclass the seven kinds with what happened:

    class SlotTaken(Conflict):
        code = "slot-taken"
        title = "The time is already taken"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One offending field: JSON `pointer` into the body (or `query:limit`, `header:If-Match`), the `rule` and what would work."""

    pointer: str
    rule: str
    message: str


class Problem(Exception):
    """A refusal with a status, a code that never changes meaning, and no internals.

    `detail` is one sentence for a person. `facts` are extra members of the document (ids, revisions, allowed values): never names,
    contacts, free text or clinical values. `retry_after` is in whole seconds.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        facts: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.facts = dict(facts or {})
        self.retry_after = retry_after

    def document(self, trace_id: str) -> dict[str, Any]:
        """Return the RFC 9457 members, `facts` first so that none of them can replace a standard member."""
        return {
            **self.facts,
            "type": f"https://praxis.example/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "errors": [asdict(error) for error in self.errors],
            "trace_id": trace_id,
            "retryable": self.retryable,
        }


class Malformed(Problem):
    """400: the bytes cannot be read as what they claim to be."""

    status = 400
    code = "malformed"
    title = "The request cannot be read"


class Unauthenticated(Problem):
    """401: nobody we know is asking."""

    status = 401
    code = "unauthenticated"
    title = "Sign in first"


class Forbidden(Problem):
    """403: known, and not allowed. Written to the audit trail."""

    status = 403
    code = "forbidden"
    title = "Your role does not allow this"


class NotFound(Problem):
    """404: no such thing in this practice; identical for a thing of another practice."""

    status = 404
    code = "not-found"
    title = "There is no such thing here"


class Conflict(Problem):
    """409: refused by the present state; says what conflicts and what would work."""

    status = 409
    code = "conflict"
    title = "The present state refuses this"


class TransitionRefused(Conflict):
    """409: nothing leads from what the thing is now to what was asked; facts `state`, `allowed` and `current_revision`.

    `thing` is the noun a person would use; `allowed` the states or steps that its table has from `state`.
    """

    code = "transition-refused"
    title = "The present state does not allow this"

    def __init__(self, thing: str, state: str, allowed: Iterable[str], revision: int) -> None:
        ways = sorted(allowed)
        super().__init__(
            f"The {thing}'s state is {state}, which allows {'only: ' + ', '.join(ways) if ways else 'no further step'}.",
            facts={"state": state, "allowed": ways, "current_revision": revision},
        )


class Stale(Problem):
    """412: If-Match names a revision that is no longer the newest."""

    status = 412
    code = "stale-revision"
    title = "It has changed since you read it"


class Invalid(Problem):
    """422: the body can never be right as it is."""

    status = 422
    code = "invalid"
    title = "Some fields are not right"


class PreconditionRequired(Problem):
    """428: a change of an existing thing must say which revision it changes."""

    status = 428
    code = "if-match-required"
    title = "Send If-Match with the revision you read"


class TooMany(Problem):
    """429: over the rate this caller may use."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"
    retryable = True


class Unavailable(Problem):
    """503: a part is out of reach or full; the same request may succeed later."""

    status = 503
    code = "unavailable"
    title = "Not available just now"
    retryable = True
