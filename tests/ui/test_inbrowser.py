"""Models that visitors take into their browsers: over a real server, as the page's own module reads them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

import gpt
from gpt.browserfile import browser_file
from tests.browser.test_subwords import make_subwords
from tests.conftest import ALPHABET, make_checkpoint
from tests.ui.models_steps import SMALL, running
from tests.ui.test_download import status_once_there_is_room
from ui import facts, head, inbrowser, inbrowser_route, offline
from ui.host import Host
from ui.inbrowser import Files
from ui.limits import LONG_QUEUE
from ui.offline import offline_page
from ui.registry import OWN, Registry
from ui.visitors import Visitors


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    make_checkpoint(tmp_path / "models" / "shakespeare", SMALL)
    return Registry(tmp_path / "models", host=Host())


@pytest.fixture
def site(registry: Registry):
    with running(Starlette(routes=inbrowser_route.routes(registry))) as address:
        yield address


@pytest.fixture
def url(site: str) -> str:
    return f"{site}/letter/models/browser"


def test_what_comes_is_the_model_that_the_page_itself_uses(url: str, registry: Registry) -> None:
    answer = httpx.get(url, params={"model": "shakespeare"})
    checkpoint = registry.get("shakespeare")
    assert answer.content == browser_file(checkpoint, "int8")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert checkpoint.id.encode() in answer.content
    assert str(registry.folder).encode() not in answer.content


def test_the_whole_page_is_about_that_model_alone_and_opens_on_nothing(site: str, registry: Registry) -> None:
    make_checkpoint(registry.folder / "hamlet-7", SMALL, seed=1)
    answer = httpx.get(f"{site}/letter/models/page", params={"model": "shakespeare"}, timeout=60)
    assert answer.content == offline_page(registry.folder / "shakespeare")
    assert answer.headers["content-type"] == "application/octet-stream"  # a file: it is not to run on this site
    assert b'id="gl-opens">null</script>' in answer.content
    for elsewhere in ("hamlet-7", str(registry.folder)):
        assert elsewhere.encode() not in answer.content


def test_a_visitors_own_model_is_in_its_page_without_what_opens_it(site: str, registry: Registry, monkeypatch) -> None:
    secret = f"mine{OWN}s3cret-token"
    monkeypatch.setattr(registry, "where", lambda name: (registry.folder / "shakespeare", "own"))
    page = httpx.get(f"{site}/letter/models/page", params={"model": secret}, timeout=60).text
    assert '"name": "mine"' in page
    assert "s3cret" not in page


def test_a_page_that_would_be_too_large_is_one_sentence_without_a_path(
    site: str, registry: Registry, monkeypatch
) -> None:
    monkeypatch.setattr(offline, "MAX_OFFLINE_BYTES", 1000)
    answer = httpx.get(f"{site}/letter/models/page", params={"model": "shakespeare"}, timeout=60)
    assert answer.status_code == 404
    assert answer.text.startswith("shakespeare: the page would have ")


@pytest.mark.parametrize("weights", ["int8", "float32"])
def test_the_size_that_is_told_before_is_that_of_the_download(registry: Registry, weights: Any) -> None:
    for config in (SMALL, gpt.GPTConfig.gpt2(len(ALPHABET), 32, n_layer=1, n_head=2, n_embd=24)):
        make_checkpoint(registry.folder / "other", config)
        other = Registry(registry.folder, weights=weights, host=Host())
        told = head.value(other, "other")["here"]["bytes"]
        assert 0 < len(Files(other).get("other").data) - told < 10_000


def test_a_browser_that_has_it_is_told_so_until_it_is_another(url: str, registry: Registry) -> None:
    tag = httpx.get(url, params={"model": "shakespeare"}).headers["etag"]
    for sent in (tag, f"W/{tag}", f'"x", {tag}'):
        kept = httpx.get(url, params={"model": "shakespeare"}, headers={"If-None-Match": sent})
        assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", tag)
    make_checkpoint(registry.folder / "shakespeare", SMALL, seed=5)
    anew = httpx.get(url, params={"model": "shakespeare"}, headers={"If-None-Match": tag})
    assert anew.status_code == 200
    assert anew.headers["etag"] != tag


@pytest.mark.parametrize("name", ["", "nothing", "../models/shakespeare", "/etc/passwd", "shakespeare/", "a" * 5000])
def test_what_is_no_model_is_one_sentence_and_no_file(url: str, name: str) -> None:
    answer = httpx.get(url, params={"model": name})
    assert (answer.status_code, answer.text) == (404, f"There is no model {name[:60]!r}; there are: shakespeare")


def test_another_sites_page_takes_nothing(url: str) -> None:
    answer = httpx.get(url, params={"model": "shakespeare"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.text) == (403, "This question came from another site.")


def test_a_damaged_model_is_one_sentence_without_a_path(url: str, registry: Registry) -> None:
    (registry.folder / "shakespeare" / "model.safetensors").write_bytes(b"x")
    answer = httpx.get(url, params={"model": "shakespeare"})
    assert answer.status_code == 404
    assert answer.text.startswith("shakespeare: model.safetensors")


def test_what_a_browser_cannot_think_with_says_why_in_one_sentence(url: str, registry: Registry, monkeypatch) -> None:
    make_subwords(registry.folder / "words", 300)
    whys = []
    for name, most in (("words", 15_000_000), ("shakespeare", 10_000)):
        monkeypatch.setattr(facts, "MAX_PARAMETERS", most)
        answer = httpx.get(url, params={"model": name})
        whys.append(answer.text)
        assert answer.status_code == 404
        assert head.value(registry, name)["here"] == {"why": answer.text}
    assert whys == [
        "It reads subwords; a browser thinks with models that read letters.",
        "It is too large for a browser, which thinks with 0.01 million parameters at most.",
    ]


def test_so_many_at_once_and_no_more_and_who_goes_away_makes_room(url: str, registry: Registry, monkeypatch) -> None:
    monkeypatch.setattr(inbrowser_route, "MAX_TAKING", 2)
    monkeypatch.setattr(inbrowser, "browser_file", lambda *_: bytes(60_000_000))  # more than the network's buffers hold
    params = {"model": "shakespeare"}
    with httpx.Client(timeout=20) as client:
        taken = [client.send(client.build_request("GET", url, params=params), stream=True) for _ in range(2)]
        assert [one.status_code for one in taken] == [200, 200]
        refused = client.get(url, params=params)
        assert (refused.status_code, "2 models are being downloaded" in refused.text) == (503, True)
        taken[0].close()
        assert status_once_there_is_room(client, url) == 200
        taken[1].close()


def test_who_takes_too_long_is_no_longer_waited_for(url: str, registry: Registry, monkeypatch) -> None:
    monkeypatch.setattr(inbrowser_route, "MAX_DOWNLOAD_SECONDS", 0.3)
    monkeypatch.setattr(inbrowser, "browser_file", lambda *_: bytes(60_000_000))
    with httpx.stream("GET", url, params={"model": "shakespeare"}, timeout=20) as answer:
        time.sleep(1)
        with pytest.raises(httpx.HTTPError):
            answer.read()


def test_a_file_is_made_once_and_kept_while_there_is_room(registry: Registry, monkeypatch) -> None:
    made: list[str] = []

    def making(checkpoint: gpt.Checkpoint, weights: Any) -> bytes:
        made.append(checkpoint.id)
        return browser_file(checkpoint, weights)

    monkeypatch.setattr(inbrowser, "browser_file", making)
    make_checkpoint(registry.folder / "other", SMALL, seed=1)
    files = Files(registry)
    threads = [threading.Thread(target=files.get, args=("shakespeare",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = files.get("shakespeare")
    files.get("other")
    assert len(made) == 2
    monkeypatch.setattr(inbrowser, "MAX_TAKEN_BYTES_KEPT", len(first.data))
    make_checkpoint(registry.folder / "third", SMALL, seed=2)
    files.get("third")
    files.get("third")
    assert len(made) == 3
    assert files.get("shakespeare") == first
    assert len(made) == 4


def test_taking_counts_among_a_visitors_requests_a_minute(registry: Registry) -> None:
    routes = inbrowser_route.routes(registry)
    with running(Starlette(routes=routes, middleware=[Middleware(Visitors, a_minute=2)])) as site:
        codes = [httpx.get(f"{site}/letter/models/browser", params={"model": "x"}).status_code for _ in range(3)]
        assert codes == [404, 404, 429]
        assert httpx.get(f"{site}/letter/waiting").status_code == 200


def test_how_many_wait_is_told_and_whether_that_is_long(site: str, registry: Registry) -> None:
    for waiting, long in ((0, False), (LONG_QUEUE - 1, False), (LONG_QUEUE, True)):
        registry.waiting = lambda waiting=waiting: waiting
        answer = httpx.get(f"{site}/letter/waiting")
        assert answer.json() == {"waiting": waiting, "long": long}
        assert answer.headers["cache-control"] == "no-store"
        assert head.value(registry, "shakespeare")["here"]["long"] is long


def test_the_pages_own_module_takes_it_piece_by_piece_and_says_what_is_wrong(
    site: str, registry: Registry, need: Callable[[str], str]
) -> None:
    script = Path(__file__).parents[1] / "js" / "take.mjs"
    done = subprocess.run([need("node"), str(script), site], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
