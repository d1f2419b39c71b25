"""Who may enter: signing in and out, throttling, users, keys, and what ends them."""

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from gateway.identity.domain import ABSOLUTE, ATTEMPTS, IDLE
from gateway.identity.schemas import AddUser
from praxis.contracts.gateway import PracticeOpenedV1
from praxis.contracts.staff import StaffMemberDeactivatedV1
from praxis.kit.ids import new_id
from tests.support.gateway import MANAGER, PASSWORD, GatewayUnderTest, OpenedPractice


async def test_an_opened_practice_is_announced_once_however_often_it_is_opened(gateway: GatewayUnderTest):
    from gateway.practices.commands import open_practice
    from gateway.practices.schemas import OpenPractice

    practice = await gateway.practice()
    async with practice.under_test.session() as session:
        again = await open_practice(session, OpenPractice(code="another-code", time_zone="Europe/Berlin"))
    assert (again.code, again.time_zone) == (practice.code, "America/New_York")
    [event] = await practice.under_test.announced(PracticeOpenedV1)
    assert (event.practice_id, event.currency) == (practice.id, "USD")


async def test_a_code_that_another_practice_has_is_refused(gateway: GatewayUnderTest, practice: OpenedPractice):
    from gateway.practices.commands import open_practice
    from gateway.practices.domain import PracticeCodeTaken
    from gateway.practices.queries import practice_with_code
    from gateway.practices.schemas import OpenPractice
    from praxis.kit.testing import PracticeUnderTest

    other = PracticeUnderTest(gateway.harness, new_id())
    with pytest.raises(PracticeCodeTaken):
        async with other.session() as session:
            await open_practice(session, OpenPractice(code=practice.code, time_zone="America/New_York"))
    assert await practice_with_code(gateway.harness.parts.database, practice.code) == practice.id
    assert await practice_with_code(gateway.harness.parts.database, "never-opened") is None


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
    from gateway.identity.engine import passwords

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
    rows = await practice.under_test.sql("select actor_id, action from audit where outcome = 'refused' order by audit_id")
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


async def test_a_session_ends_after_a_quarter_of_an_hour_without_a_request(gateway: GatewayUnderTest, practice: OpenedPractice):
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


async def test_signing_out_ends_the_session_within_two_seconds_and_no_other(gateway: GatewayUnderTest, practice: OpenedPractice):
    first, second = await practice.sign_in(), await practice.sign_in()
    assert (await practice.call("POST", "/v1/sessions/current/end", first)).status_code == 204
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/practice", first)).status_code == 401
    assert (await practice.call("GET", "/v1/practice", second)).status_code == 200


