"""Catalogue, stock and usage.

Balances cannot drift from movements because nobody can write a balance: the app role may only read `balances` and only add to
`movements`, and the trigger function `post_movement` carries each movement over. It runs as the owner of the tables (SECURITY
DEFINER), past row-level security, so each of its statements names the practice of the movement, whose own row the policy has
already held against the transaction's practice; its search_path is empty and every name is qualified. A deferred trigger that
compares sums at commit would only find drift, and would read a lot's whole history each time.
"""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = "2026_11_22_catalog_stock_and_usage"
down_revision = None
branch_labels = None
depends_on = None

tables = Tables("inventory")


def upgrade() -> None:
    tables.create_kit()
    op.execute("create extension if not exists btree_gist")
    _create_catalog()
    _create_places()
    _create_lots()
    _create_movements()
    _create_balances()
    _create_posting()
    _create_kits()
    _create_usages()


def _create_catalog() -> None:
    op.execute(f"""
        create table items (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            sku text not null check (length(sku) between 1 and 40),
            name text not null check (length(name) between 1 and 120),
            kind text not null check (kind in ('supply', 'drug', 'vaccine', 'reagent', 'office')),
            base_unit text not null check (base_unit ~ '^[a-z][a-z0-9-]{{0,19}}$'),
            tracking text not null check (tracking in ('none', 'lot')),
            hcpcs_code text check (hcpcs_code ~ '^[0-9A-Z][0-9]{{3}}[0-9A-Z]$'),
            gtin text check (gtin ~ '^[0-9]{{14}}$'),
            storage_class text not null check (storage_class in ('room', 'refrigerated', 'frozen')),
            status text not null check (status in ('active', 'inactive')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint items_sku unique (practice_id, sku),
            constraint items_gtin unique (practice_id, gtin),
            constraint items_kind unique (practice_id, id, kind),
            constraint items_traceable check (kind not in ('drug', 'vaccine') or tracking = 'lot')
        )
    """)
    # Kind, base unit and tracking are not granted for update: they say what past quantities mean.
    changeable = "revision, name, hcpcs_code, gtin, storage_class, status, changed_at"
    tables.protect("items", f"select, insert, update ({changeable})")
    op.execute(f"""
        create table item_packs (
            {PRACTICE_COLUMN},
            id uuid not null,
            item_id uuid not null,
            name text not null check (length(name) between 1 and 120),
            factor integer not null check (factor > 1),
            gtin text check (gtin ~ '^[0-9]{{14}}$'),
            primary key (practice_id, id),
            constraint item_packs_name unique (practice_id, item_id, name),
            constraint item_packs_gtin unique (practice_id, gtin),
            constraint item_packs_item foreign key (practice_id, item_id) references items (practice_id, id)
        )
    """)
    tables.protect("item_packs", "select, insert")


def _create_places() -> None:
    op.execute(f"""
        create table locations (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision >= 0),
            code text,
            time_zone text,
            status text check (status in ('active', 'inactive')),
            primary key (practice_id, id),
            constraint locations_stub check ((revision = 0) = (code is null and time_zone is null and status is null))
        )
    """)
    tables.protect("locations")
    op.execute(f"""
        create table places (
            {PRACTICE_COLUMN},
            id uuid not null,
            location_id uuid not null,
            parent_id uuid,
            kind text not null check (kind in ('stock', 'quarantine')),
            name text not null check (length(name) between 1 and 120),
            primary key (practice_id, id),
            constraint places_name unique (practice_id, location_id, kind, name),
            constraint places_site unique (practice_id, location_id, id),
            constraint places_location foreign key (practice_id, location_id) references locations (practice_id, id),
            constraint places_parent foreign key (practice_id, location_id, parent_id)
                references places (practice_id, location_id, id)
        )
    """)
    tables.protect("places", "select, insert")


def _create_lots() -> None:
    # One row per maker's lot and price: the cost of a lot stays what was paid for it. A lot bought again at another price is a
    # second row with the same code, which the exclusion holds to the same expiry. A null code is an item without lots.
    op.execute(f"""
        create table lots (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            item_id uuid not null,
            lot_code text check (length(lot_code) between 1 and 20 and lot_code = btrim(lot_code)),
            expires_on date,
            received_at timestamptz not null,
            unit_cost_micros bigint not null check (unit_cost_micros >= 0),
            status text not null check (status in ('available', 'hold', 'quarantined', 'recalled')),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint lots_price unique (practice_id, item_id, lot_code, unit_cost_micros),
            constraint lots_item unique (practice_id, id, item_id),
            constraint lots_of_item foreign key (practice_id, item_id) references items (practice_id, id),
            constraint lots_one_expiry exclude using gist (
                practice_id with =, item_id with =, lot_code with =, coalesce(expires_on, date '9999-12-31') with <>)
        )
    """)
    tables.protect("lots", "select, insert, update (revision, status, changed_at)")


