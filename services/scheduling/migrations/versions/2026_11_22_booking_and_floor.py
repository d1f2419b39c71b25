"""Patients, resources, appointments with their occupancies, visits and tasks."""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_booking_and_floor"
down_revision = None
branch_labels = None
depends_on = None

tables = Tables("scheduling")


def upgrade() -> None:
    op.execute("create extension if not exists btree_gist")
    tables.create_kit()
    _create_resources()
    _create_patients()
    _create_appointments()
    _create_visits()
    _create_tasks()


def _create_resources() -> None:
    op.execute(f"""
        create table locations (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            code text not null check (length(code) between 1 and 30),
            name text not null check (length(name) between 1 and 80),
            time_zone text not null,
            place_of_service text not null check (place_of_service ~ '^[0-9]{{2}}$'),
            address jsonb not null check (address ->> 'postal_code' ~ '^[0-9]{{5}}-[0-9]{{4}}$'),
            status text not null check (status in ('active', 'inactive')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint locations_code unique (practice_id, code)
        )
    """)
    tables.protect("locations")
    op.execute(f"""
        create table rooms (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            location_id uuid not null,
            name text not null check (length(name) between 1 and 80),
            status text not null check (status in ('active', 'inactive')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint rooms_name unique (practice_id, location_id, name),
            constraint rooms_location foreign key (practice_id, location_id) references locations (practice_id, id)
        )
    """)
    op.execute("create index rooms_by_name on rooms (practice_id, name, id)")
    tables.protect("rooms")
    op.execute(f"""
        create table visit_types (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            code text not null check (length(code) between 1 and 30),
            name text not null check (length(name) between 1 and 80),
            duration_minutes integer not null check (duration_minutes between 1 and 1440),
            needs_room boolean not null,
            required_tasks text[] not null check (cardinality(required_tasks) <= 20),
            status text not null check (status in ('active', 'inactive')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint visit_types_code unique (practice_id, code)
        )
    """)
    tables.protect("visit_types")
    op.execute(f"""
        create table practitioners (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            role text not null,
            status text not null check (status in ('active', 'inactive')),
            public_name text,
            changed_at timestamptz not null,
            primary key (practice_id, id)
        )
    """)
    tables.protect("practitioners")
    op.execute(f"""
        create table resources (
            {PRACTICE_COLUMN},
            id uuid not null,
            kind text not null check (kind in ('practitioner', 'room', 'patient')),
            primary key (practice_id, id)
        )
    """)
    tables.protect("resources")


def _create_patients() -> None:
    op.execute(f"""
        create table patients (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            status text not null check (status in ('active', 'inactive')),
            mrn text not null check (mrn ~ '^[A-Za-z0-9][A-Za-z0-9-]{{0,19}}$'),
            mrn_key text not null generated always as (upper(mrn)) stored,
            family_name text not null check (length(family_name) between 1 and 60),
            given_name text not null check (length(given_name) between 1 and 60),
            family_key text collate "C" not null check (family_key <> ''),
            given_key text collate "C" not null check (given_key <> ''),
            birth_on date not null,
            sex text not null check (sex in ('male', 'female', 'other', 'unknown')),
            phone text,
            email text,
            address jsonb,
            confirmed_new boolean not null,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint patients_mrn unique (practice_id, mrn_key)
        )
    """)
    op.execute(
        "create unique index patients_probably_known on patients (practice_id, family_key, given_key, birth_on) "
        "where not confirmed_new"
    )
    op.execute("create index patients_name on patients (practice_id, family_key, given_key, id)")
    op.execute("create index patients_birth on patients (practice_id, birth_on, family_key, given_key, id)")
    tables.protect("patients")


