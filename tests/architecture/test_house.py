"""The files around the code: lock files name no host, README and Makefile agree, decisions are numbered."""

import re
import subprocess
import tomllib

from tests.architecture.source import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
HOST = re.compile(
    r"://|\b[a-z0-9-]+\.(org|com|net|io|dev|local|internal|example)\b|--(extra-)?index-url|--find-links", re.I
)
PIN = re.compile(r"^[A-Za-z0-9._-]+(\[[^]]*\])?==[^ ;]+")
TARGET = re.compile(r"^([a-z][a-z-]*):.*?(?:## (.+))?$", re.M)
NAMED = re.compile(r"`make ([a-z-]+)")


def hosts(text: str) -> list[str]:
    """Return the lines of a lock file that name a host."""
    return [line for line in text.splitlines() if HOST.search(line)]


def unpinned(text: str) -> list[str]:
    """Return requirements without an exact version or without a hash."""
    joined = text.replace("\\\n", "").splitlines()
    required = [line for line in joined if line.strip() and not line.startswith("#")]
    return [line for line in required if not PIN.match(line) or "--hash=sha256:" not in line]


def targets(makefile: str) -> dict[str, str]:
    """Return the Makefile's targets with their `##` sentence, empty where there is none."""
    return {name: sentence or "" for name, sentence in TARGET.findall(makefile)}


def unknown_targets(page: str, makefile: str) -> list[str]:
    return sorted(set(NAMED.findall(page)) - set(targets(makefile)))


def test_lock_files_name_no_host_and_every_package_has_version_and_hash():
    for name in LOCKS:
        text = (ROOT / name).read_text("utf-8")
        assert hosts(text) == []
        assert unpinned(text) == []


def test_the_lock_that_images_install_is_part_of_the_other():
    def names(lock: str) -> set[str]:
        return {line.split()[0] for line in (ROOT / lock).read_text("utf-8").splitlines() if PIN.match(line)}

    assert names(LOCKS[0]) < names(LOCKS[1])


def test_the_file_of_uv_that_names_hosts_is_not_committed():
    assert "uv.lock" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_every_target_that_a_page_names_exists_and_every_target_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert unknown_targets(page.read_text("utf-8"), makefile) == [], page
    assert [name for name, sentence in targets(makefile).items() if not sentence] == []


def test_every_direct_dependency_has_a_reason_and_every_reason_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    required = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[\[<>=~ ;]", requirement)[0] for requirement in required]
    reasons = re.findall(
        r"^\| (?!package)([a-z0-9-]+) \| .{5,} \|$", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.M
    )
    assert sorted(reasons) == sorted(names)


def test_make_alone_lists_every_target():
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make ([a-z-]+)", shown, re.M))
    assert listed == set(targets((ROOT / "Makefile").read_text("utf-8")))


def test_decisions_are_numbered_without_gap_and_say_the_same_four_things():
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.M)
        assert headings == ["Context", "Decision", "Consequences", "Measured"], page.name


def test_pages_link_only_to_what_exists():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))]
    assert [
        f"{page.name}: {link}" for page, link in links if "://" not in link and not (page.parent / link).exists()
    ] == []


def test_a_host_and_a_missing_hash_in_a_lock_file_are_caught():
    assert hosts("--index-url https://pypi.org/simple")
    assert hosts("x @ https://files.example/x.whl")
    assert unpinned("httpx>=1 --hash=sha256:00")
    assert unpinned("httpx==1.0")
    assert not unpinned("httpx==1.0 ; python_version >= '3.11' \\\n    --hash=sha256:00")


def test_a_target_that_does_not_exist_is_caught():
    assert unknown_targets("Type `make fly`.", "run: x ## Run\n") == ["fly"]
