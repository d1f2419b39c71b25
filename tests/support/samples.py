"""Public sample files (X12, FHIR), which the tree does not hold: tests that read them are skipped where there are none."""

import os
from pathlib import Path
from typing import Final

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "samples"


def _folder() -> Path | None:
    if named := os.environ.get("PRAXIS_SAMPLES"):
        return Path(named)
    return _BESIDE if _BESIDE.is_dir() else None


FOLDER: Final = _folder()

needs_samples = pytest.mark.skipif(FOLDER is None, reason="no public sample files: set PRAXIS_SAMPLES to their folder")


def sample(name: str) -> Path:
    """Return one file by its path within the samples; for tests marked `needs_samples`."""
    assert FOLDER is not None
    return FOLDER / name


def samples(folder: str, pattern: str) -> list[Path]:
    """Return the files of a folder of the samples that match, sorted; none where there are no samples."""
    return sorted(sample(folder).glob(pattern)) if FOLDER else []
