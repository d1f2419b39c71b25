"""Rules of identity: passwords, tokens, and the end of a session."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from gateway.identity.domain import (
    ABSOLUTE,
    IDLE,
    DutiesNotApart,
    OwnAccount,
    TooManyAttempts,
    attempt_subject,
    is_api_key,
    new_api_key,
    new_session_token,
    require_attempt_left,
    require_duties_apart,
    require_other,
    session_end,
    token_digest,
)
from gateway.identity.engine.passwords import KNOWN, hash_password, is_guessable, verify_password
from praxis.kit.ids import new_id

NOW = datetime(2027, 2, 1, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "password1234",
        "PassWord-1234",
        "QWERTYUIOP-12",
        "aaaabbbbaaaa",
        "manager-is-my-name",
        "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12",
    ],
)
def test_passwords_that_everybody_would_try_are_known(text):
    assert is_guessable(text, "manager")


@pytest.mark.parametrize("text", ["violet-harbour-4417", "staple battery horse rain", "ünïcödé-gäñgway"])
def test_other_passwords_are_not(text):
    assert not is_guessable(text, "manager")


def test_every_known_password_is_long_enough_to_be_tried_here():
    assert not [word for word in KNOWN if len(word) < 11]


async def test_a_password_is_right_however_its_letters_are_composed():
    encoded = await hash_password("café-on-the-corner")
    assert (await verify_password(encoded, "cafe\u0301-on-the-corner")).is_right
    assert not (await verify_password(encoded, "cafe-on-the-corner")).is_right
    assert not (await verify_password(None, "nobody has this password")).is_right


async def test_a_hash_with_other_parameters_is_right_and_outdated():
    verdict = await verify_password(
        PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1).hash("violet-harbour"), "violet-harbour"
    )
    assert (verdict.is_right, verdict.is_outdated) == (True, True)


def test_tokens_are_long_random_and_told_apart():
    tokens = {new_session_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(len(token) for token in tokens) >= 43
    key = new_api_key(new_id())
    assert is_api_key(key)
    assert not is_api_key(tokens.pop())
    assert len(token_digest(key)) == 32


def test_a_session_ends_at_the_earlier_of_idle_and_absolute_end():
    assert session_end(NOW, NOW) == NOW + IDLE
    assert session_end(NOW, NOW + ABSOLUTE - timedelta(minutes=1)) == NOW + ABSOLUTE


def test_attempts_are_counted_by_account_and_address():
    subjects = {
        attempt_subject("p", "ab", "1"),
        attempt_subject("p", "a", "b1"),
        attempt_subject("pa", "b", "1"),
        attempt_subject("p", "ab", "2"),
    }
    assert len(subjects) == 4


def test_who_guessed_too_often_is_told_when_the_oldest_guess_is_forgotten():
    attempted = [NOW - timedelta(minutes=14), *(NOW - timedelta(minutes=m) for m in (4, 3, 2, 1))]
    with pytest.raises(TooManyAttempts) as refusal:
        require_attempt_left(attempted, NOW)
    assert refusal.value.retry_after == 60


def test_nobody_acts_on_their_own_account():
    own = new_id()
    require_other(own, new_id())
    with pytest.raises(OwnAccount):
        require_other(own, own)


def test_who_codes_care_does_not_run_the_money():
    require_duties_apart(["provider", "medical_office_manager"])
    require_duties_apart(["biller", "receptionist"])
    with pytest.raises(DutiesNotApart) as refusal:
        require_duties_apart(["receptionist", "biller", "provider"])
    [error] = refusal.value.errors
    assert (error.pointer, error.rule) == ("/roles", "duties-apart")
    assert "another user" in error.message
