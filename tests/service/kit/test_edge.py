"""The edge: keys, refusals, retries and the audit trail, on a real database."""

import asyncio

import asyncpg
import pytest

from praxis.contracts.staff import StaffMemberRegisteredV1
from praxis.kit.audit import seal_practice, verify_practice
from praxis.kit.problems import Conflict
from praxis.kit.testing import Harness
from praxis.kit.unit_of_work import Cause, NotStorable
from tests.support.servers import Servers

PERSON = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}
KEY = "0a0a0a0a-key-of-a-test"


async def test_the_same_key_and_body_replay_the_same_reply_and_do_it_once(staff: Harness):
    practice = await staff.practice()
    replies = await asyncio.gather(*(practice.post("/v1/staff-members", PERSON, key=KEY) for _ in range(20)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1
    assert {reply.headers["etag"] for reply in replies} == {'"1"'}
    assert sum("idempotent-replayed" in reply.headers for reply in replies) == 19
    assert len(await practice.announced(StaffMemberRegisteredV1)) == 1


async def test_a_key_with_another_body_is_refused(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", PERSON, key=KEY)
    reply = await practice.post("/v1/staff-members", {**PERSON, "given_name": "Ida"}, key=KEY)
    assert (reply.status_code, reply.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await practice.sql("select * from staff_members")) == 1


async def test_keys_of_another_person_practice_or_route_are_other_keys(staff: Harness):
    here, there = await staff.practice(), await staff.practice()
    first = await here.post("/v1/staff-members", PERSON, key=KEY)
    second = await there.post("/v1/staff-members", PERSON, key=KEY)
    assert first.json()["id"] != second.json()["id"]


async def test_a_refusal_is_not_stored_under_its_key(staff: Harness):
    practice = await staff.practice()
    doctor = {**PERSON, "role": "provider", "npi": "1234567893", "taxonomy_code": "207Q00000X"}
    holder = (await practice.post("/v1/staff-members", doctor)).json()
    assert (await practice.post("/v1/staff-members", doctor, key=KEY)).status_code == 409
    await practice.put(
        f"/v1/staff-members/{holder['id']}",
        {"role": "biller", "family_name": "Example", "given_name": "Maya"},
        revision=1,
    )
    assert (await practice.post("/v1/staff-members", doctor, key=KEY)).status_code == 201


async def test_a_stored_reply_is_sealed(staff: Harness):
    practice = await staff.practice()
    await practice.post("/v1/staff-members", PERSON, key=KEY)
    [row] = await practice.sql("select reply from idempotency_keys")
    assert b"Maya" not in bytes(row["reply"])


@pytest.mark.parametrize("key", ["short", "with space inside", "x" * 201])
async def test_an_unusable_key_is_refused(staff: Harness, key: str):
    practice = await staff.practice()
    reply = await practice.post("/v1/staff-members", PERSON, key=key)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (400, "header:Idempotency-Key")


async def test_work_that_raises_leaves_nothing(staff: Harness):
    practice = await staff.practice()
    with pytest.raises(Conflict):
        async with practice.session() as session:
            await session.driver.execute(
                "insert into staff_members (id, revision, role, status, family_name, given_name, hired_on, changed_at) "
                "values ($1, 1, 'biller', 'active', 'A', 'B', '2026-01-01', $2)",
                practice.practice_id,
                session.now,
            )
            raise Conflict
    assert await practice.sql("select * from staff_members") == []


async def test_a_serialization_failure_is_tried_again_and_a_lasting_one_is_busy(staff: Harness):
    practice = await staff.practice()
    tries = 0

    async def fail(times: int):
        nonlocal tries
        tries = 0

        async def work(session):
            nonlocal tries
            tries += 1
            if tries <= times:
                raise asyncpg.SerializationError("planted")

        await staff.parts.unit_of_work.run(Cause(practice.actor("biller"), "test"), work)

    await fail(2)
    assert tries == 3
    with pytest.raises(Conflict) as refusal:
        await fail(3)
    assert refusal.value.code == "busy"
    assert tries == 3


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"{", 400, "malformed"), (b"[]", 422, "invalid"), (b'"\xff"', 400, "malformed"), (b"", 422, "invalid")],
)
async def test_unreadable_bodies_are_problems_without_internals(staff: Harness, content: bytes, status: int, code: str):
    practice = await staff.practice()
    headers = {
        "authorization": f"Bearer {practice.token('medical_office_manager')}",
        "content-type": "application/json",
    }
    reply = await staff.client.post("/v1/staff-members", content=content, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in reply.text


async def test_an_unexpected_failure_tells_nothing(staff: Harness, monkeypatch: pytest.MonkeyPatch):
    practice = await staff.practice()

    async def explode(*_):
        raise RuntimeError("select secret from somewhere")

    monkeypatch.setattr("services.staff.people.commands.register_staff_member", explode)
    reply = await practice.post("/v1/staff-members", PERSON)
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")
    assert "secret" not in reply.text


async def test_a_token_for_another_service_or_past_its_minute_is_refused(staff: Harness):
    practice = await staff.practice()
    foreign = {"authorization": f"Bearer {practice.token('biller', audience='billing')}"}
    assert (await staff.client.get("/v1/staff-members", headers=foreign)).status_code == 401
    good = {"authorization": f"Bearer {practice.token('biller')}"}
    assert (await staff.client.get("/v1/staff-members", headers=good)).status_code == 200
    staff.clock.advance(seconds=61)
    assert (await staff.client.get("/v1/staff-members", headers=good)).status_code == 401


async def test_every_change_leaves_an_audit_row_and_a_refused_role_too(staff: Harness):
    practice = await staff.practice()
    member = (await practice.post("/v1/staff-members", PERSON)).json()
    await practice.post("/v1/staff-members", PERSON, role="receptionist")
    rows = await practice.sql("select action, outcome, entity_id, actor_id, actor_roles from audit order by audit_id")
    assert [(row["action"], row["outcome"]) for row in rows] == [
        ("staff.staff-members.register", "success"),
        ("staff.staff-members.register", "refused"),
    ]
    assert str(rows[0]["entity_id"]) == member["id"]
    assert rows[1]["actor_id"] == practice.actor("receptionist").id


async def test_a_changed_deleted_or_added_audit_row_breaks_its_seal(staff: Harness, servers: Servers):
    practice = await staff.practice()
    for _ in range(3):
        await practice.post("/v1/staff-members", PERSON)
    owner = await asyncpg.connect(servers.admin_dsn.replace("/postgres", "/staff"))
    try:
        await seal_practice(owner, practice.practice_id, staff.clock.now())
        await practice.post("/v1/staff-members", PERSON)
        await seal_practice(owner, practice.practice_id, staff.clock.now())
        assert await verify_practice(owner, practice.practice_id) is None
        await owner.execute("set session_replication_role = replica")
        for damage in (
            "update audit set outcome = 'refused' where audit_id = $1",
            "delete from audit where audit_id = $1",
            "insert into audit select practice_id, gen_random_uuid(), at, xact, actor_id, actor_kind, actor_roles, action, "
            "outcome, purpose, entity, entity_id, entity_revision, patient_id, trace_id from audit where audit_id = $1",
        ):
            [first, *_] = await practice.sql("select audit_id from audit order by xact, audit_id")
            transaction = owner.transaction()
            await transaction.start()
            await owner.execute(damage, first["audit_id"])
            assert await verify_practice(owner, practice.practice_id) == 1
            await transaction.rollback()
        await owner.execute("delete from audit_seals where number = 1 and practice_id = $1", practice.practice_id)
        assert await verify_practice(owner, practice.practice_id) == 2
    finally:
        await owner.close()


async def test_a_nul_character_is_refused_wherever_it_is_spelled(staff: Harness):
    practice = await staff.practice()
    reply = await practice.post("/v1/staff-members", {**PERSON, "given_name": "a\0b"})
    assert (reply.status_code, reply.json()["errors"][0]["rule"]) == (422, "no-nul")
    assert (await practice.get("/v1/staff-members?cursor=a%00b")).status_code == 400
    assert (await practice.get("/v1/staff-members/a%00b")).status_code == 400
    spelled = await practice.post("/v1/staff-members", {**PERSON, "given_name": "a\\u0000b"})
    assert spelled.json()["given_name"] == "a\\u0000b"


@pytest.mark.parametrize(
    ("statement", "value"), [("select $1::int", 2**40), ("select cast($1::text as int)", "99999999999")]
)
async def test_a_value_that_the_database_cannot_hold_is_a_refusal(staff: Harness, statement: str, value: object):
    practice = await staff.practice()

    async def work(session):
        await session.driver.fetch(statement, value)

    with pytest.raises(NotStorable):
        await staff.parts.unit_of_work.run(Cause(practice.actor("biller"), "test"), work)


async def test_a_query_parameter_that_a_route_does_not_have_is_refused(staff: Harness):
    practice = await staff.practice()
    reply = await practice.get("/v1/staff-members?rol=biller")
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "query:rol")
    assert "role" in reply.json()["errors"][0]["message"]
    assert (await practice.get("/v1/staff-members?role=biller")).status_code == 200
