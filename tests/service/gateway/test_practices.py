"""Practices: opened by the operator, once, under a code of their own."""

import pytest

from gateway.practices.commands import open_practice
from gateway.practices.domain import PracticeCodeTaken
from gateway.practices.queries import practice_with_code
from gateway.practices.schemas import OpenPractice
from praxis.contracts.gateway import PracticeOpenedV1
from praxis.kit.auth import system_principal
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Cause, Session
from tests.support.gateway import GatewayUnderTest, OpenedPractice


async def test_an_opened_practice_is_announced_once_however_often_it_is_opened(gateway: GatewayUnderTest):

    practice = await gateway.practice()
    async with practice.under_test.session() as session:
        again = await open_practice(session, OpenPractice(code="another-code", time_zone="Europe/Berlin"))
    assert (again.code, again.time_zone) == (practice.code, "America/New_York")
    [event] = await practice.under_test.announced(PracticeOpenedV1)
    assert (event.practice_id, event.currency) == (practice.id, "USD")


async def test_a_code_that_another_practice_has_is_refused(gateway: GatewayUnderTest, practice: OpenedPractice):

    async def work(session: Session) -> None:
        await open_practice(session, OpenPractice(code=practice.code, time_zone="America/New_York"))

    with pytest.raises(PracticeCodeTaken):
        await gateway.harness.parts.unit_of_work.run(
            Cause(system_principal(new_id(), "operator"), "practices.open"), work
        )
    assert await practice_with_code(gateway.harness.parts.database, practice.code) == practice.id
    assert await practice_with_code(gateway.harness.parts.database, "never-opened") is None
