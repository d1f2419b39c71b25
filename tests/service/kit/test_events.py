"""Events over a real NATS server: once each, signed, parked when refused, healed when the broker lost its disk."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest
from nats.aio.client import Client

from praxis.contracts.staff import StaffMemberRegisteredV1
from praxis.kit.bus import SIGNATURE, stream_of
from praxis.kit.ids import new_id
from praxis.kit.inbox import Refused
from praxis.kit.relay import republish
from praxis.kit.testing import PracticeUnderTest
from tests.service.kit.conftest import Running, eventually
from tests.support.servers import Servers

PERSON = {"role": "medical_assistant", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"}
SUBJECT = StaffMemberRegisteredV1.TYPE


async def has_heard(running: Running, practice: PracticeUnderTest, *members: dict[str, str]) -> bool:
    heard = running.listener.heard[practice.practice_id]
    return [str(event.staff_member_id) for event in heard] == [member["id"] for member in members]


async def failures(running: Running) -> list[asyncpg.Record]:
    connection = await running.harness.parts.database.listener()
    try:
        return await connection.fetch("select * from failed_deliveries order by first_at")
    finally:
        await connection.close()


async def test_a_committed_event_reaches_its_consumer_once_though_it_is_published_again(running: Running):
    practice = await running.harness.practice()
    member = (await practice.post("/v1/staff-members", PERSON)).json()
    await eventually(lambda: has_heard(running, practice, member))
    [row] = await practice.sql("select producersequence from outbox")
    connection = await running.harness.parts.database.listener()
    try:
        assert await republish(connection, row["producersequence"]) == 1
    finally:
        await connection.close()
    later = (await practice.post("/v1/staff-members", PERSON)).json()
    await eventually(lambda: has_heard(running, practice, member, later))
    rows = await practice.sql("select producersequence, published_at from outbox order by position")
    assert [r["producersequence"] for r in rows] == [row["producersequence"], row["producersequence"] + 1]
    assert all(r["published_at"] for r in rows)


async def test_a_trace_goes_from_the_request_over_the_bus_into_the_consumer(running: Running):
    practice = await running.harness.practice()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    reply = await practice.post("/v1/staff-members", PERSON, headers=headers)
    assert reply.headers["x-trace-id"] == trace
    await eventually(lambda: has_heard(running, practice, reply.json()))
    assert running.listener.traces[-1] == trace


async def test_a_redelivered_event_has_its_effect_once(running: Running):
    practice = await running.harness.practice()
    event = StaffMemberRegisteredV1(
        staff_member_id=new_id(), revision=1, role="biller", status="active", hired_on="2026-01-01"
    )
    event_id = await practice.deliver(event)
    await practice.deliver(event, event_id=event_id)
    assert running.listener.heard[practice.practice_id] == [event]


async def test_an_event_signed_by_nobody_or_another_publisher_is_parked_and_has_no_effect(running: Running):
    practice = await running.harness.practice()
    member = (await practice.post("/v1/staff-members", PERSON)).json()
    await eventually(lambda: has_heard(running, practice, member))
    stream = running.harness.parts.bus.stream
    [row] = await practice.sql("select envelope from outbox")
    body = orjson.dumps({**orjson.loads(row["envelope"]), "id": str(new_id()), "producersequence": 9})
    await stream.publish(SUBJECT, body)
    await stream.publish(SUBJECT, body + b" ", headers={SIGNATURE: "AAAA"})

    async def parked() -> bool:
        return len(await failures(running)) >= 2

    await eventually(parked)
    assert {(r["state"], r["error"]) for r in await failures(running)} == {
        ("parked", "the signature is not the publisher's")
    }
    assert len(running.listener.heard[practice.practice_id]) == 1


async def test_an_event_that_its_consumer_refuses_is_parked_after_five_tries_and_can_be_replayed(running: Running):
    practice = await running.harness.practice()
    running.listener.refuse = True
    await practice.post("/v1/staff-members", PERSON)

    async def parked() -> bool:
        return any(row["state"] == "parked" and row["tries"] == 5 for row in await failures(running))

    await eventually(parked, 60)
    [row] = [row for row in await failures(running) if row["tries"] == 5]
    assert "probe was told" not in row["error"]
    inbox = running.harness.parts.inbox
    with pytest.raises(Refused):
        await inbox.replay(row["event_id"])
    running.listener.refuse = False
    await inbox.replay(row["event_id"])
    assert len(running.listener.heard[practice.practice_id]) == 1
    assert row["event_id"] not in [r["event_id"] for r in await failures(running)]


async def test_a_stream_that_the_broker_lost_is_filled_again_from_the_outbox(running: Running, servers: Servers):
    practice = await running.harness.practice()
    first = (await practice.post("/v1/staff-members", PERSON)).json()

    async def sent() -> bool:
        return all(row["published_at"] for row in await practice.sql("select published_at from outbox"))

    await eventually(sent)
    servers.lose_broker_disk()
    later = (await practice.post("/v1/staff-members", {**PERSON, "given_name": "Ida"})).json()

    async def refilled() -> bool:
        if not running.harness.parts.bus.is_connected:
            return False
        stored = (await running.harness.parts.bus.last_sequence()) or 0
        return stored >= 2 and await has_heard(running, practice, first, later)

    await eventually(refilled, 60)


@pytest.mark.parametrize(
    "subject",
    [
        "praxis.billing.entry.posted.v1",
        f"$JS.API.STREAM.DELETE.{stream_of('staff')}",
        f"$JS.API.STREAM.PURGE.{stream_of('staff')}",
        f"$JS.API.STREAM.CREATE.{stream_of('billing')}",
        f"$JS.API.CONSUMER.INFO.{stream_of('staff')}.billing",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream_of('staff')}.billing",
    ],
)
async def test_a_publisher_may_not_send_what_is_not_its_own(servers: Servers, subject: str):
    async with as_publisher(servers, "staff") as (client, denials):
        await client.publish(subject, b"{}")
        assert f'permissions violation for publish to "{subject.lower()}"' in await next_of(denials)


@pytest.mark.parametrize("subject", ["praxis.>", ">", "_INBOX_billing.>", "$SYS.>"])
async def test_a_publisher_may_not_listen_to_what_is_not_its_own(servers: Servers, subject: str):
    async with as_publisher(servers, "staff") as (client, denials):
        await client.subscribe(subject)
        assert f'permissions violation for subscription to "{subject.lower()}"' in await next_of(denials)


@contextlib.asynccontextmanager
async def as_publisher(servers: Servers, publisher: str) -> AsyncIterator[tuple[Client, asyncio.Queue[str]]]:
    """Connect with a publisher's key and collect what the server says of errors."""
    denials: asyncio.Queue[str] = asyncio.Queue()

    async def keep(error: Exception) -> None:
        denials.put_nowait(str(error).lower())

    settings = servers.settings(publisher)
    client = Client()
    await client.connect(settings.nats_url, nkeys_seed_str=settings.secret("nats.seed"), error_cb=keep)
    try:
        yield client, denials
    finally:
        await client.close()


async def next_of(denials: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(10):
        return await denials.get()


async def test_nobody_connects_without_a_key(servers: Servers):
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.nats.port)
    try:
        assert (await reader.readline()).startswith(b"INFO")
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert b"Authorization Violation" in await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
