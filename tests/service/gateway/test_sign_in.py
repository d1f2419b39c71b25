"""Signing in and out, throttling, and how long a session lives."""

import asyncio

import asyncpg
import pytest

from gateway import doorkeeper
from gateway.identity.domain import ABSOLUTE, ATTEMPTS, IDLE
from gateway.identity.engine import passwords
from praxis.kit.ids import new_id
from tests.support.gateway import MANAGER, PASSWORD, GatewayUnderTest, OpenedPractice


async def test_whoever_signs_in_gets_a_token_that_shows_who_asks(practice: OpenedPractice):
    reply = await practice.try_sign_in("Manager")
    assert reply.status_code == 201
    assert reply.json()["roles"] == [MANAGER]
    current = await practice.call("GET", "/v1/sessions/current", reply.json()["token"])
    assert (current.json()["name"], current.json()["kind"]) == ("manager", "staff")
    assert current.json()["practice_id"] == str(practice.id)
    assert current.json()["expires_at"] == reply.json()["expires_at"]
    own = await practice.call("GET", "/v1/practice", reply.json()["token"])
    assert (own.json()["code"], own.json()["time_zone"]) == (practice.code, "America/New_York")


async def test_only_digests_of_tokens_and_hashes_of_passwords_are_stored(practice: OpenedPractice):
    token = await practice.sign_in()
    kept = await practice.under_test.sql("select s::text as line from sessions s union all select u::text from users u")
    assert kept
    assert not [row for row in kept if token in row["line"] or PASSWORD in row["line"]]
    assert [row for row in kept if "m=47104,t=1,p=1" in row["line"]]


async def test_wrong_password_unknown_login_and_unknown_practice_get_one_and_the_same_answer(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    replies = [
        await practice.try_sign_in("manager", "wrong-password-here"),
        await practice.try_sign_in("nobody-here", PASSWORD),
        await practice.try_sign_in("manager", PASSWORD, code="no-such-practice"),
    ]
    shown = [{name: value for name, value in reply.json().items() if name != "trace_id"} for reply in replies]
    assert [reply.status_code for reply in replies] == [401, 401, 401]
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["code"] == "wrong-credentials"


async def test_each_wrong_guess_computes_a_hash_whether_or_not_the_user_exists(gateway: GatewayUnderTest, monkeypatch):

    compared: list[str] = []

    class Counting:
        def verify(self, encoded: str, password: bytes) -> bool:
            compared.append(encoded.split("$")[3])
            return genuine.verify(encoded, password)

    genuine = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    practice = await gateway.practice_without_users()
    await practice.try_sign_in("nobody-here")
    await practice.try_sign_in("nobody-here", code="no-such-practice")
    assert compared == ["m=47104,t=1,p=1"] * 2


async def test_wrong_guesses_are_in_the_audit_trail(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    user_id = await practice.add_user("desk", "receptionist")
    await practice.try_sign_in("desk", "wrong-password-here")
    await practice.try_sign_in("nobody-here", "wrong-password-here")
    rows = await practice.under_test.sql(
        "select actor_id, action from audit where outcome = 'refused' order by audit_id"
    )
    assert [row["action"] for row in rows] == ["gateway.sessions.start"] * 2
    assert rows[0]["actor_id"] == user_id


async def test_after_five_attempts_the_right_password_is_refused_until_the_time_is_over(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    await practice.add_user("desk", "receptionist")
    for _ in range(ATTEMPTS):
        assert (await practice.try_sign_in("desk", "wrong-password-here")).status_code == 401
    refused = await practice.try_sign_in("desk")
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")
    assert refused.headers["retry-after"] == "900"
    assert (await practice.try_sign_in("manager")).status_code == 201
    gateway.clock.advance(minutes=15, seconds=1)
    assert (await practice.try_sign_in("desk")).status_code == 201


async def test_guesses_at_the_same_moment_are_counted_one_by_one(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    tries = [practice.try_sign_in("manager", "wrong-password-here") for _ in range(ATTEMPTS + 4)]
    statuses = [reply.status_code for reply in await asyncio.gather(*tries)]
    assert (statuses.count(401), statuses.count(429)) == (ATTEMPTS, 4)


async def test_guesses_at_an_unknown_login_are_throttled_all_the_same(practice: OpenedPractice):
    login = f"x{new_id().hex}"
    statuses = [(await practice.try_sign_in(login, "wrong-password-here")).status_code for _ in range(ATTEMPTS + 1)]
    assert statuses == [401] * ATTEMPTS + [429]


async def test_signing_in_forgets_earlier_wrong_guesses(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            await practice.try_sign_in("manager", "wrong-password-here")
        assert (await practice.try_sign_in("manager")).status_code == 201


async def test_a_session_ends_after_a_quarter_of_an_hour_without_a_request(
    gateway: GatewayUnderTest, practice: OpenedPractice
):
    token = await practice.sign_in()
    gateway.clock.advance(seconds=IDLE.total_seconds() - 1)
    assert (await practice.call("GET", "/v1/practice", token)).status_code == 200
    gateway.clock.advance(seconds=IDLE.total_seconds() - 1)
    assert (await practice.call("GET", "/v1/practice", token)).status_code == 200
    gateway.clock.advance(seconds=IDLE.total_seconds() + 1)
    ended = await practice.call("GET", "/v1/practice", token)
    assert (ended.status_code, ended.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_session_in_use_ends_after_twelve_hours(gateway: GatewayUnderTest, practice: OpenedPractice):
    token = await practice.sign_in()
    steps = int(ABSOLUTE.total_seconds() // 600)
    for _ in range(steps - 1):
        gateway.clock.advance(minutes=10)
        assert (await practice.call("GET", "/v1/practice", token)).status_code == 200
    gateway.clock.advance(minutes=10)
    assert (await practice.call("GET", "/v1/practice", token)).status_code == 401


async def test_signing_out_ends_the_session_within_two_seconds_and_no_other(
    gateway: GatewayUnderTest, practice: OpenedPractice
):
    first, second = await practice.sign_in(), await practice.sign_in()
    assert (await practice.call("POST", "/v1/sessions/current/end", first)).status_code == 204
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/practice", first)).status_code == 401
    assert (await practice.call("GET", "/v1/practice", second)).status_code == 200


async def test_one_burst_of_requests_looks_a_token_up_once(
    gateway: GatewayUnderTest, practice: OpenedPractice, monkeypatch
):

    token, looked_up = await practice.sign_in(), []

    async def counted(*given):
        looked_up.append(given)
        return await genuine(*given)

    genuine = doorkeeper.principal_of
    monkeypatch.setattr(doorkeeper, "principal_of", counted)
    replies = await asyncio.gather(*(practice.call("GET", "/v1/practice", token) for _ in range(8)))
    assert {reply.status_code for reply in replies} == {200}
    assert len(looked_up) == 1


@pytest.mark.parametrize(
    "header", [None, "Basic abc", "Bearer ", "Bearer ps_made-up", "Bearer pk_made_up", "Bearer \xff"]
)
async def test_without_a_live_token_nothing_is_answered(practice: OpenedPractice, header):
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    reply = await practice.client.get("/v1/practice", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")


async def test_the_app_role_cannot_read_or_forget_login_attempts(practice: OpenedPractice):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await practice.under_test.sql("delete from login_attempts")
