"""Every file we write is accepted by pyx12, an independent validator with the maps of the 837P guide."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pyx12.params import ParamsBase
from pyx12.x12n_document import x12n_document

from services.billing.claims.engine.claim import Batch
from services.billing.claims.engine.codec import Delimiters, parse
from services.billing.claims.engine.professional import read_professional, write_professional
from tests.support.samples import needs_samples, sample
from tests.unit.billing.examples import (
    CLEAN,
    CLEAN_OF_CHILD,
    CLEAN_WITH_EVERYTHING,
    ENVELOPE,
    SOLO,
    batch_of,
    batches,
    claim_of_lines,
)


@dataclass(frozen=True)
class Verdict:
    """What pyx12 says: its errors, and the segments of the 999 it answers with."""

    accepted: bool
    errors: list[str]
    acknowledgment: list[str]


def errors_in(report: Any) -> Iterator[str]:
    """Yield every error of a nested report."""
    if isinstance(report, dict):
        yield from (str(error) for error in report.get("errors", []))
        for value in report.values():
            yield from errors_in(value)
    elif isinstance(report, list):
        for item in report:
            yield from errors_in(item)


def judge(text: str) -> Verdict:
    answer, report = io.StringIO(), io.StringIO()
    accepted = x12n_document(ParamsBase(), io.StringIO(text), answer, None, fd_json=report)
    (interchange,) = parse(answer.getvalue())
    segments = [
        "*".join(map(str, (item.tag, *item.elements)))
        for group in interchange.groups
        for transaction in group.transactions
        for item in transaction.segments
    ]
    return Verdict(accepted, list(errors_in(json.loads(report.getvalue()))), segments)


def assert_accepted(text: str) -> None:
    verdict = judge(text)
    assert (verdict.accepted, verdict.errors) == (True, [])
    assert verdict.acknowledgment == [
        "AK1*HC*17*005010X222A1",
        "AK2*837*0021*005010X222A1",
        "IK5*A",
        "AK9*A*1*1*1",
    ]


MANY = [
    replace(claim, control_number=f"C{number}")
    for number, claim in enumerate([CLEAN, CLEAN_OF_CHILD, CLEAN_WITH_EVERYTHING, SOLO] * 30)
]


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(batch_of(replace(CLEAN, lines=CLEAN.lines[:1], total_cents=12_550)), id="the insured"),
        pytest.param(batch_of(CLEAN_OF_CHILD), id="a dependent"),
        pytest.param(batch_of(CLEAN), id="a drug with its NDC"),
        pytest.param(batch_of(CLEAN_WITH_EVERYTHING), id="a replacement with every segment"),
        pytest.param(batch_of(replace(CLEAN_WITH_EVERYTHING, frequency="8")), id="a void"),
        pytest.param(batch_of(SOLO), id="a person who bills"),
        pytest.param(batch_of(claim_of_lines(50)), id="50 lines"),
        pytest.param(batch_of(*MANY), id="many claims"),
    ],
)
def test_what_we_write_is_accepted(batch: Batch) -> None:
    assert_accepted(write_professional(batch, ENVELOPE))


@pytest.mark.parametrize(
    "marks", [Delimiters(line_break="\n"), Delimiters("|", "!", ">", "\n"), Delimiters("+", "%", "/", "'")]
)
def test_other_delimiters_are_accepted(marks: Delimiters) -> None:
    assert_accepted(write_professional(batch_of(CLEAN), replace(ENVELOPE, delimiters=marks)))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches())
def test_any_batch_that_the_guide_allows_is_accepted(batch: Batch) -> None:
    assert_accepted(write_professional(batch, ENVELOPE))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text.replace("SE*33*", "SE*32*"), id="a wrong count"),
        pytest.param(lambda text: text.replace("HL*2*1*22", "HL*2*9*22"), id="a wrong parent"),
        pytest.param(lambda text: text.replace("CLM*C1*165.5***11:", "CLM*C1*165.5***98:"), id="an unknown place"),
        pytest.param(lambda text: text.replace("HI*ABK:Z0000*ABF:M1711~", ""), id="no diagnoses"),
        pytest.param(lambda text: text.replace("D8*20260220", "D8*20260230"), id="an impossible date"),
    ],
)
def test_the_judge_refuses_a_broken_file(spoil: Callable[[str], str]) -> None:
    sound = write_professional(batch_of(CLEAN), ENVELOPE)
    broken = spoil(sound)
    assert broken != sound
    verdict = judge(broken)
    assert verdict.errors
    assert verdict.acknowledgment[-1] != "AK9*A*1*1*1"


def test_the_judge_refuses_a_fifty_first_line() -> None:
    assert judge(write_professional(batch_of(claim_of_lines(51)), ENVELOPE)).errors


@needs_samples
@pytest.mark.parametrize("name", ["demo.example1.837", "demo.example2.837"])
def test_a_guide_example_that_we_rebuild_is_accepted(name: str) -> None:
    text = sample(f"x12/lfh/837_005010X222A2/{name}").read_text(encoding="ascii")
    assert_accepted(write_professional(read_professional(text), ENVELOPE))
