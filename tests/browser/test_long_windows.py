"""A window so long that its maps come as thumbnails and one at a time: what is exported of it, in the real page."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

import gpt
from tests.browser.steps import export, packed, sentence, settle, until, wait_traced
from tests.browser.test_attention_talk import open_offline  # noqa: F401
from tests.conftest import ALPHABET, load_as_the_page, make_checkpoint

TOKENS = 1024
HEAD = 2


@pytest.fixture(scope="module")
def long(tmp_path_factory, serve):
    """The address of a page over a model of one layer, four heads and 1,024 positions, the model, and a text."""
    folder = tmp_path_factory.mktemp("long")
    config = gpt.GPTConfig(n_layer=1, n_head=4, n_embd=16, block_size=TOKENS)
    source = make_checkpoint(folder / "long", config)
    letters = np.random.default_rng(0).choice(list(ALPHABET), TOKENS)
    letters[100::100] = "\n"
    with serve(folder) as url:
        yield url, load_as_the_page(source), "".join(letters)


def test_a_long_window_is_exported_with_the_one_map_that_is_on_screen(open_page, open_offline, long):  # noqa: F811
    url, checkpoint, text = long
    state = {"text": text, "head": HEAD, "pin": 700}
    page = open_page(f"{url}?s={packed({'tab': 'attention', 'model': 'long', 'attention': state})}", allow="503")
    wait_traced(page)
    page.wait_for_function("document.querySelector('.ge').explorer.map() !== null")
    settle(page)
    weights = gpt.trace(checkpoint, text).attention[0, HEAD].numpy()
    assert page.evaluate("document.querySelector('.ge').explorer.trace.side") == 64

    rows = list(csv.reader(io.StringIO(export(page, "Numbers of the map")[0].decode())))
    assert len(rows) == 1 + TOKENS * (TOKENS + 1) // 2
    found = np.array([float(weight) for t, _, s, _, weight in rows[1:] if t == "700"])
    np.testing.assert_allclose(found, weights[700, :701], atol=0.005)

    told = json.loads(export(page, "All numbers")[0])
    assert len(told["map"]["weights"]) == TOKENS
    np.testing.assert_allclose(told["row"]["weights"], weights[700, :701], atol=1e-5)
    assert told["row"]["exact"]

    picture = Image.open(io.BytesIO(export(page, "Picture")[0])).convert("RGB")
    assert picture.width == 1440
    assert len(picture.crop((492, 118, 1092, 718)).getcolors(100_000)) > 20

    html, _ = export(page, "One offline page")
    away = open_offline(html)
    until(away, "document.querySelector('.ge').explorer.map() !== null")
    settle(away)
    map_of = "Array.from(document.querySelector('.ge').explorer.map().values.subarray(0, 5000))"
    np.testing.assert_allclose(away.evaluate(map_of), page.evaluate(map_of), atol=1)  # of 255
    away.keyboard.press("ArrowRight")  # with the model in it, it can look through the other heads
    until(away, "document.querySelector('.ge').explorer.map() !== null")

    # Where the server does not give that page, the file holds what was on screen.
    page.route("**/letter/models/page*", lambda route: route.fulfill(status=503, body="Try again."))
    html, _ = export(page, "One offline page")
    assert "no model: " in page.inner_text(".ge-export-said")
    assert len(html) < 4_000_000
    away = open_offline(html)
    until(away, "document.querySelector('.ge').explorer.map() !== null")
    settle(away)
    assert sentence(away) == sentence(page)
    assert away.evaluate(map_of) == page.evaluate(map_of)
    away.keyboard.press("ArrowRight")  # of the other heads it holds thumbnails, and says so
    until(away, "document.querySelector('.ge-status').textContent.includes('saved with')")
