"""The public API as the people of one practice use it: signed in by role, every change keyed, every wait bounded."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from praxis.kit.ids import new_id
from praxis.runtime.demo.keys import DemoKeys
from praxis.runtime.state import RuntimeProblem

Json = dict[str, Any]
Found = TypeVar("Found")

PATIENCE = 30.0  # seconds
PAUSE = 0.1  # seconds
TRIES = 3


class Refused(RuntimeProblem):
    """The API refused; `status`, `code` and `document` are those of the answer."""

    def __init__(self, response: httpx.Response) -> None:
        document = _document(response)
        self.status = response.status_code
        self.code = str(document.get("code", "unknown"))
        self.document = document
        request = response.request
        super().__init__(f"{request.method} {request.url.path}: {self.status} {self.code}: {self.reason}")

    @property
    def reason(self) -> str:
        """Return what was wrong, in words: the detail and every offending field."""
        errors = [f"{error['pointer']} {error['message']}" for error in self.document.get("errors", [])]
        return " ".join([str(self.document.get("detail", "no detail")), *errors])


class NotInTime(RuntimeProblem):
    """Something that another service's event brings about has not come."""


def reason_of(problem: RuntimeProblem) -> str:
    """Return what kept something from being done, without the request that tried it."""
    return problem.reason if isinstance(problem, Refused) else str(problem)


class Api:
    """One practice behind the gateway; each request names the role it is made in, whose login is used at first need.

    A change carries an Idempotency-Key, so that an answer saying `retryable` is followed by the same request again.
    """

    def __init__(self, url: str, keys: DemoKeys) -> None:
        # No proxy of the environment stands between this machine and itself.
        self._client = httpx.Client(base_url=url, timeout=15, trust_env=False)
        self._keys = keys
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, role: str, path: str, **query: Any) -> Json:
        """Return the object at `path`; raises Refused."""
        answer: Json = self._answer("GET", path, self._bearer(role), params=query).json()
        return answer

    def get_text(self, role: str, path: str) -> str:
        """Return what is at `path` as text, such as an X12 file; raises Refused."""
        return self._answer("GET", path, self._bearer(role)).text

    def find(self, role: str, path: str) -> Json | None:
        """Return the object at `path`, or None where nothing is known there (yet)."""
        try:
            return self.get(role, path)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def every(self, role: str, path: str, **query: Any) -> Iterator[Json]:
        """Yield the items of a list, page after page."""
        page = self.get(role, path, **query)
        yield from page["items"]
        while page["next"]:
            page = self.get(role, path, **query, cursor=page["next"])
            yield from page["items"]

    def post(
        self, role: str, path: str, body: Json | None = None, *, key: str | None = None, revision: int | None = None
    ) -> Json:
        """Create or act; a new key means a new intent. With `revision` a thing that changed meanwhile is refused."""
        headers = self._bearer(role) | {"idempotency-key": key or str(new_id())} | _if_match(revision)
        answer: Json = self._answer("POST", path, headers, json=body).json()
        return answer

    def put(self, role: str, path: str, body: Json, revision: int) -> Json:
        """Replace what is at `path`, if it still has this revision; raises Refused."""
        answer: Json = self._answer("PUT", path, self._bearer(role) | _if_match(revision), json=body).json()
        return answer

    def _bearer(self, role: str) -> dict[str, str]:
        if role not in self._tokens:
            asker = {"practice": self._keys.practice, **self._keys.logins[role]}
            self._tokens[role] = self._answer("POST", "/v1/sessions", {}, json=asker).json()["token"]
        return {"authorization": f"Bearer {self._tokens[role]}"}

    def _answer(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> httpx.Response:
        for _ in range(TRIES):
            response = self._client.request(method, path, headers=headers, **sent)
            if response.is_success:
                return response
            if not _document(response).get("retryable"):
                break
            time.sleep(min(float(response.headers.get("retry-after", PAUSE)), PATIENCE))
        raise Refused(response)


def wait_for(what: str, ask: Callable[[], Found | None], patience: float = PATIENCE) -> Found:
    """Ask until there is an answer other than None, False or empty; raises NotInTime after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (found := ask()):
        if time.monotonic() > deadline:
            raise NotInTime(f"{what} has not come within {patience:.0f} s: is a service down (`praxis status`)?")
        time.sleep(PAUSE)
    return found


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"if-match": f'"{revision}"'}


def _document(response: httpx.Response) -> Json:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
