"""A model of the page, downloaded: over a real server, unpacked, and loaded again."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

import gpt
from gpt.hub import LIMITS
from tests.conftest import make_checkpoint
from tests.ui.models_steps import SMALL, running
from ui import download_route
from ui.archive import archive
from ui.download_route import file_name
from ui.host import Host
from ui.limits import MAX_DOWNLOADING
from ui.registry import Registry


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "models"
    make_checkpoint(made / "shakespeare", SMALL)
    (made / "shakespeare" / "README.md").write_text("# shakespeare\n")
    (made / "shakespeare" / "resume").mkdir()
    (made / "shakespeare" / "resume" / "state.safetensors").write_bytes(b"local")
    (made / "shakespeare" / "notes.txt").write_text("of one's own")
    return made


@pytest.fixture
def url(folder):
    with running(Starlette(routes=[download_route.route(Registry(folder, host=Host()))])) as address:
        yield f"{address}/letter/models/download"


def test_what_is_downloaded_is_the_model_and_loads(url, folder, tmp_path):
    answer = httpx.get(url, params={"model": "shakespeare"})
    assert answer.headers["content-disposition"] == 'attachment; filename="shakespeare.zip"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        kept = [name for name in LIMITS if (folder / "shakespeare" / name).is_file()]
        assert packed.namelist() == [f"shakespeare/{name}" for name in kept]
        packed.extractall(tmp_path / "out")
    for name in kept:
        assert (tmp_path / "out" / "shakespeare" / name).read_bytes() == (folder / "shakespeare" / name).read_bytes()
    assert gpt.load(tmp_path / "out" / "shakespeare").id == gpt.load(folder / "shakespeare").id


def test_a_save_while_it_is_sent_changes_nothing_of_it(folder):
    place = folder / "shakespeare"
    before = {name: (place / name).read_bytes() for name in LIMITS if (place / name).is_file()}
    packed = archive(place, "x")
    first = next(packed.pieces)
    make_checkpoint(place, gpt.GPTConfig(n_layer=1, n_head=1, n_embd=32, block_size=32), seed=9)
    data = first + b"".join(packed.pieces)
    assert len(data) == packed.length
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert {name.removeprefix("x/"): made.read(name) for name in made.namelist()} == before


@pytest.mark.parametrize("name", ["", "nothing", "../models/shakespeare", "/etc/passwd", "shakespeare/", "a" * 5000])
def test_what_is_no_model_is_one_sentence_and_no_file(url, name):
    answer = httpx.get(url, params={"model": name})
    assert (answer.status_code, answer.text) == (404, f"There is no model {name[:60]!r}; there are: shakespeare")


def test_another_sites_page_downloads_nothing(url):
    answer = httpx.get(url, params={"model": "shakespeare"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.text) == (403, "This question came from another site.")


def status_once_there_is_room(client, url):
    """Of asking for the model "shakespeare" again and again, while so many are on their way that it is refused."""
    deadline, status = time.monotonic() + 20, 503
    while status == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
        with client.stream("GET", url, params={"model": "shakespeare"}) as again:
            status = again.status_code
    return status


def test_so_many_at_once_and_no_more_and_who_goes_away_makes_room(url, folder):
    with open(folder / "shakespeare" / "heads.json", "wb") as file:
        file.truncate(60_000_000)  # more than the network's own buffers hold
    params = {"model": "shakespeare"}
    with httpx.Client(timeout=20) as client:
        requests = [client.build_request("GET", url, params=params) for _ in range(MAX_DOWNLOADING)]
        taken = [client.send(request, stream=True) for request in requests]
        assert [one.status_code for one in taken] == [200] * MAX_DOWNLOADING
        refused = client.get(url, params=params)
        assert (refused.status_code, f"{MAX_DOWNLOADING} models are being" in refused.text) == (503, True)
        taken[0].close()
        assert status_once_there_is_room(client, url) == 200
        for one in taken:
            one.close()


def test_who_takes_too_long_is_no_longer_waited_for(url, folder, monkeypatch):
    monkeypatch.setattr(download_route, "MAX_DOWNLOAD_SECONDS", 0.3)
    with open(folder / "shakespeare" / "heads.json", "wb") as file:
        file.truncate(60_000_000)
    with httpx.stream("GET", url, params={"model": "shakespeare"}, timeout=20) as answer:
        time.sleep(1)
        with pytest.raises(httpx.HTTPError):
            answer.read()


def test_the_files_are_closed_whether_it_is_read_to_its_end_or_not(folder):
    def held():
        return [p for p in Path("/proc/self/fd").iterdir() if "models/shakespeare" in str(p.resolve())]

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell of its open files")
    for read in (list, next):
        packed = archive(folder / "shakespeare", "x")
        read(packed.pieces)
        packed.pieces.close()
        assert held() == []


def test_two_read_the_same_model_at_once(url):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(httpx.get(url, params={"model": "shakespeare"}).content))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("model", "file"),
    [
        ("shakespeare", "shakespeare"),
        ("me/small@v1", "me-small-v1"),
        ('a/b"\r\nX: 1', "a-b-X-1"),
        ("../..", "model"),
        ("x" * 300, "x" * 100),
    ],
)
def test_the_name_of_the_file_is_letters_alone(model, file):
    assert file_name(model) == file
