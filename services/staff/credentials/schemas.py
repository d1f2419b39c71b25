"""What people send and get about credentials."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import StringConstraints, model_validator

from praxis.kit.http import Answer, Body


class RecordCredential(Body):
    """A licence, certificate or registration. `kind` is a code such as `medical-license`, `cma` or `bls`; dates inclusive."""

    staff_member_id: UUID
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    issuer: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    number: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    valid_from: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not lie before valid_from")
        return self


class CredentialOut(Answer):
    """A credential; `verified_by` is the user who saw the issuer's confirmation."""

    id: UUID
    revision: int
    staff_member_id: UUID
    kind: str
    issuer: str
    number: str
    status: str
    valid_from: date
    valid_until: date | None
    verified_at: datetime | None
    verified_by: UUID | None
