"""What a coded sheet costs, and what coding is refused."""

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.problems import Invalid
from services.billing.charges.domain import (
    FeeMissing,
    LineTooDear,
    SuggestedLine,
    dotted_icd,
    line_charges,
    plain_icd,
    require_sound_coding,
    suggested_lines,
)
from services.billing.payers.domain import MOST_CHARGE_CENTS

DAY = date(2027, 2, 1)


@dataclass
class Line:
    hcpcs_code: str
    units: int = 1
    modifiers: tuple[str, ...] = ()
    diagnosis_pointers: tuple[int, ...] = (1,)


@dataclass
class Table:
    name: str
    fees: dict[tuple[str, str], int] = field(default_factory=dict)


CONTRACT = Table("Contract", {("G0402", ""): 9900})
STANDARD = Table(
    "Standard", {("G0402", ""): 17500, ("G0439", ""): 13250, ("G0439", "25"): 14000, ("G0439", "59"): 15000}
)


@pytest.mark.parametrize(
    ("line", "cents"),
    [
        (Line("G0402"), 9900),
        (Line("G0402", units=3), 29700),
        (Line("G0439"), 13250),
        (Line("G0439", modifiers=("25",)), 14000),
        (Line("G0439", modifiers=("59", "25")), 15000),
        (Line("G0439", modifiers=("XU", "25")), 14000),
        (Line("G0402", modifiers=("25",)), 9900),
    ],
)
def test_a_line_takes_the_first_schedule_that_prices_it_and_a_modifiers_price_before_the_plain_one(line, cents):
    assert line_charges([line], [CONTRACT, STANDARD], DAY) == [cents]


def test_every_code_without_a_fee_is_named_with_the_schedules_that_were_looked_at():
    lines = [Line("A4550"), Line("G0402"), Line("J3301")]
    with pytest.raises(FeeMissing) as refusal:
        line_charges(lines, [CONTRACT, STANDARD], DAY)
    assert [error.pointer for error in refusal.value.errors] == ["/lines/0/hcpcs_code", "/lines/2/hcpcs_code"]
    assert (
        "A4550 has no fee on 2027-02-01 (fee schedules valid then: Contract, Standard)"
        in refusal.value.errors[0].message
    )


def test_without_any_schedule_the_refusal_says_so():
    with pytest.raises(FeeMissing) as refusal:
        line_charges([Line("G0402")], [], DAY)
    assert "valid then: none" in refusal.value.errors[0].message


def test_a_line_past_what_a_claim_carries_is_refused():
    table = Table("Dear", {("G0402", ""): MOST_CHARGE_CENTS})
    assert line_charges([Line("G0402")], [table], DAY) == [MOST_CHARGE_CENTS]
    with pytest.raises(LineTooDear) as refusal:
        line_charges([Line("G0402"), Line("G0402", units=2)], [table], DAY)
    assert [error.pointer for error in refusal.value.errors] == ["/lines/1/units"]


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 1_000_000)), min_size=1, max_size=50))
def test_the_charges_are_units_times_price_exactly(drawn):
    lines = [Line(f"G{number:04}", units=units) for number, (units, _) in enumerate(drawn)]
    table = Table("Any", {(f"G{number:04}", ""): cents for number, (_, cents) in enumerate(drawn)})
    charges = line_charges(lines, [table], DAY)
    assert charges == [units * cents for units, cents in drawn]
    assert all(type(charge) is int for charge in charges)


@pytest.mark.parametrize(
    ("diagnoses", "line", "pointer"),
    [
        (["I10", "I10"], Line("G0402"), "/diagnoses/1"),
        (["I10"], Line("G0402", diagnosis_pointers=(2,)), "/lines/0/diagnosis_pointers"),
        (["I10", "E119"], Line("G0402", diagnosis_pointers=(1, 1)), "/lines/0/diagnosis_pointers"),
        (["I10"], Line("G0402", modifiers=("25", "25")), "/lines/0/modifiers"),
    ],
)
def test_coding_that_contradicts_itself_is_named(diagnoses, line, pointer):
    with pytest.raises(Invalid) as refusal:
        require_sound_coding(diagnoses, [line])
    assert [error.pointer for error in refusal.value.errors] == [pointer]


def test_sound_coding_passes():
    require_sound_coding(["I10", "E119"], [Line("G0402", diagnosis_pointers=(2, 1), modifiers=("25", "59"))])


@pytest.mark.parametrize(("written", "plain"), [("E11.9", "E119"), ("I10", "I10"), ("S72.001A", "S72001A")])
def test_a_diagnosis_loses_its_dot_for_the_claim_and_gets_it_back_for_people(written, plain):
    assert (plain_icd(written), dotted_icd(plain)) == (plain, written)


def test_supplies_with_a_code_are_suggested_once_with_all_their_units():
    supplies = [
        {"hcpcs_code": "J3301", "quantity": 4},
        {"hcpcs_code": None, "quantity": 9},
        {"hcpcs_code": "A4550", "quantity": 1},
        {"hcpcs_code": "J3301", "quantity": 2},
        {"hcpcs_code": "A4206", "quantity": 0},
    ]
    assert suggested_lines(supplies) == [SuggestedLine("A4550", 1), SuggestedLine("J3301", 6)]
