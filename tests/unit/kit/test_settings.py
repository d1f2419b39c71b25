"""What a process is told, and what production refuses."""

from pathlib import Path

import pytest

from praxis.kit.app import Service
from praxis.kit.settings import InsecureSettings, Settings, require_safe_secrets
from praxis.runtime.secrets import create_secrets


def settings(folder: Path, profile: str) -> Settings:
    return Settings("staff", profile, "all", folder, "nats://127.0.0.1:1", "postgresql://127.0.0.1:1/staff")


def test_production_accepts_secrets_made_for_it(tmp_path: Path):
    require_safe_secrets(settings(create_secrets(tmp_path, development=False), "production"))


def test_production_refuses_secrets_made_for_development(tmp_path: Path):
    folder = create_secrets(tmp_path, development=True)
    require_safe_secrets(settings(folder, "development"))
    with pytest.raises(InsecureSettings, match="development secrets"):
        require_safe_secrets(settings(folder, "production"))


def test_production_refuses_a_guessable_password(tmp_path: Path):
    folder = create_secrets(tmp_path, development=False)
    (folder / "staff" / "db-app.password").write_text("praxis")
    with pytest.raises(InsecureSettings, match=r"db-app\.password"):
        require_safe_secrets(settings(folder, "production"))


def test_production_refuses_a_secret_that_others_can_read(tmp_path: Path):
    folder = create_secrets(tmp_path, development=False)
    (folder / "staff" / "event.key").chmod(0o644)
    with pytest.raises(InsecureSettings, match=r"event\.key"):
        require_safe_secrets(settings(folder, "production"))


def test_production_refuses_failpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = create_secrets(tmp_path, development=False)
    monkeypatch.setenv("PRAXIS_FP", "edge.before-commit:1:raise")
    with pytest.raises(RuntimeError, match="PRAXIS_FP"):
        Service("staff", "services.staff", []).build(settings(folder, "production"))


def test_secrets_that_exist_are_kept(tmp_path: Path):
    folder = create_secrets(tmp_path, development=False)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    create_secrets(folder, development=False)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_a_password_with_any_characters_fits_the_connection_url(tmp_path: Path):
    folder = create_secrets(tmp_path, development=False)
    (folder / "staff" / "db-app.password").write_text("a/b+c=d@e:f?" + "x" * 32)
    url = settings(folder, "production").role_dsn("app")
    assert url == f"postgresql://praxis_staff_app:a%2Fb%2Bc%3Dd%40e%3Af%3F{'x' * 32}@127.0.0.1:1/staff"


def test_addresses_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PRAXIS_PROFILE", "development")
    monkeypatch.setenv("PRAXIS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("PRAXIS_NATS_URL", "nats://broker:4222")
    monkeypatch.setenv("PRAXIS_BILLING_DATABASE_URL", "postgresql://books:5432/billing")
    found = Settings.load("billing")
    assert (found.profile, found.nats_url, found.database_url) == (
        "development",
        "nats://broker:4222",
        "postgresql://books:5432/billing",
    )


def test_a_process_without_its_database_does_not_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PRAXIS_BILLING_DATABASE_URL", raising=False)
    with pytest.raises(ValueError, match="database_url"):
        Settings.load("billing")
