"""People and credentials."""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_people_and_credentials"
down_revision = None
branch_labels = None
depends_on = None

tables = Tables("staff")


def upgrade() -> None:
    tables.create_kit()
    op.execute(f"""
        create table staff_members (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            role text not null check (role in ('medical_office_manager', 'lead_medical_assistant', 'medical_assistant',
                                               'provider', 'receptionist', 'biller')),
            status text not null check (status in ('active', 'inactive')),
            family_name text not null check (length(family_name) between 1 and 60),
            given_name text not null check (length(given_name) between 1 and 60),
            npi text check (npi ~ '^[0-9]{{10}}$'),
            taxonomy_code text check (taxonomy_code ~ '^[0-9A-Z]{{9}}X$'),
            hired_on date not null,
            ended_on date,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint staff_members_npi unique (practice_id, npi),
            constraint staff_members_provider check (role <> 'provider' or (npi is not null and taxonomy_code is not null)),
            constraint staff_members_left_after_hired check (ended_on >= hired_on),
            constraint staff_members_left check ((status = 'inactive') = (ended_on is not null))
        )
    """)
    op.execute("create index staff_members_name on staff_members (practice_id, family_name, id)")
    tables.protect("staff_members")
    op.execute(f"""
        create table credentials (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            staff_member_id uuid not null,
            kind text not null check (kind ~ '^[a-z][a-z0-9-]{{1,40}}$'),
            issuer text not null check (length(issuer) between 1 and 120),
            number_sealed bytea not null,
            number_index bytea not null,
            status text not null check (status in ('unverified', 'verified', 'revoked')),
            valid_from date not null,
            valid_until date check (valid_until >= valid_from),
            verified_at timestamptz,
            verified_by uuid,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint credentials_staff_member foreign key (practice_id, staff_member_id)
                references staff_members (practice_id, id),
            constraint credentials_number unique (practice_id, kind, issuer, number_index, valid_from),
            constraint credentials_verified check ((status = 'verified') <= (verified_at is not null and verified_by is not null))
        )
    """)
    op.execute("create index credentials_of on credentials (practice_id, staff_member_id, valid_until)")
    tables.protect("credentials")
