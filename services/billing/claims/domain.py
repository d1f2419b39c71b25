"""Rules of claims: their states, and what must be known before one can be written."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from praxis.kit.problems import Conflict, NotFound, TransitionRefused

DIAGNOSES: Final = "billing.claim.diagnoses"
"""Purpose under which a claim's diagnoses are sealed."""

X12: Final = "billing.claim.x12"
"""Purpose under which a claim's 837P is sealed."""

Step = Literal["hold", "ready", "void"]

TRANSITIONS: Final[dict[tuple[str, Step], str]] = {
    ("draft", "hold"): "edit-hold",
    ("draft", "ready"): "ready",
    ("edit-hold", "hold"): "edit-hold",
    ("edit-hold", "ready"): "ready",
    ("edit-hold", "void"): "voided",
    ("ready", "hold"): "edit-hold",
    ("ready", "ready"): "ready",
    ("ready", "void"): "voided",
}
"""State and step -> next state; what is not listed is refused. A ready claim is one that was not sent yet."""

RELATIONSHIP_CODES: Final = {
    "self": "18",
    "spouse": "01",
    "child": "19",
    "employee": "20",
    "life-partner": "53",
    "other": "G8",
    "unknown": "21",
}
"""What the patient is to the insured, as SBR02 and PAT01 spell it."""

UNSET_BILLING_PROVIDER: Final = (
    "billing-provider-unset", "/billing", "Set under which identity the practice bills: PUT /v1/billing-provider."
)  # fmt: skip
UNNAMED_PROVIDER: Final = (
    "rendering-provider-unnamed", "/rendering", "Neither the visit nor its signer names a staff member who rendered it."
)  # fmt: skip
UNKNOWN_PROVIDER: Final = (
    "rendering-provider-unknown", "/rendering", "Register the rendering provider with NPI and taxonomy: POST /v1/staff-members."
)  # fmt: skip
UNKNOWN_LOCATION: Final = (
    "location-unknown", "/place_of_service", "The visit's location has no place of service yet: POST /v1/locations."
)  # fmt: skip


class ClaimUnknown(NotFound):
    """No such claim in this practice."""

    code = "claim-unknown"
    title = "There is no such claim"


class ClaimVoided(TransitionRefused):
    """A voided claim stays as it is."""

    def __init__(self, revision: int) -> None:
        super().__init__("claim", "voided", (), revision)
        self.detail = "The claim was voided because its visit was amended: work on the visit's newest claim instead."


class ClaimNotReady(Conflict):
    """A claim has a file once it is ready; the fact `state` names the present state."""

    code = "claim-not-ready"
    title = "This claim has no 837P yet: mend its findings, then scrub it again"


@dataclass(frozen=True, slots=True)
class ChargedService:
    """One line of a signed charge sheet; `charge_cents` is the whole line, pointers count the diagnoses from 1."""

    number: int
    hcpcs_code: str
    modifiers: tuple[str, ...]
    units: int
    diagnosis_pointers: tuple[int, ...]
    charge_cents: int


@dataclass(frozen=True, slots=True)
class SignedSheet:
    """What a claim is made of: one signed version of a charge sheet whose patient is covered."""

    charge_sheet_id: UUID
    version: int
    visit_id: UUID
    patient_id: UUID
    coverage_id: UUID
    payer_id: UUID
    location_id: UUID
    practitioner_id: UUID | None
    service_on: date
    diagnoses: tuple[str, ...]
    lines: tuple[ChargedService, ...]
    total_cents: int
    currency: str
    story: UUID


def next_state(state: str, step: Step, revision: int) -> str:
    """Return the state after `step`; raises TransitionRefused for a step that the table does not list."""
    if state == "voided":
        raise ClaimVoided(revision)
    if (state, step) not in TRANSITIONS:
        raise TransitionRefused("claim", state, (other for at, other in TRANSITIONS if at == state), revision)
    return TRANSITIONS[state, step]
