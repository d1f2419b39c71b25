"""What is said about practices."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from praxis.kit.http import Answer, Body

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,39}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class OpenPractice(Body):
    """A new practice. `code` is what its people type when they sign in; `time_zone` is an IANA name, `currency` ISO 4217."""

    code: Code
    time_zone: str
    currency: Currency = "USD"


class PracticeOut(Answer):
    """A practice."""

    id: UUID
    revision: int
    code: str
    time_zone: str
    currency: str
