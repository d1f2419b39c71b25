"""How patients' names compare, how record numbers look, and who counts as known."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.ids import new_id
from praxis.kit.problems import Invalid
from services.scheduling.patients.domain import (
    NameUnusable,
    PatientProbablyKnown,
    SearchTooWide,
    generated_mrn,
    name_key,
    normalised_name,
    prefix_range,
    require_born,
    require_search,
    require_unknown,
)


@pytest.mark.parametrize(("name", "key"), [
    ("Müller", "muller"),
    ("MU\u0308LLER", "muller"),
    ("Núñez", "nunez"),
    ("O'Brien", "obrien"),
    ("O\u2019Brien", "obrien"),
    ("Smith-Jones", "smith jones"),
    ("  van   der  Berg ", "van der berg"),
    ("Straße", "strasse"),
    ("İnci", "inci"),
    ("\uff21da", "ada"),
    ("Nguyễn", "nguyen"),
    ("St. John", "st john"),
    ("山田", "山田"),
])  # fmt: skip
def test_names_compare_without_case_accents_and_punctuation(name: str, key: str):
    assert normalised_name(name) == key


@given(st.text(max_size=30))
def test_a_normalised_name_stays_as_it_is(name: str):
    assert normalised_name(normalised_name(name)) == normalised_name(name)


@pytest.mark.parametrize("name", ["-", "...", "' '"])
def test_a_name_without_a_letter_is_refused_at_its_field(name: str):
    with pytest.raises(NameUnusable) as refusal:
        name_key(name, "/family_name")
    assert refusal.value.errors[0].pointer == "/family_name"


@given(
    prefix=st.text("abcé ", min_size=1).filter(normalised_name), rest=st.text(st.characters(codec="utf-8"), max_size=5)
)
def test_every_name_with_the_prefix_lies_in_its_range(prefix: str, rest: str):
    start, end = prefix_range(prefix)
    key = normalised_name(prefix) + normalised_name(rest)
    assert start.encode() <= key.encode() < end.encode()


def test_a_name_beside_the_prefix_lies_outside():
    start, end = prefix_range("Smi")
    assert not start <= "smj" < end
    assert not start <= "sm" < end


def test_record_numbers_are_ten_readable_characters_and_differ():
    numbers = {generated_mrn(new_id()) for _ in range(2000)}
    assert len(numbers) == 2000
    assert all(len(number) == 10 and not set(number) & set("ILOU") for number in numbers)
    assert generated_mrn(UUID(int=31)) == "000000000Z"


def test_a_search_names_someone():
    with pytest.raises(SearchTooWide):
        require_search(None, None, None)
    require_search("a", None, None)
    require_search(None, date(1980, 1, 1), None)
    require_search(None, None, "M1")


def test_who_is_probably_known_is_refused_until_confirmed():
    known = new_id()
    with pytest.raises(PatientProbablyKnown) as refusal:
        require_unknown([known], confirm_new=False)
    assert refusal.value.facts == {"known_patient_ids": [known]}
    require_unknown([known], confirm_new=True)
    require_unknown([], confirm_new=False)


def test_a_child_may_be_born_today_but_not_tomorrow():
    require_born(date(2027, 2, 1), date(2027, 2, 1))
    with pytest.raises(Invalid) as refusal:
        require_born(date(2027, 2, 2), date(2027, 2, 1))
    assert refusal.value.errors[0].pointer == "/birth_on"
