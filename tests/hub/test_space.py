"""``python -m ui.space``: the page becomes one commit of a Space, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.conftest import OWNER, READER
from tests.hub.local_hub import Fault, LocalHub, Repository, Stored
from ui.space import main, pack

NAME = "me/page"
KEY = f"spaces/{NAME}"


def commits(hub: LocalHub) -> list[str]:
    """Titles of all that was committed but the repository's own beginning."""
    return [commit.title for commit in hub.repositories[KEY].history()[:-1]]


def test_a_new_space_holds_what_the_dry_run_writes(
    hub: LocalHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([NAME, "--dry-run", str(tmp_path / "out")]) == 0
    assert not hub.requests
    assert main([NAME, "--private"]) == 0
    space = hub.repositories[KEY]
    assert space.private
    assert (space.asked["sdk"], space.asked["hardware"]) == ("gradio", "zero-a10g")
    held = {name: file.data for name, file in space.find("main").files.items() if name != ".gitattributes"}
    written = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert held == {name: path.read_bytes() for name, path in written.items()}
    assert commits(hub) == ["The page"]
    assert space.find("main").files["checkpoints/shakespeare/model.safetensors"].large
    assert f"/spaces/{NAME}; its first start" in capsys.readouterr().out


def test_a_static_space_is_one_page_with_its_model_and_no_hardware(hub: LocalHub, tmp_path: Path) -> None:
    assert main([NAME, "--static", "--dry-run", str(tmp_path / "out")]) == 0
    assert main([NAME, "--static"]) == 0
    space = hub.repositories[KEY]
    assert (space.asked["sdk"], space.asked.get("hardware")) == ("static", None)
    held = {name: file.data for name, file in space.find("main").files.items() if name != ".gitattributes"}
    assert held == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(held) == {"index.html", "README.md"}
    assert b"sdk: static" in held["README.md"]
    assert len(held["index.html"]) <= 9_000_000


def test_a_static_space_has_no_hardware(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([NAME, "--static", "--hardware", "zero"])
    assert ended.value.code == 2
    assert "a static Space has none" in capsys.readouterr().err
    assert not hub.requests


def test_the_same_files_make_no_commit_and_it_says_so(hub: LocalHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main([NAME]), main([NAME])] == [0, 0]
    assert len(commits(hub)) == 1
    assert "holds these files already, nothing was pushed" in capsys.readouterr().out


def test_what_is_no_longer_ours_goes_and_what_is_anothers_stays(hub: LocalHub) -> None:
    main([NAME])
    space = hub.repositories[KEY]
    more = {"ui/old.py": Stored(b"old", False), "ours.png": Stored(b"a picture", False)}
    space.add("main", {**space.find("main").files, **more}, "by hand")
    assert main([NAME, "--message", "again"]) == 0
    files = space.find("main").files
    assert "ui/old.py" not in files
    assert files["ours.png"].data == b"a picture"
    assert commits(hub) == ["again", "by hand", "The page"]


@pytest.mark.parametrize(
    ("has", "options", "torch", "then"),
    [
        ("cpu-basic", [], "torch==", "cpu-basic"),
        ("zero-a10g", [], "torch>=2.9,<2.12", "zero-a10g"),
        ("cpu-basic", ["--hardware", "zero"], "torch>=2.9,<2.12", "zero-a10g"),
        ("zero-a10g", ["--hardware", "cpu"], "torch==", "zero-a10g"),
        ("t4-small", [], "torch==", "t4-small"),
    ],
)
def test_a_space_that_is_there_keeps_its_hardware_unless_zero_is_asked_for(
    hub: LocalHub, has: str, options: list[str], torch: str, then: str
) -> None:
    space = hub.repositories[KEY] = Repository(hardware=has)
    space.add("main", {"README.md": Stored(b"new", False)}, "initial commit")
    assert main([NAME, *options]) == 0
    assert torch in space.find("main").files["requirements.txt"].data.decode()
    assert space.hardware == then


@pytest.mark.parametrize("kind", ["lost answer", "status"])
def test_a_commit_is_made_once_whatever_is_lost(hub: LocalHub, kind: str) -> None:
    hub.faults.append(Fault(r"POST /api/spaces/me/page/commit/", kind, times=2))  # type: ignore[arg-type]
    assert main([NAME]) == 0
    assert commits(hub) == ["The page"]


@pytest.mark.parametrize(
    ("token", "name", "status", "message"),
    [
        (READER, NAME, 0, "this token may not write there"),
        ("nonsense", NAME, 0, "no token, or one that is not valid"),
        (OWNER, NAME, 402, "the Hub asks for a subscription or credits"),
        (OWNER, "page", 0, "is no repository: it is named owner/name"),
    ],
)
def test_what_fails_is_one_line_and_the_token_is_not_in_it(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    token: str, name: str, status: int, message: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", token)
    if status:
        hub.faults.append(Fault("POST /api/repos/create", "status", status=status, times=9))
    assert main([name]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert token not in said
    assert KEY not in hub.repositories


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main([NAME, "--dry-run", str(tmp_path)]) == 1
    assert "is there already, and not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_names_that_packing_returns_are_the_files_it_wrote(tmp_path: Path) -> None:
    names = pack(tmp_path / "out", "cpu")
    assert names == sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()
    )
