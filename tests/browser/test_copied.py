"""Does it just copy? Under the text of the Prompt tab, from a search of the training text."""

import hashlib
import http.server
import threading

import pytest

import gpt
from gpt.checkpoint import to_json
from tests.browser.steps import wait_until
from tests.browser.test_prompt_tab import set_slider, type_line, wait_status, whole
from tests.browser.thoughts_steps import known, score_own
from tests.conftest import TRAINING, make_checkpoint
from train import data
from ui import corpus


def test_a_model_of_another_text_says_that_it_cannot_be_said(open_page, page_url, checkpoint):
    page = open_page(page_url)
    line = page.locator(".gp-copied")
    line.get_by_text("bits a character").wait_for()
    assert "Does it just copy?" in line.inner_text()
    assert "is not on this machine" in line.inner_text()
    text = whole(page)
    judged = gpt.score(checkpoint, text).bits[len("ROMEO:") - 1 :].mean()
    assert f"{judged:.2f} bits a character" in line.inner_text()


def test_it_is_asked_of_a_text_that_ended_with_what_was_there_already(open_page, page_url, slowly):
    page = open_page(page_url)
    line = page.locator(".gp-copied")
    line.get_by_text("bits a character").wait_for()
    set_slider(page, "length", 2000)
    type_line(page, "ROMEO:")
    line.get_by_text("Looked up when the text is written.").wait_for()
    page.wait_for_function("document.querySelector('#gl-text .gl-play').innerText.length > 50")
    page.keyboard.press("Escape")
    wait_status(page, "stopped")
    line.get_by_text("bits a character").wait_for()


@pytest.fixture
def plays(tmp_path, monkeypatch):
    """A corpus of its own, which two models were trained on, and its public home, on this machine."""
    text = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n" * 3
    sha = hashlib.sha256(text.encode()).hexdigest()

    class Home(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Home)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_URL", f"http://127.0.0.1:{server.server_port}/input.txt")
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_SHA256", sha)
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_BYTES", len(text))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TINY_SHAKESPEARE", raising=False)
    corpus._index.cache_clear()
    about = {
        **TRAINING,
        "corpus": {"name": "plays", "sha256": sha},
        "split": {"train_characters": len(text), "held_out_characters": 1},
        "final": {"train_loss": 1.0, "val_loss": 1.5},
    }
    make_checkpoint(tmp_path / "models" / "ours", more={"training.json": to_json(about)})
    yield tmp_path / "models"
    corpus._index.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_training_text_is_fetched_when_asked_and_copied_passages_are_marked(open_page, serve, plays):
    with serve(plays) as url:
        page = open_page(url)
        line = page.locator(".gp-copied")
        line.get_by_role("button", name="Fetch it (1.1 MB)").click()
        line.get_by_text("The longest passage copied").wait_for()
        assert "Shakespeare that it never read, 2.16." in line.inner_text()  # 1.5 nats
        copied = "Before we proceed any further, hear me speak."
        score_own(page, f"Zounds! {copied} Zounds indeed.")
        line.get_by_text("One passage of 24 characters").wait_for()
        known(page)
        assert f"word for word has {len(copied)} characters" in line.inner_text()
        ink = "(e) => [...e].map((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.join()).join()"
        page.wait_for_timeout(150)
        before = page.locator(".gp-tile").evaluate_all(ink)
        line.get_by_role("button", name="characters").first.click()
        page.mouse.move(2, 2)
        wait_until(page, lambda: page.locator(".gp-tile").evaluate_all(ink) != before)
        assert "line 2 of it, First Citizen speaks" in line.inner_text()
        score_own(page, "B")
        line.get_by_role("button", name="1 character", exact=True).wait_for()
        page.close()
