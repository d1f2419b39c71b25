"""Events of scheduling: patients by id, places, appointments and visits."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from praxis.contracts.event import Event, Part

AppointmentStatus = Literal["booked", "arrived", "checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error"]


class _Patient(Event):
    AGGREGATE: ClassVar[str] = "patient_id"

    patient_id: UUID
    status: Literal["active", "inactive", "merged"]
    merged_into: UUID | None = None


class PatientRegisteredV1(_Patient):
    """A patient record was opened."""

    TYPE: ClassVar[str] = "praxis.scheduling.patient.registered.v1"


class PatientChangedV1(_Patient):
    """A patient record changed."""

    TYPE: ClassVar[str] = "praxis.scheduling.patient.changed.v1"


class PatientMergedV1(_Patient):
    """A patient record turned out to be another's; `merged_into` names the one that stays."""

    TYPE: ClassVar[str] = "praxis.scheduling.patient.merged.v1"


class LocationChangedV1(Event):
    """A location was opened or changed. `place_of_service` is the CMS two-digit code."""

    TYPE: ClassVar[str] = "praxis.scheduling.location.changed.v1"
    AGGREGATE: ClassVar[str] = "location_id"

    location_id: UUID
    code: str
    time_zone: str
    place_of_service: str
    status: Literal["active", "inactive"]


class _Appointment(Event):
    AGGREGATE: ClassVar[str] = "appointment_id"

    appointment_id: UUID
    status: AppointmentStatus
    patient_id: UUID
    visit_type_id: UUID
    visit_type_code: str
    location_id: UUID
    practitioner_id: UUID | None = None
    """Staff member id of the provider."""
    resource_ids: tuple[UUID, ...]
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    cancellation_reason: str | None = None
    """Code of the FHIR appointment-cancellation-reason system."""
    channel: str


class AppointmentBookedV1(_Appointment):
    """A time was booked."""

    TYPE: ClassVar[str] = "praxis.scheduling.appointment.booked.v1"


class AppointmentRescheduledV1(_Appointment):
    """An appointment moved to another time or other resources under the same id."""

    TYPE: ClassVar[str] = "praxis.scheduling.appointment.rescheduled.v1"


class AppointmentCancelledV1(_Appointment):
    """An appointment was cancelled; its time is free again."""

    TYPE: ClassVar[str] = "praxis.scheduling.appointment.cancelled.v1"


class AppointmentMissedV1(_Appointment):
    """The patient did not come."""

    TYPE: ClassVar[str] = "praxis.scheduling.appointment.missed.v1"


class PerformedTask(Part):
    """A clinical task that was done, by code; its result stays in scheduling."""

    code: str
    quantity: int


class _Visit(Event):
    AGGREGATE: ClassVar[str] = "visit_id"

    visit_id: UUID
    appointment_id: UUID | None = None
    """Null for a walk-in."""
    patient_id: UUID
    visit_type_code: str
    location_id: UUID
    room_id: UUID | None = None
    practitioner_id: UUID | None = None
    checked_in_at: datetime
    completed_at: datetime | None = None
    tasks: tuple[PerformedTask, ...] = ()


class VisitCheckedInV1(_Visit):
    """The patient is here."""

    TYPE: ClassVar[str] = "praxis.scheduling.visit.checked-in.v1"


class VisitCompletedV1(_Visit):
    """The visit is over: supplies are used up and charges can be coded."""

    TYPE: ClassVar[str] = "praxis.scheduling.visit.completed.v1"


class VisitAmendedV1(_Visit):
    """A completed visit was corrected; the payload is the whole corrected state."""

    TYPE: ClassVar[str] = "praxis.scheduling.visit.amended.v1"
