"""Users: added and changed by another manager, ended with the person's work, walled by practice."""

from datetime import date
from uuid import UUID

import asyncpg
import pytest

from gateway.identity.schemas import AddUser
from praxis.contracts.staff import StaffMemberDeactivatedV1
from praxis.kit.ids import new_id
from tests.support.gateway import MANAGER, PASSWORD, GatewayUnderTest, OpenedPractice


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


async def test_a_provider_signs_in_before_being_linked_and_is_linked_later(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    user_id, person, manager = await practice.add_user("doctor", "provider"), new_id(), await practice.sign_in()
    assert (await practice.try_sign_in("doctor")).status_code == 201
    change = {"roles": ["provider"], "staff_member_id": str(person)}
    reply = await practice.call("PUT", f"/v1/users/{user_id}", manager, json=change, headers={"if-match": '"1"'})
    assert (reply.status_code, reply.json()["staff_member_id"]) == (200, str(person))
    current = await practice.call("GET", "/v1/sessions/current", await practice.sign_in("doctor"))
    assert current.json()["staff_member_id"] == str(person)


async def test_nobody_is_made_provider_and_biller_in_one(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    user_id, manager = await practice.add_user("doctor", "provider"), await practice.sign_in()
    both = {"roles": ["biller", "provider"]}
    added = await practice.call("POST", "/v1/users", manager, json={"login": "both", "password": PASSWORD, **both})
    changed = await practice.call("PUT", f"/v1/users/{user_id}", manager, json=both, headers={"if-match": '"1"'})
    for reply in (added, changed):
        assert (reply.status_code, reply.json()["code"]) == (422, "duties-not-apart")
        assert reply.json()["errors"][0]["pointer"] == "/roles"
    rows = await practice.under_test.sql("select login, roles from users order by login")
    assert [(row["login"], row["roles"]) for row in rows] == [("doctor", ["provider"]), ("manager", [MANAGER])]


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
        ({"password": "short-4417"}, "/password"),
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


async def test_a_login_is_unique_in_its_practice_and_free_in_another(
    gateway: GatewayUnderTest, practice: OpenedPractice
):
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


async def test_the_app_role_sees_no_identity_of_another_practice(gateway: GatewayUnderTest, practice: OpenedPractice):
    await practice.sign_in()
    other = await gateway.practice_without_users()
    for table in ("practice_codes", "users", "sessions", "api_clients", "api_keys"):
        [row] = await other.under_test.sql(f"select count(*) as seen from {table} where practice_id = $1", practice.id)
        assert row["seen"] == 0, table


async def test_the_database_refuses_roles_that_do_not_exist(practice: OpenedPractice):
    with pytest.raises(asyncpg.CheckViolationError):
        await practice.under_test.sql("update users set roles = array['superuser']")


def test_a_password_does_not_show_when_its_body_is_printed():
    assert PASSWORD not in repr(AddUser(login="someone", password=PASSWORD, roles=["provider"]))


def _left(person: UUID) -> StaffMemberDeactivatedV1:
    return StaffMemberDeactivatedV1(
        staff_member_id=person, revision=2, role="provider", status="inactive", hired_on=date(2025, 1, 6)
    )
