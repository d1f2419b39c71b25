"""Payers, fees, providers and coverages."""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_a_payers_and_coverages"
down_revision = None
branch_labels = None
depends_on = None

tables = Tables("billing")

HCPCS = "'^([A-Z][0-9]{4}|[0-9]{4}[0-9A-Z])$'"
NPI = "'^[0-9]{10}$'"
TAXONOMY = "'^[0-9A-Z]{9}X$'"


def upgrade() -> None:
    tables.create_kit()
    op.execute("create extension if not exists btree_gist")
    _payers()
    _providers()
    _coverages()


def _payers() -> None:
    op.execute(f"""
        create table payers (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            name text not null check (length(name) between 1 and 60),
            payer_id text not null check (payer_id ~ '^[0-9A-Z]{{2,20}}$'),
            filing_indicator text not null check (filing_indicator ~ '^[0-9A-Z]{{2}}$'),
            timely_filing_days integer not null check (timely_filing_days between 1 and 3650),
            address jsonb,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint payers_payer_id unique (practice_id, payer_id)
        )
    """)
    op.execute("create index payers_name on payers (practice_id, name, id)")
    tables.protect("payers")
    op.execute(f"""
        create table fee_schedules (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            name text not null check (length(name) between 1 and 120),
            payer_id uuid,
            valid_from date not null,
            valid_until date check (valid_until >= valid_from),
            currency text not null check (currency ~ '^[A-Z]{{3}}$'),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint fee_schedules_payer foreign key (practice_id, payer_id) references payers (practice_id, id),
            constraint fee_schedules_overlap exclude using gist (
                practice_id with =,
                coalesce(payer_id, '00000000-0000-0000-0000-000000000000'::uuid) with =,
                daterange(valid_from, valid_until, '[]') with &&
            )
        )
    """)
    op.execute("create index fee_schedules_order on fee_schedules (practice_id, valid_from, id)")
    tables.protect("fee_schedules")
    op.execute(f"""
        create table fee_items (
            {PRACTICE_COLUMN},
            fee_schedule_id uuid not null,
            hcpcs_code text not null check (hcpcs_code ~ {HCPCS}),
            modifier text not null check (modifier ~ '^([0-9A-Z]{{2}})?$'),
            charge_cents bigint not null check (charge_cents between 1 and 999999999),
            primary key (practice_id, fee_schedule_id, hcpcs_code, modifier),
            constraint fee_items_schedule foreign key (practice_id, fee_schedule_id) references fee_schedules (practice_id, id)
        )
    """)
    tables.protect("fee_items", app="select, insert, delete")


def _providers() -> None:
    op.execute(f"""
        create table billing_providers (
            {PRACTICE_COLUMN},
            revision bigint not null check (revision > 0),
            organization_name text not null check (length(organization_name) between 1 and 60),
            npi text not null check (npi ~ {NPI}),
            ein_sealed bytea not null,
            ein_ending text not null check (ein_ending ~ '^[0-9]{{4}}$'),
            taxonomy_code text not null check (taxonomy_code ~ {TAXONOMY}),
            address jsonb not null,
            contact jsonb not null,
            submitter_id text not null check (length(submitter_id) between 2 and 15),
            receiver_name text not null check (length(receiver_name) between 1 and 60),
            receiver_id text not null check (length(receiver_id) between 2 and 15),
            usage_indicator text not null check (usage_indicator in ('P', 'T')),
            changed_at timestamptz not null,
            constraint billing_providers_one primary key (practice_id)
        )
    """)
    tables.protect("billing_providers")
    op.execute(f"""
        create table rendering_providers (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            status text not null,
            family_name text,
            given_name text,
            npi text,
            taxonomy_code text,
            primary key (practice_id, id)
        )
    """)
    tables.protect("rendering_providers")


def _coverages() -> None:
    op.execute(f"""
        create table patients (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            status text not null,
            merged_into uuid,
            primary key (practice_id, id)
        )
    """)
    op.execute("create index patients_merged on patients (practice_id, merged_into)")
    tables.protect("patients")
    op.execute(f"""
        create table coverages (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            patient_id uuid not null,
            rank text not null check (rank in ('primary', 'secondary', 'tertiary')),
            payer_id uuid not null,
            member_id_sealed bytea not null,
            member_id_index bytea not null,
            group_number text not null check (length(group_number) <= 50),
            relationship text not null
                check (relationship in ('self', 'spouse', 'child', 'employee', 'life-partner', 'other', 'unknown')),
            insured_sealed bytea not null,
            valid_from date not null,
            valid_until date check (valid_until >= valid_from),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint coverages_payer foreign key (practice_id, payer_id) references payers (practice_id, id),
            constraint coverages_member unique (practice_id, patient_id, payer_id, member_id_index),
            constraint coverages_overlap exclude using gist (
                practice_id with =, patient_id with =, rank with =, daterange(valid_from, valid_until, '[]') with &&
            )
        )
    """)
    op.execute("create index coverages_of on coverages (practice_id, patient_id, rank, valid_from)")
    tables.protect("coverages")
