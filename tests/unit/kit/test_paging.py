import base64
from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.paging import DEFAULT_LIMIT, BadCursor, Limit, Page, decode, encode, link_header
from praxis.kit.secrets import Keyring

KEYRING = Keyring(bytes(range(32)))
ROUTE = "scheduling.appointments.list"

values = st.lists(st.text() | st.integers(), max_size=4)


@given(values)
def test_a_cursor_gives_back_the_values_it_was_made_of(given: Sequence[str | int]) -> None:
    cursor = encode(KEYRING, ROUTE, given)
    assert decode(KEYRING, ROUTE, cursor) == tuple(given)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


@given(values, st.data())
def test_a_changed_cursor_is_refused(given: Sequence[str | int], data: st.DataObject) -> None:
    cursor = encode(KEYRING, ROUTE, given)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters().filter(lambda character: character != cursor[place]))
    with pytest.raises(BadCursor):
        decode(KEYRING, ROUTE, cursor[:place] + other + cursor[place + 1 :])


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor) as refusal:
        decode(KEYRING, ROUTE, text)
    assert (refusal.value.status, refusal.value.code) == (400, "bad-cursor")
    assert refusal.value.errors[0].pointer == "query:cursor"


def test_a_cursor_has_one_spelling() -> None:
    cursor = encode(KEYRING, ROUTE, ["a"])
    for other in (cursor + "=", cursor + "\n", "!" + cursor, cursor[:-1] + chr(ord(cursor[-1]) + 1), cursor + "AAAA"):
        with pytest.raises(BadCursor):
            decode(KEYRING, ROUTE, other)


def test_a_cursor_of_another_list_or_installation_is_refused() -> None:
    cursor = encode(KEYRING, ROUTE, ["a", 1])
    with pytest.raises(BadCursor):
        decode(KEYRING, "scheduling.visits.list", cursor)
    with pytest.raises(BadCursor):
        decode(Keyring(bytes(32)), ROUTE, cursor)


def test_an_unsigned_cursor_is_refused() -> None:
    with pytest.raises(BadCursor):
        decode(KEYRING, ROUTE, base64.urlsafe_b64encode(bytes(16) + b'["a"]').decode().rstrip("="))


def test_a_page_names_its_items_and_the_next_cursor() -> None:
    assert Page[int](items=[1, 2], next="abc").model_dump() == {"items": [1, 2], "next": "abc"}
    assert Page[int](items=[]).model_dump() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/v1/items", "/v1/items?cursor=new-_1"),
        ("/v1/items?limit=10&cursor=old&kind=&kind=a%26b", "/v1/items?limit=10&kind=&kind=a%26b&cursor=new-_1"),
        ("https://praxis.example/v1/items?cursor=a&cursor=b#top", "https://praxis.example/v1/items?cursor=new-_1"),
        ("/v1/a%2Fb/x>y", "/v1/a%2Fb/x%3Ey?cursor=new-_1"),
        ("/v1/items?q=\r\nx>", "/v1/items?q=x%3E&cursor=new-_1"),
    ],
)
def test_the_link_is_the_same_list_from_the_next_cursor_on(url: str, target: str) -> None:
    assert link_header(url, "new-_1") == f'<{target}>; rel="next"'


async def asked(query: str) -> httpx.Response:
    app = FastAPI()

    @app.get("/items")
    async def items(limit: Limit = DEFAULT_LIMIT) -> Page[int]:
        return Page(items=[limit])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(f"/items{query}")


@pytest.mark.parametrize(("query", "limit"), [("", 50), ("?limit=1", 1), ("?limit=200", 200)])
async def test_a_page_has_50_items_unless_asked_for_up_to_200(query: str, limit: int) -> None:
    assert (await asked(query)).json() == {"items": [limit], "next": None}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "many"])
async def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    assert (await asked(f"?limit={limit}")).status_code == 422