async def test_a_deactivated_user_is_out_within_two_seconds_and_cannot_sign_in(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    user_id = await practice.add_user("desk", "receptionist")
    manager, desk = await practice.sign_in(), await practice.sign_in("desk")
    assert (await practice.call("GET", "/v1/practice", desk)).status_code == 200
    reply = await practice.call("POST", f"/v1/users/{user_id}/deactivate", manager)
    assert (reply.status_code, reply.json()["status"], reply.headers["etag"]) == (200, "inactive", '"2"')
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/practice", desk)).status_code == 401
    assert (await practice.try_sign_in("desk")).status_code == 401


async def test_a_person_who_leaves_loses_the_session_and_the_login(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    person = new_id()
    await practice.add_user("doctor", "provider", staff_member_id=person)
    token = await practice.sign_in("doctor")
    assert (await practice.call("GET", "/v1/practice", token)).status_code == 200
    await practice.under_test.deliver(_left(person))
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/practice", token)).status_code == 401
    assert (await practice.try_sign_in("doctor")).status_code == 401
    [row] = await practice.under_test.sql("select status, revision from users where login = 'doctor'")
    assert (row["status"], row["revision"]) == ("inactive", 2)


async def test_a_person_who_has_left_gets_no_login(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    person = new_id()
    await practice.under_test.deliver(_left(person))
    body = {"login": "late", "password": PASSWORD, "roles": ["provider"], "staff_member_id": str(person)}
    reply = await practice.call("POST", "/v1/users", await practice.sign_in(), json=body)
    assert (reply.status_code, reply.json()["code"]) == (409, "staff-member-left")


async def test_a_login_linked_at_the_moment_its_person_leaves_opens_nothing(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    person = new_id()
    await practice.add_user("doctor", "provider", staff_member_id=person)
    await practice.under_test.sql(
        "insert into staff_departures (staff_member_id, heard_at) values ($1, $2)", person, gateway.clock.now()
    )
    assert (await practice.try_sign_in("doctor")).status_code == 401


async def test_nobody_changes_or_ends_their_own_account(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    token = await practice.sign_in()
    own = (await practice.call("GET", "/v1/sessions/current", token)).json()["id"]
    change = {"roles": [MANAGER, "provider"]}
    changed = await practice.call("PUT", f"/v1/users/{own}", token, json=change, headers={"if-match": '"1"'})
    ended = await practice.call("POST", f"/v1/users/{own}/deactivate", token)
    assert [reply.status_code for reply in (changed, ended)] == [403, 403]
    assert {reply.json()["code"] for reply in (changed, ended)} == {"own-account"}
    [row] = await practice.under_test.sql("select roles, status from users")
    assert (row["roles"], row["status"]) == ([MANAGER], "active")


async def test_other_roles_hold_at_once_because_sessions_end(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    user_id = await practice.add_user("desk", "receptionist")
    manager, desk = await practice.sign_in(), await practice.sign_in("desk")
    change = {"roles": ["biller"]}
    reply = await practice.call("PUT", f"/v1/users/{user_id}", manager, json=change, headers={"if-match": '"1"'})
    assert (reply.status_code, reply.json()["roles"]) == (200, ["biller"])
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/practice", desk)).status_code == 401
    assert (await practice.try_sign_in("desk")).json()["roles"] == ["biller"]


async def test_managers_alone_see_and_add_users(practice: OpenedPractice):
    desk = await practice.sign_in("desk")
    body = {"login": "friend", "password": PASSWORD, "roles": [MANAGER]}
    assert (await practice.call("POST", "/v1/users", desk, json=body)).status_code == 403
    assert (await practice.call("GET", "/v1/users", desk)).status_code == 403
    listed = await practice.call("GET", "/v1/users", await practice.sign_in())
    assert [user["login"] for user in listed.json()["items"]] == ["desk", "manager"]
    assert not {"password", "password_hash"} & set(listed.json()["items"][0])


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"password": "x" * 257}, "/password"),
        ({"password": "Password-1234"}, "/password"),
        ({"password": "my-login-newcomer!"}, "/password"),
        ({"roles": ["superuser"]}, "/roles/0"),
        ({"roles": []}, "/roles"),
        ({"roles": ["ehr_client"]}, "/roles/0"),
        ({"login": "with space"}, "/login"),
        ({"status": "active"}, "/status"),
    ],
)
async def test_a_user_that_cannot_be_right_is_refused_at_its_field(practice: OpenedPractice, change, pointer):
    body = {"login": "newcomer", "password": PASSWORD, "roles": ["provider"], **change}
    reply = await practice.call("POST", "/v1/users", await practice.sign_in(), json=body)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, pointer)
    assert str(change.get("password", "no-password")) not in reply.text


async def test_a_login_is_unique_in_its_practice_and_free_in_another(gateway: GatewayUnderTest, practice: OpenedPractice):
    body = {"login": "DESK", "password": PASSWORD, "roles": ["provider"]}
    reply = await practice.call("POST", "/v1/users", await practice.sign_in(), json=body)
    assert (reply.status_code, reply.json()["code"]) == (409, "login-taken")
    other = await gateway.practice()
    assert (await other.call("POST", "/v1/users", await other.sign_in(), json=body)).status_code == 201


async def test_a_user_of_another_practice_does_not_exist_here(gateway: GatewayUnderTest, practice: OpenedPractice):
    other = await gateway.practice()
    stranger = await other.add_user("desk", "receptionist")
    reply = await practice.call("POST", f"/v1/users/{stranger}/deactivate", await practice.sign_in())
    assert (reply.status_code, reply.json()["code"]) == (404, "user-unknown")


async def test_an_api_key_opens_what_its_roles_allow_until_it_expires(gateway: GatewayUnderTest, practice: OpenedPractice):
    manager = await practice.sign_in()
    body = {"name": "records system", "roles": ["ehr_client"], "valid_days": 2}
    added = (await practice.call("POST", "/v1/api-clients", manager, json=body)).json()
    key = added["first_key"]["key"]
    assert key.startswith(f"pk_{UUID(added['first_key']['id']).hex}_")
    current = await practice.call("GET", "/v1/sessions/current", key)
    assert (current.json()["kind"], current.json()["name"], current.json()["roles"]) == ("client", "records system", ["ehr_client"])
    assert (await practice.call("GET", "/v1/practice", key)).status_code == 403
    assert (await practice.call("POST", "/v1/sessions/current/end", key)).status_code == 404
    gateway.clock.advance(days=2, seconds=1)
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 401


async def test_no_answer_after_the_first_shows_the_key(practice: OpenedPractice):
    manager = await practice.sign_in()
    added = (await practice.call("POST", "/v1/api-clients", manager, json={"name": "shown once", "roles": ["ehr_client"]})).json()
    shown = [
        await practice.call("GET", path, manager)
        for path in ("/v1/api-clients", f"/v1/api-clients/{added['id']}", f"/v1/api-clients/{added['id']}/keys")
    ]
    assert [reply.status_code for reply in shown] == [200, 200, 200]
    assert not [reply for reply in shown if added["first_key"]["key"] in reply.text]
    [row] = await practice.under_test.sql("select k::text as line from api_keys k where api_client_id = $1", UUID(added["id"]))
    assert added["first_key"]["key"] not in row["line"]


async def test_keys_change_without_a_pause_and_never_three_live(gateway: GatewayUnderTest, practice: OpenedPractice):
    manager = await practice.sign_in()
    added = (await practice.call("POST", "/v1/api-clients", manager, json={"name": "rotating", "roles": ["partner_client"]})).json()
    keys = f"/v1/api-clients/{added['id']}/keys"
    second = (await practice.call("POST", keys, manager, json={})).json()
    third = await practice.call("POST", keys, manager, json={})
    assert (third.status_code, third.json()["code"]) == (409, "too-many-keys")
    revoked = await practice.call("POST", f"{keys}/{added['first_key']['id']}/revoke", manager)
    assert revoked.status_code == 200
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/sessions/current", added["first_key"]["key"])).status_code == 401
    assert (await practice.call("GET", "/v1/sessions/current", second["key"])).status_code == 200
    assert (await practice.call("POST", keys, manager, json={})).status_code == 201


async def test_a_revoked_client_is_out_with_all_its_keys(gateway: GatewayUnderTest, practice: OpenedPractice):
    manager = await practice.sign_in()
    added = (await practice.call("POST", "/v1/api-clients", manager, json={"name": "ended", "roles": ["ehr_client"]})).json()
    key, path = added["first_key"]["key"], f"/v1/api-clients/{added['id']}"
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 200
    assert (await practice.call("POST", f"{path}/revoke", manager, headers={"if-match": '"7"'})).status_code == 412
    assert (await practice.call("POST", f"{path}/revoke", manager)).json()["status"] == "revoked"
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 401
    assert (await practice.call("POST", f"{path}/keys", manager, json={})).json()["code"] == "api-client-revoked"


async def test_one_burst_of_requests_looks_a_token_up_once(gateway: GatewayUnderTest, practice: OpenedPractice, monkeypatch):
    from gateway import doorkeeper

    token, looked_up = await practice.sign_in(), []

    async def counted(*given):
        looked_up.append(given)
        return await genuine(*given)

    genuine = doorkeeper.principal_of
    monkeypatch.setattr(doorkeeper, "principal_of", counted)
    replies = await asyncio.gather(*(practice.call("GET", "/v1/practice", token) for _ in range(8)))
    assert {reply.status_code for reply in replies} == {200}
    assert len(looked_up) == 1


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer ", "Bearer ps_made-up", "Bearer pk_made_up", "Bearer \xff"])
async def test_without_a_live_token_nothing_is_answered(practice: OpenedPractice, header):
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    reply = await practice.client.get("/v1/practice", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")


async def test_the_app_role_sees_no_identity_of_another_practice(gateway: GatewayUnderTest, practice: OpenedPractice):
    await practice.sign_in()
    other = await gateway.practice_without_users()
    for table in ("practice_codes", "users", "sessions", "api_clients", "api_keys"):
        [row] = await other.under_test.sql(f"select count(*) as seen from {table} where practice_id = $1", practice.id)
        assert row["seen"] == 0, table


async def test_the_app_role_cannot_read_or_forget_login_attempts(practice: OpenedPractice):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await practice.under_test.sql("delete from login_attempts")


async def test_the_database_refuses_roles_that_do_not_exist(practice: OpenedPractice):
    with pytest.raises(asyncpg.CheckViolationError):
        await practice.under_test.sql("update users set roles = array['superuser']")


def test_a_password_does_not_show_when_its_body_is_printed():
    assert PASSWORD not in repr(AddUser(login="someone", password=PASSWORD, roles=["provider"]))


def _left(person: UUID) -> StaffMemberDeactivatedV1:
    return StaffMemberDeactivatedV1(
        staff_member_id=person, revision=2, role="provider", status="inactive", hired_on=date(2025, 1, 6)
    )
