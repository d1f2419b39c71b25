import base64
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.secrets import MASTER, Keyring, SealBroken, generate_secret

PRACTICE, OTHER_PRACTICE = UUID(int=1), UUID(int=2)
MEMBER_ID = "billing.coverage.member_id"
KEYRING = Keyring(bytes(range(32)))


@given(st.uuids(), st.text(), st.text())
def test_what_was_sealed_opens_for_its_practice_and_purpose(practice: UUID, purpose: str, text: str) -> None:
    sealed = KEYRING.seal(practice, purpose, text)
    assert len(sealed) == len(text.encode()) + 33
    assert KEYRING.unseal(practice, purpose, sealed) == text


@given(st.text(min_size=1), st.data())
def test_a_seal_with_any_bit_changed_is_broken(text: str, data: st.DataObject) -> None:
    sealed = bytearray(KEYRING.seal(PRACTICE, MEMBER_ID, text))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        KEYRING.unseal(PRACTICE, MEMBER_ID, bytes(sealed))


def test_a_seal_cut_anywhere_is_broken() -> None:
    sealed = KEYRING.seal(PRACTICE, MEMBER_ID, "XK-1")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            KEYRING.unseal(PRACTICE, MEMBER_ID, sealed[:length])


@given(st.binary(max_size=80))
def test_foreign_bytes_are_no_seal(foreign: bytes) -> None:
    with pytest.raises(SealBroken):
        KEYRING.unseal(PRACTICE, MEMBER_ID, foreign)


@pytest.mark.parametrize(
    ("keyring", "practice", "purpose"),
    [
        (KEYRING, OTHER_PRACTICE, MEMBER_ID),
        (KEYRING, PRACTICE, "billing.coverage.group_id"),
        (Keyring(bytes(32)), PRACTICE, MEMBER_ID),
    ],
    ids=["practice", "purpose", "master key"],
)
def test_a_seal_does_not_open_elsewhere(keyring: Keyring, practice: UUID, purpose: str) -> None:
    sealed = KEYRING.seal(PRACTICE, MEMBER_ID, "XK-1")
    with pytest.raises(SealBroken) as refusal:
        keyring.unseal(practice, purpose, sealed)
    assert "XK-1" not in str(refusal.value)


def test_two_seals_of_one_text_differ() -> None:
    assert len({KEYRING.seal(PRACTICE, MEMBER_ID, "XK-1") for _ in range(100)}) == 100


def test_a_seal_made_by_an_earlier_release_still_opens() -> None:
    sealed = base64.b64decode("AQ1gUPpIKH+tLfbkj+MlaSOitFrJZM9PZPhgqsnyo7dZjxbEZw==")
    assert KEYRING.unseal(PRACTICE, MEMBER_ID, sealed) == "XK-1"


def test_an_index_made_by_an_earlier_release_is_still_found() -> None:
    assert KEYRING.blind_index(PRACTICE, MEMBER_ID, "XK-1").hex() == "4cc654d7989b3e91d97c3e32bc70b912"


@pytest.mark.parametrize("spelling", ["xk-1 roe", " XK-1  Roe\t", "\uff38\uff2b-1 ROE", "XK-1\u00a0Roe"])
def test_case_width_and_spacing_do_not_count_in_an_index(spelling: str) -> None:
    assert KEYRING.blind_index(PRACTICE, MEMBER_ID, spelling) == KEYRING.blind_index(PRACTICE, MEMBER_ID, "XK-1 Roe")


def test_composition_of_accents_does_not_count_in_an_index() -> None:
    assert KEYRING.blind_index(PRACTICE, "name", "Zo\u00eb") == KEYRING.blind_index(PRACTICE, "name", "ZOE\u0308")


@pytest.mark.parametrize(
    ("practice", "purpose", "text"),
    [
        (OTHER_PRACTICE, MEMBER_ID, "XK-1"),
        (PRACTICE, "billing.coverage.group_id", "XK-1"),
        (PRACTICE, MEMBER_ID, "XK-2"),
        (PRACTICE, MEMBER_ID, "XK1"),
        (PRACTICE, MEMBER_ID[:-1], "dXK-1"),
    ],
)
def test_an_index_of_anything_else_differs(practice: UUID, purpose: str, text: str) -> None:
    index = KEYRING.blind_index(practice, purpose, text)
    assert len(index) == 16
    assert index != KEYRING.blind_index(PRACTICE, MEMBER_ID, "XK-1")


@given(st.text(), st.binary())
def test_a_signature_proves_its_purpose_and_data(purpose: str, data: bytes) -> None:
    mac = KEYRING.sign(purpose, data)
    assert len(mac) == 16
    assert KEYRING.verify(purpose, data, mac)
    assert not KEYRING.verify(purpose + "x", data, mac)
    assert not KEYRING.verify(purpose, data + b"x", mac)
    assert not KEYRING.verify(purpose, data, mac[:-1])
    assert not Keyring(bytes(32)).verify(purpose, data, mac)


def test_purpose_and_data_of_a_signature_do_not_run_together() -> None:
    assert not KEYRING.verify("cursor", b"x", KEYRING.sign("curso", b"rx"))


def test_the_master_key_is_not_shown() -> None:
    assert repr(KEYRING) == "Keyring()"


def test_a_generated_master_key_loads_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    path = generate_secret(folder, MASTER)
    assert path == folder / MASTER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(Keyring.load(folder).master) == 32


def test_a_secret_that_is_there_stays(tmp_path: Path) -> None:
    before = generate_secret(tmp_path, MASTER).read_bytes()
    assert generate_secret(tmp_path, MASTER).read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / MASTER]


def test_a_secret_that_is_there_needs_no_writable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = generate_secret(tmp_path, MASTER)
    monkeypatch.delattr(tempfile, "mkstemp")
    assert generate_secret(tmp_path, MASTER) == path


def test_starters_at_the_same_time_agree_on_one_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(lambda _: generate_secret(tmp_path, MASTER).read_bytes(), range(64)))
    assert len(read) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / MASTER]


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    secrets = [generate_secret(tmp_path / name, MASTER).read_bytes() for name in ("one", "two")]
    assert secrets[0] != secrets[1]


@pytest.mark.parametrize(
    "content", [b"", b"c2hvcnQ=", b"not base64!", base64.b64encode(bytes(33)), b"!" + base64.b64encode(bytes(32))]
)
def test_a_master_key_of_another_shape_is_refused_by_file_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MASTER).write_bytes(content)
    with pytest.raises(ValueError, match=r"master\.key has to hold 32 bytes in base64"):
        Keyring.load(tmp_path)


def test_a_missing_master_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"master\.key"):
        Keyring.load(tmp_path)
