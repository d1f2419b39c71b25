"""Hot queries use their index under row-level security: EXPLAIN as the app role on a practice with some years of rows."""

from collections.abc import Iterator
from datetime import date
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest_asyncio
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from praxis.kit.unit_of_work import Session
from services.scheduling.appointments.queries import OCCUPIED, appointments
from services.scheduling.patients.queries import namesakes, patients
from services.scheduling.visits.queries import visits_of_patient, visits_on_floor
from tests.support.scheduling import TEN, Clinic, at, new_clinic
from tests.support.servers import Servers

YEARS_OF_APPOINTMENTS = """
insert into appointments (id, revision, correlation_id, status, patient_id, visit_type_id, visit_type_code, location_id,
                          practitioner_id, room_id, starts_at, ends_at, local_start, time_zone, tzdata_version, channel, changed_at)
select gen_random_uuid(), 1, a.id, 'booked', patient_id, visit_type_id, visit_type_code, location_id, practitioner_id, room_id,
       starts_at + n * interval '2 hours', ends_at + n * interval '2 hours', local_start, time_zone, tzdata_version, channel,
       changed_at
from appointments a, generate_series(1, 2000) n
"""
THEIR_OCCUPANCIES = """
insert into occupancies (appointment_id, resource_id, kind, starts_at, ends_at)
select id, needed.resource_id, needed.kind, starts_at, ends_at from appointments,
       lateral (values (room_id, 'room'), (patient_id, 'patient')) needed (resource_id, kind)
where id <> correlation_id
"""
MANY_PATIENTS = """
insert into patients (id, revision, status, mrn, family_name, given_name, family_key, given_key, birth_on, sex,
                      confirmed_new, changed_at)
select gen_random_uuid(), 1, 'active', 'N-' || n, 'x', 'x', md5(n::text), 'x', birth_on + n, sex, false, changed_at
from patients p, generate_series(1, 2000) n
"""
MANY_VISITS = """
insert into visits (id, revision, correlation_id, stage, patient_id, visit_type_id, visit_type_code, needs_room, location_id,
                    practitioner_id, checked_in_at, completed_at, changed_at)
select gen_random_uuid(), 1, id, 'completed', patient_id, visit_type_id, visit_type_code, false, location_id, practitioner_id,
       starts_at, starts_at, changed_at from appointments
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="clinic")
async def clinic_of_some_years(scheduling: Harness, servers: Servers) -> Clinic:
    clinic = await new_clinic(scheduling)
    await clinic.booked(TEN)
    for statement in (YEARS_OF_APPOINTMENTS, THEIR_OCCUPANCIES, MANY_PATIENTS, MANY_VISITS):
        await clinic.practice.sql(statement)
    await clinic.walked_in()
    owner = await asyncpg.connect(f"{servers.admin_dsn.rsplit('/', 1)[0]}/scheduling")
    await owner.execute("analyze")
    await owner.close()
    return clinic


class Asked:
    """Stands where a session stands and keeps the statement instead of running it."""

    def __init__(self) -> None:
        self.statement: Executable | None = None

    async def all(self, statement: Executable) -> list[Any]:
        self.statement = statement
        return []

    scalars = all

    @property
    def session(self) -> Session:
        return cast(Session, self)

    @property
    def sql(self) -> str:
        return str(self.statement.compile(dialect=dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[union-attr]


async def conditions(clinic: Clinic, sql: str, *arguments: Any) -> tuple[str, str]:
    """Return the index conditions and the filters of the plan."""
    async with clinic.practice.session() as session:
        plan = await session.driver.fetchval(f"explain (format json) {sql}", *arguments)
    nodes = list(_nodes(plan[0]["Plan"]))
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    index, rest = ("; ".join(node.get(part, "") for node in nodes) for part in ("Index Cond", "Filter"))
    return index, rest


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


async def test_the_day_list_reads_only_its_day(clinic: Clinic):
    asked = Asked()
    location, practitioner = UUID(clinic.location_id), UUID(clinic.practitioner_id)
    for where in ((None, None), (location, None), (None, practitioner)):
        await appointments(asked.session, (at(120_000), at(121_440)), None, *where, None, 50)
        index, rest = await conditions(clinic, asked.sql)
        assert "starts_at >=" in index
        assert "starts_at <" in index
        assert "_id" not in rest.replace("practice_id", "")
        assert ("location_id" in index, "practitioner_id" in index) == tuple(one is not None for one in where)


async def test_the_search_for_what_is_busy_reads_only_around_the_asked_time(clinic: Clinic):
    index, _ = await conditions(
        clinic, OCCUPIED, [UUID(clinic.room_id), UUID(clinic.patient_id)], at(120_000), at(120_030), new_id()
    )
    for part in ("practice_id", "resource_id", "starts_at >", "starts_at <"):
        assert part in index


async def test_the_search_by_name_reads_only_names_with_the_prefix(clinic: Clinic):
    asked = Asked()
    await patients(asked.session, "Müll", None, None, None, 50)
    index, rest = await conditions(clinic, asked.sql)
    assert "family_key >= 'mull'" in index
    assert "family_key <" in index
    assert rest.strip("; ") == ""


async def test_the_searches_by_birth_date_number_and_namesake_use_an_index(clinic: Clinic):
    asked = Asked()
    await patients(asked.session, None, date(1980, 5, 17), None, None, 50)
    assert "birth_on =" in (await conditions(clinic, asked.sql))[0]
    await patients(asked.session, None, None, "M-1", None, 50)
    assert "mrn_key =" in (await conditions(clinic, asked.sql))[0]
    await namesakes(asked.session, "testperson", "tilda", date(1980, 5, 17))
    assert "given_key =" in (await conditions(clinic, asked.sql))[0]


async def test_the_floor_reads_only_open_visits_of_the_location(clinic: Clinic):
    asked = Asked()
    await visits_on_floor(asked.session, UUID(clinic.location_id), None, 50)
    index, rest = await conditions(clinic, asked.sql)
    assert "location_id" in index
    assert "location_id" not in rest


async def test_the_lists_of_a_patient_read_only_theirs(clinic: Clinic):
    asked = Asked()
    for question in (
        appointments(asked.session, None, new_id(), None, None, None, 50),
        visits_of_patient(asked.session, new_id(), None, 50),
    ):
        await question
        index, rest = await conditions(clinic, asked.sql)
        assert "patient_id =" in index
        assert "patient_id" not in rest
