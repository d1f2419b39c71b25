"""What the database itself refuses, whoever asks."""

import asyncpg
import pytest

from praxis.kit.db import Database, UnsafeDatabase
from praxis.kit.settings import role_name
from praxis.kit.testing import Harness
from tests.support.servers import Servers

PERSON = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}


async def connect(harness: Harness, kind: str) -> asyncpg.Connection:
    return await asyncpg.connect(harness.settings.role_dsn(kind))


async def test_without_a_practice_or_after_one_no_row_is_seen(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", PERSON)
    connection = await connect(staff, "app")
    try:
        assert await connection.fetch("select * from staff_members") == []
        async with connection.transaction():
            await connection.execute("select set_config('app.practice_id', $1, true)", str(practice.practice_id))
            assert len(await connection.fetch("select * from staff_members")) == 1
        assert await connection.fetch("select * from staff_members") == []
    finally:
        await connection.close()


async def test_a_row_of_another_practice_cannot_be_written(staff: Harness):
    here, there = await staff.practice(), await staff.practice()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await here.sql(
            "insert into practices (practice_id, time_zone, currency, revision, opened_at) values ($1, 'UTC', 'USD', 1, now())",
            there.practice_id,
        )


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set outcome = 'refused'",
        "delete from audit",
        "truncate audit",
        "delete from outbox",
        "update outbox set envelope = ''",
        "delete from staff_members",
        "create table loot (id int)",
        "select * from failed_deliveries",
        "select * from relay_state",
        "set session_replication_role = replica",
    ],
)
async def test_the_app_role_may_not(staff: Harness, statement: str):
    practice = await staff.practice()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await practice.sql(statement)


async def test_even_the_owner_cannot_change_an_append_only_row(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", PERSON)
    owner = await connect(staff, "migrate")
    try:
        for statement in ("update audit set outcome = 'refused'", "delete from audit", "truncate audit"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await owner.execute(statement)
    finally:
        await owner.close()


@pytest.mark.parametrize("kind", ["app", "system", "migrate"])
async def test_no_role_reaches_another_publishers_database(staff: Harness, scheduling: Harness, kind: str):
    url = staff.settings.role_dsn(kind).rsplit("/", 1)[0] + "/scheduling"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(url)


async def test_a_process_refuses_a_database_that_would_not_protect(staff: Harness, servers: Servers):
    owner = await asyncpg.connect(servers.admin_dsn.replace("/postgres", "/staff"))
    database = Database(staff.settings)
    role = role_name("staff", "app")
    try:
        await database.require_safe()
        for harm, cure in (
            (f"alter role {role} bypassrls", f"alter role {role} nobypassrls"),
            ("alter table credentials no force row level security", "alter table credentials force row level security"),
            ("create table open_table (id int)", "drop table open_table"),
        ):
            await owner.execute(harm)
            try:
                with pytest.raises(UnsafeDatabase):
                    await database.require_safe()
            finally:
                await owner.execute(cure)
        await database.require_safe()
    finally:
        await database.close()
        await owner.close()