def _create_appointments() -> None:
    op.execute(f"""
        create table appointments (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            correlation_id uuid not null,
            status text not null check (status in ('booked', 'arrived', 'checked-in', 'fulfilled', 'cancelled', 'noshow')),
            patient_id uuid not null,
            visit_type_id uuid not null,
            visit_type_code text not null,
            location_id uuid not null,
            practitioner_id uuid not null,
            room_id uuid,
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            local_start timestamp not null,
            time_zone text not null,
            tzdata_version text not null,
            cancellation_reason text,
            channel text not null check (channel in ('staff', 'client', 'system')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint appointments_length check (ends_at > starts_at and ends_at <= starts_at + interval '24 hours'),
            constraint appointments_reason check ((status = 'cancelled') = (cancellation_reason is not null)),
            constraint appointments_patient foreign key (practice_id, patient_id) references patients (practice_id, id),
            constraint appointments_visit_type foreign key (practice_id, visit_type_id)
                references visit_types (practice_id, id),
            constraint appointments_location foreign key (practice_id, location_id) references locations (practice_id, id),
            constraint appointments_practitioner foreign key (practice_id, practitioner_id)
                references practitioners (practice_id, id),
            constraint appointments_room foreign key (practice_id, room_id) references rooms (practice_id, id)
        )
    """)
    op.execute("create index appointments_day on appointments (practice_id, starts_at, id)")
    op.execute("create index appointments_location_day on appointments (practice_id, location_id, starts_at, id)")
    op.execute("create index appointments_of_patient on appointments (practice_id, patient_id, starts_at, id)")
    op.execute(
        "create index appointments_practitioner_day on appointments (practice_id, practitioner_id, starts_at, id)"
    )
    tables.protect("appointments")
    op.execute(f"""
        create table occupancies (
            {PRACTICE_COLUMN},
            appointment_id uuid not null,
            resource_id uuid not null,
            kind text not null check (kind in ('practitioner', 'room', 'patient')),
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            during tstzrange not null generated always as (tstzrange(starts_at, ends_at, '[)')) stored,
            primary key (practice_id, resource_id, starts_at, appointment_id),
            constraint occupancies_length check (ends_at > starts_at and ends_at <= starts_at + interval '24 hours'),
            constraint occupancies_appointment foreign key (practice_id, appointment_id)
                references appointments (practice_id, id),
            constraint occupancies_resource foreign key (practice_id, resource_id) references resources (practice_id, id),
            constraint occupancies_slot exclude using gist
                (practice_id with =, resource_id with =, during with &&) where (kind <> 'patient'),
            constraint occupancies_patient exclude using gist
                (practice_id with =, resource_id with =, during with &&) where (kind = 'patient')
        )
    """)
    # The key leads with what a booking asks for, so that no plan made before statistics exist can scan a resource's whole past.
    op.execute("create index occupancies_of on occupancies (practice_id, appointment_id)")
    tables.protect("occupancies", app="select, insert, delete")


