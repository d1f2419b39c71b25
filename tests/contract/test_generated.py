"""What is made from code and committed is what the code makes today."""

from pathlib import Path

from praxis.runtime.tooling import generated


def test_openapi_documents_schemas_and_event_pages_are_up_to_date():
    assert generated.differences(generated.documents()) == []


def test_a_changed_a_missing_and_an_orphaned_file_are_found_and_put_right(tmp_path: Path):
    pages = tmp_path / "docs/events"
    pages.mkdir(parents=True)
    (pages / "gone.md").write_text("whose source is gone")
    (pages / "old.md").write_text("old")
    wanted = {Path("docs/events/old.md"): "new", Path("docs/events/added.md"): "added"}
    found = generated.differences(wanted, tmp_path)
    assert found == ["docs/events/old.md", "docs/events/added.md", "docs/events/gone.md (has no source any more)"]
    generated.write(wanted, tmp_path)
    assert generated.differences(wanted, tmp_path) == []
    assert sorted(path.name for path in pages.iterdir()) == ["added.md", "old.md"]
