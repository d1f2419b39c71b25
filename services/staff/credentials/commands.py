"""Changing credentials."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.contracts.staff import CredentialChangedV1
from praxis.kit.clock import local_date
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.staff.credentials.domain import NUMBER, require_in_date, require_other_person, require_transition
from services.staff.credentials.models import Credential
from services.staff.credentials.queries import credential
from services.staff.credentials.schemas import RecordCredential


async def record_credential(session: Session, body: RecordCredential) -> Row[Any]:
    """Put a credential on file, unverified; raises CredentialKnown and CredentialHolderUnknown."""
    credential_id = new_id()
    values = {
        **body.model_dump(exclude={"number"}),
        "id": credential_id,
        "revision": 1,
        "status": "unverified",
        "number_sealed": session.seal(NUMBER, body.number),
        "number_index": session.keyring.blind_index(session.practice_id, NUMBER, body.number),
        "changed_at": session.now,
    }
    await session.execute(insert(Credential).values(values))
    return await _announced(session, credential_id)


async def verify_credential(session: Session, credential_id: UUID, expected: int | None) -> Row[Any]:
    """Record that the acting user saw the issuer's confirmation.

    Raises OwnCredential, CredentialExpired, TransitionRefused and Stale.
    """
    row = await credential(session, credential_id, lock=True)
    require_other_person(row.staff_member_id, session.principal.staff_member_id, session.principal.roles)
    require_in_date(row.valid_until, local_date(session.now, await practice_time_zone(session)))
    values = {"status": "verified", "verified_at": session.now, "verified_by": session.principal.id}
    return await _change(session, credential_id, values, expected)


async def revoke_credential(session: Session, credential_id: UUID, expected: int | None) -> Row[Any]:
    """Withdraw a credential for good; raises TransitionRefused and Stale."""
    return await _change(session, credential_id, {"status": "revoked"}, expected)


async def _change(session: Session, credential_id: UUID, values: dict[str, Any], expected: int | None) -> Row[Any]:
    row = await credential(session, credential_id, lock=True)
    require_revision(row.revision, expected)
    require_transition(row.status, values["status"], row.revision)
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Credential).where(Credential.id == credential_id).values(changed))
    return await _announced(session, credential_id)


async def _announced(session: Session, credential_id: UUID) -> Row[Any]:
    row = await credential(session, credential_id)
    session.touch("credential", row.id, row.revision)
    session.publish(
        CredentialChangedV1(
            credential_id=row.id,
            revision=row.revision,
            staff_member_id=row.staff_member_id,
            kind=row.kind,
            status=row.status,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
    )
    return row
