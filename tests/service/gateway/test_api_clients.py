"""API clients: keys shown once, rotated without a pause, revoked for good."""

from uuid import UUID

from tests.support.gateway import GatewayUnderTest, OpenedPractice


async def test_an_api_key_opens_what_its_roles_allow_until_it_expires(
    gateway: GatewayUnderTest, practice: OpenedPractice
):
    manager = await practice.sign_in()
    body = {"name": "records system", "roles": ["ehr_client"], "valid_days": 2}
    added = (await practice.call("POST", "/v1/api-clients", manager, json=body)).json()
    key = added["first_key"]["key"]
    assert key.startswith(f"pk_{UUID(added['first_key']['id']).hex}_")
    current = await practice.call("GET", "/v1/sessions/current", key)
    assert (current.json()["kind"], current.json()["name"], current.json()["roles"]) == (
        "client",
        "records system",
        ["ehr_client"],
    )
    assert (await practice.call("GET", "/v1/practice", key)).status_code == 403
    assert (await practice.call("POST", "/v1/sessions/current/end", key)).status_code == 404
    gateway.clock.advance(days=2, seconds=1)
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 401


async def test_no_answer_after_the_first_shows_the_key(practice: OpenedPractice):
    manager = await practice.sign_in()
    added = (
        await practice.call("POST", "/v1/api-clients", manager, json={"name": "shown once", "roles": ["ehr_client"]})
    ).json()
    shown = [
        await practice.call("GET", path, manager)
        for path in ("/v1/api-clients", f"/v1/api-clients/{added['id']}", f"/v1/api-clients/{added['id']}/keys")
    ]
    assert [reply.status_code for reply in shown] == [200, 200, 200]
    assert not [reply for reply in shown if added["first_key"]["key"] in reply.text]
    [row] = await practice.under_test.sql(
        "select k::text as line from api_keys k where api_client_id = $1", UUID(added["id"])
    )
    assert added["first_key"]["key"] not in row["line"]


async def test_keys_change_without_a_pause_and_never_three_live(gateway: GatewayUnderTest, practice: OpenedPractice):
    manager = await practice.sign_in()
    added = (
        await practice.call("POST", "/v1/api-clients", manager, json={"name": "rotating", "roles": ["partner_client"]})
    ).json()
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
    added = (
        await practice.call("POST", "/v1/api-clients", manager, json={"name": "ended", "roles": ["ehr_client"]})
    ).json()
    key, path = added["first_key"]["key"], f"/v1/api-clients/{added['id']}"
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 200
    assert (await practice.call("POST", f"{path}/revoke", manager, headers={"if-match": '"7"'})).status_code == 412
    assert (await practice.call("POST", f"{path}/revoke", manager)).json()["status"] == "revoked"
    gateway.clock.advance(seconds=2)
    assert (await practice.call("GET", "/v1/sessions/current", key)).status_code == 401
    assert (await practice.call("POST", f"{path}/keys", manager, json={})).json()["code"] == "api-client-revoked"


async def test_an_answer_with_a_key_is_never_kept_for_a_repeat(gateway: GatewayUnderTest):
    practice = await gateway.practice()
    manager, keyed = await practice.sign_in(), {"idempotency-key": "key-0000001"}
    body = {"name": "repeating", "roles": ["ehr_client"]}
    added = (await practice.call("POST", "/v1/api-clients", manager, json=body)).json()
    keys = f"/v1/api-clients/{added['id']}/keys"
    for path, sent in (("/v1/api-clients", {**body, "name": "other"}), (keys, {})):
        refused = await practice.call("POST", path, manager, json=sent, headers=keyed)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "header:Idempotency-Key")
    assert await practice.under_test.sql("select key from idempotency_keys") == []
    assert (await practice.call("POST", keys, manager, json={})).status_code == 201