def _create_movements() -> None:
    # The foreign key of a reversal makes it take back the same lot from where the original brought it.
    op.execute(f"""
        create table movements (
            {PRACTICE_COLUMN},
            id uuid not null,
            item_id uuid not null,
            lot_id uuid not null,
            quantity bigint not null check (quantity > 0),
            source text not null check (source in ('place', 'supplier', 'used', 'adjust', 'waste')),
            source_place_id uuid,
            target text not null check (target in ('place', 'supplier', 'used', 'adjust', 'waste')),
            target_place_id uuid,
            reason text not null check (reason ~ '^[a-z][a-z-]{{1,40}}$'),
            occurred_at timestamptz not null,
            recorded_at timestamptz not null,
            document text not null check (document in ('receipt', 'adjustment', 'issue', 'usage')),
            document_id uuid not null,
            document_revision bigint not null check (document_revision > 0),
            line integer not null check (line > 0),
            reverses uuid,
            primary key (practice_id, id),
            constraint movements_effect unique (practice_id, document_id, document_revision, line),
            constraint movements_reversible unique (practice_id, id, lot_id, target),
            constraint movements_lot foreign key (practice_id, lot_id, item_id)
                references lots (practice_id, id, item_id),
            constraint movements_source_place foreign key (practice_id, source_place_id)
                references places (practice_id, id),
            constraint movements_target_place foreign key (practice_id, target_place_id)
                references places (practice_id, id),
            constraint movements_reverses foreign key (practice_id, reverses, lot_id, source)
                references movements (practice_id, id, lot_id, target),
            constraint movements_source check ((source = 'place') = (source_place_id is not null)),
            constraint movements_target check ((target = 'place') = (target_place_id is not null)),
            constraint movements_both_virtual check (source = 'place' or target = 'place'),
            constraint movements_nowhere check (source_place_id <> target_place_id)
        )
    """)
    op.execute("create index movements_of_item on movements (practice_id, item_id, id)")
    op.execute("create index movements_of_lot on movements (practice_id, lot_id, id)")
    tables.append_only("movements")


def _create_balances() -> None:
    op.execute(f"""
        create table balances (
            {PRACTICE_COLUMN},
            lot_id uuid not null,
            place_id uuid not null,
            item_id uuid not null,
            on_hand bigint not null,
            primary key (practice_id, lot_id, place_id),
            constraint balances_lot foreign key (practice_id, lot_id, item_id)
                references lots (practice_id, id, item_id),
            constraint balances_place foreign key (practice_id, place_id) references places (practice_id, id),
            constraint balances_not_negative check (on_hand >= 0)
        ) with (fillfactor = 70)
    """)
    op.execute("create index balances_of_item on balances (practice_id, item_id, place_id)")
    tables.protect("balances", "select")
    op.execute(f"""
        create table reversals (
            {PRACTICE_COLUMN},
            movement_id uuid not null,
            original bigint not null,
            reversed bigint not null,
            primary key (practice_id, movement_id),
            constraint reversals_movement foreign key (practice_id, movement_id) references movements (practice_id, id),
            constraint reversals_at_most_original check (reversed between 1 and original)
        )
    """)
    tables.protect("reversals", "select")


def _create_posting() -> None:
    # A new balance below zero is inserted on purpose when there is none to update: the CHECK says what is wrong with it.
    op.execute("""
        create function post_movement() returns trigger language plpgsql security definer set search_path = '' as $$
        begin
            if new.target = 'used' then
                perform public.require_usable(new.practice_id, new.lot_id, new.source_place_id, new.occurred_at);
            end if;
            if new.source = 'place' then
                update public.balances b set on_hand = b.on_hand - new.quantity
                where b.practice_id = new.practice_id and b.lot_id = new.lot_id and b.place_id = new.source_place_id;
                if not found then
                    insert into public.balances (practice_id, lot_id, place_id, item_id, on_hand)
                    values (new.practice_id, new.lot_id, new.source_place_id, new.item_id, -new.quantity);
                end if;
            end if;
            if new.target = 'place' then
                insert into public.balances as b (practice_id, lot_id, place_id, item_id, on_hand)
                values (new.practice_id, new.lot_id, new.target_place_id, new.item_id, new.quantity)
                on conflict (practice_id, lot_id, place_id) do update set on_hand = b.on_hand + excluded.on_hand;
            end if;
            if new.reverses is not null then
                insert into public.reversals as r (practice_id, movement_id, original, reversed)
                select m.practice_id, m.id, m.quantity, new.quantity from public.movements m
                where m.practice_id = new.practice_id and m.id = new.reverses
                on conflict (practice_id, movement_id) do update set reversed = r.reversed + excluded.reversed;
            end if;
            return null;
        end $$
    """)
    # The lot is locked so that a hold decided at the same time either comes first and refuses, or waits for this commit.
    op.execute("""
        create function require_usable(practice uuid, lot uuid, place uuid, at timestamptz) returns void
        language plpgsql set search_path = '' as $$
        begin
            perform from public.lots l
                join public.places p on p.practice_id = l.practice_id and p.id = place
                join public.practices c on c.practice_id = l.practice_id
            where l.practice_id = practice and l.id = lot and l.status = 'available' and p.kind = 'stock'
              and (l.expires_on is null or (at at time zone c.time_zone)::date <= l.expires_on)
            for no key update of l;
            if not found then
                raise exception 'lot % may not be used', lot
                    using errcode = 'check_violation', constraint = 'movements_usable';
            end if;
        end $$
    """)
    op.execute("revoke execute on function require_usable(uuid, uuid, uuid, timestamptz) from public")
    op.execute("create trigger movements_post after insert on movements for each row execute function post_movement()")