def _create_visits() -> None:
    op.execute(f"""
        create table visits (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            correlation_id uuid not null,
            stage text not null check (stage in ('waiting', 'roomed', 'with-provider', 'completed', 'ended')),
            appointment_id uuid,
            patient_id uuid not null,
            visit_type_id uuid not null,
            visit_type_code text not null,
            needs_room boolean not null,
            location_id uuid not null,
            practitioner_id uuid not null,
            room_id uuid,
            recorded_afterwards boolean not null default false,
            external_reference text check (external_reference ~ '^[!-~]{{1,120}}$'),
            checked_in_at timestamptz not null,
            completed_at timestamptz check (completed_at >= checked_in_at),
            ended_at timestamptz,
            end_reason text,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint visits_completed check ((stage = 'completed') = (completed_at is not null)),
            constraint visits_ended check
                ((stage = 'ended') = (ended_at is not null) and (ended_at is not null) = (end_reason is not null)),
            constraint visits_roomed check (stage <> 'roomed' or room_id is not null),
            constraint visits_recorded_afterwards check
                (not recorded_afterwards or (room_id is null and stage in ('waiting', 'completed', 'ended'))),
            constraint visits_external_reference unique (practice_id, external_reference),
            constraint visits_appointment foreign key (practice_id, appointment_id) references appointments (practice_id, id),
            constraint visits_patient foreign key (practice_id, patient_id) references patients (practice_id, id),
            constraint visits_visit_type foreign key (practice_id, visit_type_id) references visit_types (practice_id, id),
            constraint visits_location foreign key (practice_id, location_id) references locations (practice_id, id),
            constraint visits_practitioner foreign key (practice_id, practitioner_id)
                references practitioners (practice_id, id),
            constraint visits_in_room foreign key (practice_id, room_id) references rooms (practice_id, id)
        )
    """)
    is_open = "completed_at is null and ended_at is null"
    op.execute(
        "create unique index visits_one_per_appointment on visits (practice_id, appointment_id) where ended_at is null"
    )
    op.execute(
        "create unique index visits_one_open_per_patient on visits (practice_id, patient_id) "
        f"where {is_open} and not recorded_afterwards"
    )
    op.execute(f"create unique index visits_room on visits (practice_id, room_id) where {is_open}")
    op.execute(f"create index visits_floor on visits (practice_id, location_id, checked_in_at, id) where {is_open}")
    op.execute("create index visits_of_patient on visits (practice_id, patient_id, checked_in_at, id)")
    tables.protect("visits")
    op.execute(f"""
        create table visit_flow (
            {PRACTICE_COLUMN},
            visit_id uuid not null,
            revision bigint not null check (revision > 0),
            step text not null check (step in ('waiting', 'roomed', 'with-provider', 'completed', 'ended', 'amended')),
            room_id uuid,
            practitioner_id uuid not null,
            reason text,
            at timestamptz not null,
            actor_id uuid not null,
            primary key (practice_id, visit_id, revision),
            constraint visit_flow_visit foreign key (practice_id, visit_id) references visits (practice_id, id),
            constraint visit_flow_reason check ((step in ('ended', 'amended')) = (reason is not null))
        )
    """)
    tables.append_only("visit_flow")
    op.execute(f"""
        create table performed_tasks (
            {PRACTICE_COLUMN},
            visit_id uuid not null,
            revision bigint not null,
            code text not null check (code ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'),
            quantity integer not null check (quantity between 1 and 99),
            primary key (practice_id, visit_id, revision, code),
            constraint performed_tasks_step foreign key (practice_id, visit_id, revision)
                references visit_flow (practice_id, visit_id, revision)
        )
    """)
    tables.append_only("performed_tasks")


def _create_tasks() -> None:
    op.execute(f"""
        create table tasks (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            visit_id uuid not null,
            patient_id uuid not null,
            code text not null check (code ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'),
            status text not null check (status in ('ready', 'in-progress', 'completed', 'cancelled')),
            required boolean not null,
            waiver_reason text,
            result_sealed bytea,
            added_at timestamptz not null,
            ended_at timestamptz,
            ended_by uuid,
            primary key (practice_id, id),
            constraint tasks_visit foreign key (practice_id, visit_id) references visits (practice_id, id),
            constraint tasks_waived check ((status = 'cancelled') = (waiver_reason is not null)),
            constraint tasks_result check (result_sealed is null or status = 'completed'),
            constraint tasks_ended check ((status in ('completed', 'cancelled')) = (ended_at is not null and ended_by is not null))
        )
    """)
    op.execute("create index tasks_of_visit on tasks (practice_id, visit_id, id)")
    tables.protect("tasks")
    op.execute(f"""
        create table task_results (
            {PRACTICE_COLUMN},
            task_id uuid not null,
            revision bigint not null check (revision > 0),
            result_sealed bytea not null,
            replaced_at timestamptz not null,
            replaced_by uuid not null,
            primary key (practice_id, task_id, revision),
            constraint task_results_task foreign key (practice_id, task_id) references tasks (practice_id, id)
        )
    """)
    tables.append_only("task_results")
