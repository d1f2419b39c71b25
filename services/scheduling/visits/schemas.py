"""What people send and get about visits."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from praxis.kit.http import Answer, Body
from services.scheduling.tasks.domain import CODE_PATTERN, TaskStatus
from services.scheduling.visits.domain import REFERENCE_PATTERN, AmendReason, EndReason, Stage

TaskCode = Annotated[str, StringConstraints(pattern=CODE_PATTERN, max_length=40)]


ExternalReference = Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]


class ReceiveWalkIn(Body):
    """A patient who came without an appointment.

    `arrived_at` records a visit afterwards: it takes no room and can be given the time of its end. `external_reference` is what
    another system calls the visit, once per practice.
    """

    patient_id: UUID
    visit_type_id: UUID
    location_id: UUID
    practitioner_id: UUID
    arrived_at: AwareDatetime | None = None
    external_reference: ExternalReference | None = None


class RoomVisit(Body):
    """The room the patient is brought to."""

    room_id: UUID


class AddTask(Body):
    """One more task for a visit; `required` ones keep it from being completed until they are done or waived."""

    code: TaskCode
    required: bool = False


class CompleteVisit(Body):
    """When a visit recorded afterwards ended; any other ends now: send {} or nothing."""

    completed_at: AwareDatetime | None = None


class EndVisit(Body):
    """Why the visit ends without being completed."""

    reason: EndReason


class Performed(Body):
    """A task that was done, how often."""

    code: TaskCode
    quantity: Annotated[int, Field(ge=1, le=99)] = 1


class AmendVisit(Body):
    """A correction: the whole list of performed tasks, or who held the visit, or both; what is left out stays."""

    reason: AmendReason
    tasks: Annotated[tuple[Performed, ...], Field(max_length=50)] | None = None
    practitioner_id: UUID | None = None

    @model_validator(mode="after")
    def _require_a_change(self) -> Self:
        if self.tasks is None and self.practitioner_id is None:
            raise ValueError("send tasks, practitioner_id or both")
        return self


class VisitTaskOut(Answer):
    """A task of a visit, without its result; `entered-in-error` where an amendment says that it was not done."""

    id: UUID
    revision: int
    code: str
    status: TaskStatus | Literal["entered-in-error"]
    required: bool
    waiver_reason: str | None


class PerformedOut(Answer):
    """A task that was done, how often."""

    code: str
    quantity: int


class FlowOut(Answer):
    """One step of a visit: `step` is a stage or `amended`; `revision` the visit's after it."""

    revision: int
    step: str
    room_id: UUID | None
    reason: str | None
    at: datetime
    actor_id: UUID


class VisitSummaryOut(Answer):
    """A visit as the floor board shows it; nobody waits for one that is `recorded_afterwards`."""

    id: UUID
    revision: int
    stage: Stage
    appointment_id: UUID | None
    patient_id: UUID
    visit_type_id: UUID
    visit_type_code: str
    location_id: UUID
    practitioner_id: UUID
    room_id: UUID | None
    recorded_afterwards: bool
    external_reference: str | None
    checked_in_at: datetime
    completed_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    correlation_id: UUID


class VisitOut(VisitSummaryOut):
    """A visit with its tasks, what was performed as last corrected (empty before completion), and its steps in order."""

    tasks: list[VisitTaskOut]
    performed: list[PerformedOut]
    flow: list[FlowOut]