def _create_kits() -> None:
    op.execute(f"""
        create table kits (
            {PRACTICE_COLUMN},
            id uuid not null,
            revision bigint not null check (revision > 0),
            code text not null check (code ~ '^[a-z0-9][a-z0-9-]{{0,39}}$'),
            name text not null check (length(name) between 1 and 120),
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint kits_code unique (practice_id, code)
        )
    """)
    tables.protect("kits", "select, insert, update (revision, name, changed_at)")
    op.execute(f"""
        create table kit_versions (
            {PRACTICE_COLUMN},
            kit_id uuid not null,
            number bigint not null check (number > 0),
            valid_from timestamptz not null,
            valid_to timestamptz,
            primary key (practice_id, kit_id, number),
            constraint kit_versions_kit foreign key (practice_id, kit_id) references kits (practice_id, id),
            constraint kit_versions_period check (valid_to >= valid_from),
            constraint kit_versions_one_at_a_time exclude using gist (
                practice_id with =, kit_id with =, tstzrange(valid_from, valid_to) with &&)
        )
    """)
    tables.protect("kit_versions", "select, insert, update (valid_to)")
    op.execute(f"""
        create table kit_lines (
            {PRACTICE_COLUMN},
            kit_id uuid not null,
            number bigint not null,
            item_id uuid not null,
            item_kind text not null,
            mode text not null check (mode in ('auto', 'confirm')),
            quantity bigint not null check (quantity > 0),
            primary key (practice_id, kit_id, number, item_id),
            constraint kit_lines_version foreign key (practice_id, kit_id, number)
                references kit_versions (practice_id, kit_id, number),
            constraint kit_lines_item foreign key (practice_id, item_id, item_kind)
                references items (practice_id, id, kind),
            constraint kit_lines_auto check (mode = 'confirm' or item_kind in ('supply', 'reagent'))
        )
    """)
    tables.protect("kit_lines", "select, insert")
    op.execute(f"""
        create table kit_triggers (
            {PRACTICE_COLUMN},
            kit_id uuid not null,
            number bigint not null,
            code text not null check (length(code) between 1 and 60),
            valid_from timestamptz not null,
            valid_to timestamptz,
            primary key (practice_id, kit_id, number, code),
            constraint kit_triggers_version foreign key (practice_id, kit_id, number)
                references kit_versions (practice_id, kit_id, number),
            constraint kit_triggers_period check (valid_to >= valid_from),
            constraint kit_triggers_code exclude using gist (
                practice_id with =, code with =, tstzrange(valid_from, valid_to) with &&)
        )
    """)
    op.execute("create index kit_triggers_by_code on kit_triggers (practice_id, code, valid_from)")
    tables.protect("kit_triggers", "select, insert, update (valid_to)")


def _create_usages() -> None:
    op.execute(f"""
        create table usages (
            {PRACTICE_COLUMN},
            id uuid not null,
            visit_id uuid not null,
            revision bigint not null check (revision >= 0),
            location_id uuid not null,
            occurred_at timestamptz not null,
            cost_cents bigint not null check (cost_cents >= 0),
            announced boolean not null,
            changed_at timestamptz not null,
            primary key (practice_id, id),
            constraint usages_visit unique (practice_id, visit_id)
        )
    """)
    changeable = "revision, location_id, occurred_at, cost_cents, announced, changed_at"
    tables.protect("usages", f"select, insert, update ({changeable})")
    op.execute(f"""
        create table usage_needs (
            {PRACTICE_COLUMN},
            usage_id uuid not null,
            revision bigint not null check (revision > 0),
            item_id uuid not null,
            mode text not null check (mode in ('auto', 'confirm')),
            requested bigint not null check (requested > 0),
            granted bigint not null,
            primary key (practice_id, usage_id, revision, item_id, mode),
            constraint usage_needs_usage foreign key (practice_id, usage_id) references usages (practice_id, id),
            constraint usage_needs_item foreign key (practice_id, item_id) references items (practice_id, id),
            constraint usage_needs_granted check (granted between 0 and requested)
        )
    """)
    tables.append_only("usage_needs")
    # Counts the times an item ran short: the revision of stock.ran-short.
    op.execute(f"""
        create table shortages (
            {PRACTICE_COLUMN},
            item_id uuid not null,
            revision bigint not null check (revision > 0),
            primary key (practice_id, item_id),
            constraint shortages_item foreign key (practice_id, item_id) references items (practice_id, id)
        )
    """)
    tables.protect("shortages", "select, insert, update (revision)")
