"""The page as one file: what it holds, how large it is, and what is said where it cannot be made."""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

import gpt
from gpt.wire import unpack
from tests.conftest import ALPHABET, make_checkpoint
from ui import offline
from ui.bundle import BundleError, bundle
from ui.offline import SHIPPED, main

TALK = {"format": "gpt-letter-by-letter talk", "version": 1, "views": [{"state": {"text": "</script><b>"}}]}


def part(page: str, id: str) -> bytes:
    found = re.search(rf'<script type="text/plain" id="{id}">([^<]*)</script>', page)
    assert found
    return base64.b85decode(found[1].replace(",", "<"))


def held(page: str, id: str) -> Any:
    return json.loads(re.findall(rf'id="{id}">(.*?)</script>', page, re.DOTALL)[0])


def test_the_shipped_model_and_all_of_the_page_is_one_file_of_nine_megabytes(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main([str(out)]) == 0
    assert out.stat().st_size <= 9_000_000
    page = out.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?(?!data:)\w+:?//""", page)
    assert zlib.decompress(part(page, "gl-model")).startswith(b"GLWT")
    header, blocks = unpack(part(page, "gl-story"))
    assert header["model"] == "shakespeare"
    assert blocks["rows"]
    values = held(page, "gl-values")
    assert values["name"] == "shakespeare"
    assert values["text"]["status"] == "example"
    assert held(page, "gl-opens") is None
    assert "own" not in values["training"]


def test_a_hostile_talk_stays_data(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "small")
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps(TALK))
    assert main([str(tmp_path / "page.html"), "--model", str(folder), "--talk", str(talk)]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert json.loads(held(page, "gl-opens")["talk"]) == TALK


def test_a_talk_of_forty_kept_views_with_their_pictures_fits_beside_the_shipped_model(tmp_path: Path) -> None:
    picture = base64.b64encode(random.Random(1).randbytes(10_500)).decode()  # as large as one is
    view = {"state": {"text": "ROMEO:\n"}, "caption": "", "says": "", "thumb": f"data:image/png;base64,{picture}"}
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps({**TALK, "views": [view] * 40}))
    assert main([str(tmp_path / "page.html"), "--talk", str(talk)]) == 0
    assert (tmp_path / "page.html").stat().st_size <= 9_000_000


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "another", "views": []}', "[" * 100_000, "\0"])
def test_what_is_no_talk_is_one_line_and_nothing_is_written(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = tmp_path / "talk.json"
    talk.write_text(content)
    assert main([str(tmp_path / "page.html"), "--talk", str(talk)]) == 1
    assert capsys.readouterr().err == f"python -m ui.offline: {talk}: is no talk that was saved in the Attention tab\n"
    assert not (tmp_path / "page.html").exists()


def test_a_model_that_is_missing_or_no_model_for_a_browser_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "page.html"), "--model", str(tmp_path / "nothing")]) == 1
    assert str(tmp_path / "nothing") in capsys.readouterr().err
    large = make_checkpoint(tmp_path / "large", gpt.GPTConfig(len(ALPHABET), n_layer=5, n_head=4, n_embd=512))
    assert main([str(tmp_path / "page.html"), "--model", str(large)]) == 1
    assert "15,000,000" in capsys.readouterr().err


def test_a_page_that_would_be_too_large_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "MAX_OFFLINE_BYTES", 100_000)
    folder = make_checkpoint(tmp_path / "small")
    assert main([str(tmp_path / "page.html"), "--model", str(folder)]) == 1
    assert "more than 100,000; take a smaller model" in capsys.readouterr().err


def test_where_the_talk_is_what_is_too_large_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint(tmp_path / "small")
    monkeypatch.setattr(offline, "MAX_OFFLINE_BYTES", len(offline.offline_page(folder)))
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps(TALK))
    assert main([str(tmp_path / "page.html"), "--model", str(folder), "--talk", str(talk)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"python -m ui.offline: {talk}: ")
    assert "keep fewer views" in told


def test_the_name_of_a_folder_is_one_line_and_the_next_file_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "small")
    assert main([str(tmp_path / "small"), "--model", str(folder)]) == 1
    assert capsys.readouterr().err == f"python -m ui.offline: {tmp_path / 'small'}: Is a directory\n"
    assert main([str(tmp_path / "page.html"), "--model", str(folder)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"small", "page.html"}


def test_a_place_that_cannot_be_written_is_one_line_and_the_old_file_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "small")
    (tmp_path / "file").write_text("old")
    assert main([str(tmp_path / "file" / "page.html"), "--model", str(folder)]) == 1
    assert capsys.readouterr().err.startswith("python -m ui.offline: ")
    assert (tmp_path / "file").read_text() == "old"


def test_what_ships_is_what_is_taken() -> None:
    assert SHIPPED.is_dir()


def modules(folder: Path, **sources: str) -> Path:
    for name, source in sources.items():
        (folder / f"{name}.js").write_text(source)
    return folder


def test_modules_become_one_script(tmp_path: Path) -> None:
    folder = modules(
        tmp_path,
        entry="/** Of {@link import('./x.js')}. */\nimport {a as b} from './one.js';\n"
        "import * as two from './two.js';\nexport const c = b + two.d;\n",
        one="export {a} from './three.js';\n",
        two="import {a} from './three.js';\nexport const d = a;\n",
        three="const a = 1;\nexport {a};\n",
    )
    script = bundle(folder, "entry.js")
    assert script.count("const a = 1;") == 1
    assert "const {a: b} = M['one.js'];" in script
    assert "import" not in script


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    folder = modules(tmp_path, entry="import {a} from './one.js';\n", one="import {b} from './entry.js';\n")
    with pytest.raises(BundleError, match=r"entry\.js: imports itself, by one\.js"):
        bundle(folder, "entry.js")


def test_a_module_that_is_written_otherwise_is_refused(tmp_path: Path) -> None:
    folder = modules(tmp_path, entry="export default 5;\n")
    with pytest.raises(BundleError, match=r"entry\.js: cannot be taken along: export default 5;"):
        bundle(folder, "entry.js")
