"""Charge sheets, claims and the ledger."""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_b_charges_claims_ledger"
down_revision = "2026_11_22_a_payers_and_coverages"
branch_labels = None
depends_on = None

tables = Tables("billing")

HCPCS = "'^([A-Z][0-9]{4}|[0-9]{4}[0-9A-Z])$'"
ACCOUNTS = (
    "'1010', '1020', '1030', '1040', '1100', '1110', '1150', '1200', '2010', '2020', '2100', '2110', '2120', '2130', "
    "'4000', '4900', '4910', '4920', '4930', '4940', '4950', '5100', '5200', '5300', '5400', '5900', '9000'"
)


def upgrade() -> None:
    _sheets()
    _signed_charges()
    _claims()
    _ledger()
    _balance()


def _sheets() -> None:
    op.execute(f"""
        create table charge_sheets (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            version integer not null check (version > 0),
            state text not null check (state in ('open', 'coded', 'signed', 'reopened')),
            visit_id uuid not null,
            visit_revision bigint not null,
            visit_type_code text not null,
            patient_id uuid not null,
            location_id uuid not null,
            practitioner_id uuid,
            served_at timestamptz not null,
            diagnoses_sealed bytea,
            self_pay_reason text check (self_pay_reason in ('no-active-primary-coverage')),
            correlation_id uuid not null,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint charge_sheets_visit unique (practice_id, visit_id),
            constraint charge_sheets_self_pay check (state = 'signed' or self_pay_reason is null),
            constraint charge_sheets_coded check (state not in ('coded', 'signed') or diagnoses_sealed is not null)
        )
    """)
    op.execute("create index charge_sheets_state on charge_sheets (practice_id, state, id)")
    tables.protect("charge_sheets")
    op.execute(f"""
        create table charge_lines (
            {PRACTICE_COLUMN},
            charge_sheet_id uuid not null,
            version integer not null,
            number integer not null check (number between 1 and 50),
            hcpcs_code text not null check (hcpcs_code ~ {HCPCS}),
            modifiers text[] not null check (cardinality(modifiers) <= 4),
            units integer not null check (units between 1 and 9999),
            diagnosis_pointers integer[] not null check (cardinality(diagnosis_pointers) between 1 and 4),
            charge_cents bigint check (charge_cents between 1 and 999999999),
            primary key (practice_id, charge_sheet_id, version, number),
            constraint charge_lines_sheet foreign key (practice_id, charge_sheet_id) references charge_sheets (practice_id, id)
        )
    """)
    tables.protect("charge_lines", app="select, insert, update, delete")
    op.execute(f"""
        create table visit_supplies (
            {PRACTICE_COLUMN},
            visit_id uuid not null,
            revision bigint not null check (revision > 0),
            lines jsonb not null,
            cost_cents bigint not null,
            currency text not null check (currency ~ '^[A-Z]{{3}}$'),
            occurred_at timestamptz not null,
            primary key (practice_id, visit_id)
        )
    """)
    tables.protect("visit_supplies")


def _signed_charges() -> None:
    op.execute(f"""
        create table signed_charges (
            {PRACTICE_COLUMN},
            charge_sheet_id uuid not null,
            version integer not null check (version > 0),
            service_on date not null,
            signed_at timestamptz not null,
            signed_by uuid not null,
            rendered_by uuid not null,
            coverage_id uuid,
            self_pay_reason text check (self_pay_reason in ('no-active-primary-coverage')),
            diagnoses_sealed bytea not null,
            total_cents bigint not null check (total_cents > 0),
            currency text not null check (currency ~ '^[A-Z]{{3}}$'),
            primary key (practice_id, charge_sheet_id, version),
            constraint signed_charges_sheet foreign key (practice_id, charge_sheet_id) references charge_sheets (practice_id, id),
            constraint signed_charges_coverage foreign key (practice_id, coverage_id) references coverages (practice_id, id),
            constraint signed_charges_payer_or_self check ((coverage_id is null) = (self_pay_reason is not null))
        )
    """)
    tables.append_only("signed_charges")
    op.execute("""
        create function refuse_change_of_signed_lines() returns trigger language plpgsql as $$
        declare
            line charge_lines := case when tg_op = 'INSERT' then new else old end;
        begin
            if exists (select from signed_charges s where s.practice_id = line.practice_id
                       and s.charge_sheet_id = line.charge_sheet_id and s.version = line.version) then
                raise exception 'the charge sheet is signed: its lines do not change'
                    using errcode = 'restrict_violation', constraint = 'charge_lines_signed';
            end if;
            return case when tg_op = 'DELETE' then old else new end;
        end $$
    """)
    op.execute(
        "create trigger charge_lines_signed before insert or update or delete on charge_lines "
        "for each row execute function refuse_change_of_signed_lines()"
    )


