"""What of a FHIR Patient the registration desk would enter."""

from typing import Any

import pytest

from praxis.runtime.demo.people import Unusable, member_id, registration
from tests.support.fhir import patient


def test_a_patient_is_registered_with_the_name_as_it_is():
    body, left_out = registration(patient())
    assert left_out == []
    assert body == {
        "family_name": "Conn12",
        "given_name": "Liz3 May",
        "birth_on": "1986-11-28",
        "sex": "female",
        "phone": "+15551753568",
        "address": {
            "line1": "391 Some Plaza",
            "line2": None,
            "city": "Beverly",
            "state": "MA",
            "postal_code": "01915",
        },
    }


def test_the_official_name_goes_before_others():
    names = [{"family": "Rowe", "given": ["Liz"]}, {"use": "official", "family": "Conn", "given": ["Liz"]}]
    assert registration(patient(name=names))[0]["family_name"] == "Conn"


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"name": "Conn"},
        {"name": [{"family": "Conn"}]},
        {"name": [{"family": "Conn", "given": "Liz"}]},
        {"name": [{"family": "Conn", "given": [7, None]}]},
        {"name": [{"family": "\ud800", "given": ["Liz"]}]},
        {"birthDate": None},
        {"birthDate": "1986"},
        {"birthDate": "1986-02-30"},
        {"birthDate": 1986},
    ],
    ids=str,
)
def test_a_person_without_full_name_and_birth_date_cannot_be_registered(change: dict[str, Any]):
    with pytest.raises(Unusable):
        registration(patient(**change))


@pytest.mark.parametrize(
    ("telecom", "phone"),
    [
        ([{"system": "phone", "value": "(555) 175-3568"}], "+15551753568"),
        ([{"system": "phone", "value": "1-555-175-3568"}], "+15551753568"),
        ([{"system": "phone", "value": "+49 30 1234567"}], "+49301234567"),
        ([{"system": "phone", "value": "175-3568"}], None),
        ([{"system": "email", "value": "5551753568"}], None),
        ([{"system": "phone"}, {"system": "phone", "value": "555-175-3568"}], "+15551753568"),
        ("none", None),
    ],
)
def test_a_phone_number_becomes_e164_or_is_left_out_with_a_word(telecom: Any, phone: str | None):
    body, left_out = registration(patient(telecom=telecom))
    assert body.get("phone") == phone
    assert bool(left_out) == (phone is None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "Bavaria"}, "no state"),
        ({"state": None}, "no state"),
        ({"postalCode": "1915"}, "postal code"),
        ({"line": []}, "no line"),
        ({"city": ""}, "no line or no city"),
    ],
)
def test_an_address_that_is_none_here_is_left_out_with_a_word(change: dict[str, Any], why: str):
    body, [told] = registration(patient(address=[patient()["address"][0] | change]))
    assert "address" not in body
    assert why in told


def test_a_state_may_be_written_out_or_not():
    spelled = [registration(patient(address=[patient()["address"][0] | {"state": state}])) for state in ("MA", "ma")]
    assert [body["address"]["state"] for body, _ in spelled] == ["MA", "MA"]


def test_the_member_id_is_the_first_identifier_that_can_be_one():
    assert member_id(patient()) == "27C911C6"
    assert member_id(patient(identifier=[{"value": "-"}, {}, {"value": "ab-1"}])) == "AB1"
    assert member_id(patient(identifier=None)) is None
