"""Hot queries use their index under row-level security: EXPLAIN as the app role on a practice with some thousand rows."""

from datetime import date

import pytest_asyncio

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from services.billing.charges.queries import charge_sheets
from services.billing.coverage.queries import active_primary, coverages
from services.billing.ledger.queries import entries
from tests.support.billing import BillingDesk, ready_desk
from tests.support.plans import Asked, analyze, conditions, copy_rows
from tests.support.servers import Servers

MANY = "generate_series(1, 2000) n"
MANY_PATIENTS = (
    "insert into patients (id, revision, status) select gen_random_uuid(), 1, 'active' from generate_series(1, 2000)"
)
MANY_ENTRIES = """
with entry as (
    insert into ledger_entries
    select (jsonb_populate_record(it, jsonb_build_object(
        'id', gen_random_uuid(), 'number', it.number + n, 'source_id', gen_random_uuid(),
        'prev_hash', sha256(int8send(n)), 'hash', sha256(int8send(n + 1))
    ))).* from ledger_entries it, generate_series(1, 2000) n returning id
)
insert into ledger_postings
select (jsonb_populate_record(p, jsonb_build_object('entry_id', entry.id))).* from ledger_postings p, entry
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="desk")
async def busy_desk(billing: Harness, servers: Servers) -> BillingDesk:
    desk = await ready_desk(billing)
    await desk.signed(await desk.opened())
    await copy_rows(desk.practice, "charge_sheets", MANY, id="gen_random_uuid()", visit_id="gen_random_uuid()")
    await desk.practice.sql(MANY_PATIENTS)
    await copy_rows(desk.practice, "coverages", MANY, id="gen_random_uuid()", patient_id="gen_random_uuid()")
    await desk.practice.sql(MANY_ENTRIES)
    await analyze(servers, "billing")
    return desk


async def test_the_sheet_of_a_visit_is_found_by_its_index(desk: BillingDesk):
    asked = Asked()
    await charge_sheets(asked.session, None, new_id(), None, 50)
    index, rest = await conditions(desk.practice, asked.statements[0])
    assert "visit_id =" in index
    assert "visit_id" not in rest


async def test_sheets_of_one_state_are_listed_without_reading_the_others(desk: BillingDesk):
    asked = Asked()
    await charge_sheets(asked.session, "open", None, (str(new_id()),), 50)
    index, rest = await conditions(desk.practice, asked.statements[0])
    assert "state =" in index
    assert "id >" in index
    assert rest.strip("; ") == ""


async def test_a_page_of_the_ledger_reads_only_its_entries(desk: BillingDesk):
    asked = Asked()
    await entries(asked.session, None, (1900,), 50)
    index, rest = await conditions(desk.practice, asked.statements[0])
    assert "number >" in index
    assert rest.strip("; ") == ""


async def test_the_entries_of_a_source_are_found_by_their_index(desk: BillingDesk):
    asked = Asked()
    await entries(asked.session, new_id(), None, 50)
    index, rest = await conditions(desk.practice, asked.statements[0])
    assert "source_id =" in index
    assert rest.strip("; ") == ""


async def test_the_coverages_of_a_patient_are_found_by_their_index(desk: BillingDesk):
    asked = Asked()
    await coverages(asked.session, desk.patient_id, None, 50)
    index, rest = await conditions(desk.practice, asked.statements[0])
    assert "patient_id =" in index
    assert "patient_id" not in rest


async def test_the_coverage_of_a_day_is_found_by_the_records_of_the_patient(desk: BillingDesk):
    asked = Asked()
    await active_primary(asked.session, desk.patient_id, date(2027, 2, 1))
    for question in asked.statements:
        index, rest = await conditions(desk.practice, question)
        assert "id = " in index
        assert "patient_id" not in rest
        assert "merged_into" not in rest
    assert "merged_into =" in index
    assert "patient_id =" in index