def _claims() -> None:
    op.execute(f"""
        create table service_locations (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            code text not null,
            place_of_service text not null,
            status text not null,
            primary key (practice_id, id)
        )
    """)
    tables.protect("service_locations")
    op.execute(f"""
        create table claim_numbers (
            {PRACTICE_COLUMN},
            kind text not null check (kind in ('claim', 'interchange')),
            number bigint not null check (number between 1 and 999999999),
            primary key (practice_id, kind)
        )
    """)
    tables.protect("claim_numbers")
    op.execute(f"""
        create table claims (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            state text not null check (state in ('draft', 'edit-hold', 'ready', 'voided')),
            control_number text not null check (length(control_number) between 1 and 20),
            visit_id uuid not null,
            charge_sheet_id uuid not null,
            sheet_version integer not null,
            patient_id uuid not null,
            coverage_id uuid not null,
            payer_id uuid not null,
            location_id uuid not null,
            practitioner_id uuid,
            service_on date not null,
            diagnoses_sealed bytea not null,
            total_cents bigint not null check (total_cents > 0),
            currency text not null check (currency ~ '^[A-Z]{{3}}$'),
            findings jsonb not null,
            interchange_number bigint,
            x12_sealed bytea,
            x12_sha256 bytea check (length(x12_sha256) = 32),
            correlation_id uuid not null,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint claims_sheet_version unique (practice_id, charge_sheet_id, sheet_version),
            constraint claims_control_number unique (practice_id, control_number),
            constraint claims_interchange_number unique (practice_id, interchange_number),
            constraint claims_coverage foreign key (practice_id, coverage_id) references coverages (practice_id, id),
            constraint claims_payer foreign key (practice_id, payer_id) references payers (practice_id, id),
            constraint claims_file check ((x12_sealed is null) = (x12_sha256 is null)
                                          and (x12_sealed is null) = (interchange_number is null)
                                          and (state <> 'ready' or x12_sealed is not null))
        )
    """)
    op.execute("create index claims_state on claims (practice_id, state, id)")
    op.execute("create index claims_visit on claims (practice_id, visit_id)")
    tables.protect("claims")
    op.execute(f"""
        create table claim_lines (
            {PRACTICE_COLUMN},
            claim_id uuid not null,
            number integer not null check (number between 1 and 50),
            hcpcs_code text not null check (hcpcs_code ~ {HCPCS}),
            modifiers text[] not null check (cardinality(modifiers) <= 4),
            units integer not null check (units > 0),
            diagnosis_pointers integer[] not null check (cardinality(diagnosis_pointers) between 1 and 4),
            charge_cents bigint not null check (charge_cents > 0),
            primary key (practice_id, claim_id, number),
            constraint claim_lines_claim foreign key (practice_id, claim_id) references claims (practice_id, id)
        )
    """)
    tables.append_only("claim_lines")


def _ledger() -> None:
    op.execute(f"""
        create table ledger_heads (
            {PRACTICE_COLUMN},
            number bigint not null check (number >= 0),
            hash bytea not null check (length(hash) = 32),
            primary key (practice_id)
        )
    """)
    tables.protect("ledger_heads")
    op.execute(f"""
        create table ledger_entries (
            {PRACTICE_COLUMN},
            id uuid not null,
            number bigint not null check (number > 0),
            accounting_on date not null,
            source_type text not null check (source_type ~ '^[a-z][a-z-]{{1,40}}$'),
            source_id uuid not null,
            purpose text not null check (purpose ~ '^[a-z][a-z0-9-]{{1,60}}$'),
            currency text not null check (currency ~ '^[A-Z]{{3}}$'),
            total_cents bigint not null check (total_cents > 0),
            posting_count integer not null check (posting_count >= 2),
            posted_at timestamptz not null,
            prev_hash bytea not null check (length(prev_hash) = 32),
            hash bytea not null check (length(hash) = 32),
            primary key (practice_id, id),
            constraint ledger_entries_number unique (practice_id, number),
            constraint ledger_entries_chain unique (practice_id, prev_hash),
            constraint ledger_entries_source unique (practice_id, source_type, source_id, purpose)
        )
    """)
    op.execute("create index ledger_entries_source_id on ledger_entries (practice_id, source_id, number)")
    tables.append_only("ledger_entries")
    op.execute(f"""
        create table ledger_postings (
            {PRACTICE_COLUMN},
            entry_id uuid not null,
            position integer not null check (position > 0),
            account text not null,
            debit_cents bigint not null check (debit_cents >= 0),
            credit_cents bigint not null check (credit_cents >= 0),
            primary key (practice_id, entry_id, position),
            constraint ledger_postings_account check (account in ({ACCOUNTS})),
            constraint ledger_postings_one_side check ((debit_cents > 0) <> (credit_cents > 0)),
            constraint ledger_postings_entry foreign key (practice_id, entry_id) references ledger_entries (practice_id, id)
        )
    """)
    tables.append_only("ledger_postings")


def _balance() -> None:
    op.execute("""
        create function require_balanced_entry(of_practice uuid, of_entry uuid) returns void language plpgsql as $$
        declare
            wanted record;
            found record;
        begin
            select e.posting_count, e.total_cents into wanted
            from ledger_entries e where e.practice_id = of_practice and e.id = of_entry;
            select count(*) as postings, sum(p.debit_cents) as debits, sum(p.credit_cents) as credits into found
            from ledger_postings p where p.practice_id = of_practice and p.entry_id = of_entry;
            if found.postings <> wanted.posting_count or found.debits is distinct from found.credits
               or found.debits is distinct from wanted.total_cents then
                raise exception 'the postings of a ledger entry are not the balanced ones it was made with'
                    using errcode = 'check_violation', constraint = 'ledger_entries_balanced';
            end if;
        end $$
    """)
    for table, entry in (("ledger_entries", "id"), ("ledger_postings", "entry_id")):
        op.execute(f"""
            create function require_balance_of_{table}() returns trigger language plpgsql as $$
            begin
                perform require_balanced_entry(new.practice_id, new.{entry});
                return null;
            end $$
        """)
        op.execute(
            f"create constraint trigger {table}_balanced after insert on {table} deferrable initially deferred "
            f"for each row execute function require_balance_of_{table}()"
        )
