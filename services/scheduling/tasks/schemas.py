"""What people send and get about clinical tasks."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from praxis.kit.http import Answer, Body
from services.scheduling.tasks.domain import TaskStatus, WaiverReason


class VitalSigns(Body):
    """One measurement; at least one value. Bounds keep typing errors out, not unusual patients."""

    systolic_mmhg: Annotated[int, Field(ge=30, le=350)] | None = None
    diastolic_mmhg: Annotated[int, Field(ge=10, le=250)] | None = None
    pulse_per_minute: Annotated[int, Field(ge=10, le=400)] | None = None
    respirations_per_minute: Annotated[int, Field(ge=2, le=120)] | None = None
    temperature_decicelsius: Annotated[int, Field(ge=200, le=460)] | None = None
    """Tenths of a degree Celsius: 37.2 is 372."""
    oxygen_saturation_percent: Annotated[int, Field(ge=20, le=100)] | None = None
    weight_grams: Annotated[int, Field(ge=200, le=700_000)] | None = None
    height_millimetres: Annotated[int, Field(ge=200, le=2_800)] | None = None

    @model_validator(mode="after")
    def _require_plausible(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Send at least one measured value.")
        if self.systolic_mmhg and self.diastolic_mmhg and self.systolic_mmhg <= self.diastolic_mmhg:
            raise ValueError("Send a systolic_mmhg that is higher than diastolic_mmhg: they may be exchanged.")
        return self


class CompleteTask(Body):
    """The task is done; vital-signs are sent with their `result`, every other task without."""

    result: VitalSigns | None = None


class CorrectTask(Body):
    """The values as they should have been recorded: the whole measurement."""

    result: VitalSigns


class WaiveTask(Body):
    """The task will not be done."""

    reason: WaiverReason


class TaskOut(Answer):
    """A task without its result."""

    id: UUID
    revision: int
    visit_id: UUID
    code: str
    status: TaskStatus
    required: bool
    waiver_reason: str | None
    added_at: datetime
    ended_at: datetime | None
    ended_by: UUID | None


class TaskWithResultOut(TaskOut):
    """A task with its result, for those who care for the patient."""

    result: VitalSigns | None
