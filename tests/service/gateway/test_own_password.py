"""A user's own password: set by whoever knows the present one, guessed no more often than when signing in."""

import pytest

from gateway.identity.domain import ATTEMPTS
from gateway.settings import Rate
from praxis.kit.settings import Settings
from tests.support.gateway import PASSWORD, GatewayUnderTest, OpenedPractice, gateway_with, limits_for, on

NEW = "amber-lantern-9021"
PATH = "/v1/users/me/password"


def body(current: str = PASSWORD, new: str = NEW) -> dict[str, str]:
    return {"current_password": current, "new_password": new}


async def test_a_user_sets_the_own_password_and_only_this_session_goes_on(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    await practice.add_user("desk", "receptionist")
    here, elsewhere, manager = await practice.sign_in("desk"), await practice.sign_in("desk"), await practice.sign_in()
    assert (await practice.call("POST", PATH, here, json=body())).status_code == 204
    gateway.clock.advance(seconds=2)
    statuses = [(await practice.call("GET", "/v1/practice", token)).status_code for token in (here, elsewhere, manager)]
    assert statuses == [200, 401, 200]
    assert (await practice.try_sign_in("desk")).status_code == 401
    assert (await practice.try_sign_in("desk", NEW)).status_code == 201
    assert (await practice.try_sign_in("manager")).status_code == 201


async def test_without_the_present_password_nothing_is_set_and_the_refusal_is_audited(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    token = await practice.sign_in()
    refused = await practice.call("POST", PATH, token, json=body(current="wrong-password-here"))
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong-password")
    assert refused.json()["errors"][0]["pointer"] == "/current_password"
    assert (await practice.try_sign_in("manager", NEW)).status_code == 401
    rows = await practice.under_test.sql(
        "select action from audit where outcome = 'refused' and action like '%password%'"
    )
    assert [row["action"] for row in rows] == ["gateway.users.set-password"]


async def test_guesses_are_counted_as_when_signing_in(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    token = await practice.sign_in()
    for _ in range(ATTEMPTS):
        wrong = await practice.call("POST", PATH, token, json=body(current="wrong-password-here"))
        assert wrong.status_code == 403
    refused = await practice.call("POST", PATH, token, json=body())
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")


async def test_setting_a_password_takes_the_sign_in_share_of_its_address(
    gateway_settings: Settings, practice: OpenedPractice
):
    async with gateway_with(gateway_settings, limits_for({}, sign_in=Rate("sign-in", 1, 2))) as gateway:
        there = on(gateway, practice)
        token = await there.sign_in("desk")
        replies = [await there.call("POST", PATH, token, json=body("wrong-password-here")) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [403, 429]


@pytest.mark.parametrize("new", ["short-4417", "Password-1234", "my-login-desk-2027"])
async def test_a_password_that_cannot_be_right_is_refused_at_its_field(practice: OpenedPractice, new):
    reply = await practice.call("POST", PATH, await practice.sign_in("desk"), json=body(new=new))
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/new_password")
    assert new not in reply.text


async def test_another_system_has_no_password(practice: OpenedPractice):
    key = await practice.api_key(await practice.sign_in(), "ehr_client")
    reply = await practice.call("POST", PATH, key, json=body())
    assert (reply.status_code, reply.json()["permission"]) == (403, "gateway.self:write")
