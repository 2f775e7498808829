"""The model in the page in a real browser: in a worker, with the page alive all the while; and without a worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import gpt
from bench.thinking import file_server
from gpt.browserfile import export_browser

ASSETS = Path(__file__).parents[2] / "ui" / "assets"
ORDER = "{prompt: 'ROMEO:', settings: {temperature: 0.8}, count: 300, seed: 5}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, checkpoints: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ASSETS, folder / "assets")
    export_browser(checkpoints / "shakespeare", folder / "model.weights")
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>x</title><link rel="icon" href="data:,">'
    )
    with file_server(folder) as url:
        yield url


@pytest.fixture(scope="module")
def tab(site: str, chromium):
    """A page with a thinker in ``window.thinker``."""
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    page.goto(site)
    page.evaluate(
        """async () => {
            window.gpt = await import('/assets/gpt.js');
            window.bytes = async () => (await fetch('/model.weights')).arrayBuffer();
            window.thinker = await gpt.start(await bytes(), {name: 'shakespeare'});
        }"""
    )
    yield page
    page.close()


def test_a_text_is_that_of_the_library_and_comes_while_the_page_lives(tab, checkpoints: Path, monkeypatch) -> None:
    monkeypatch.setattr("gpt.decoder.packed", lambda model: {})  # in float32, as the page computes
    checkpoint = gpt.load(checkpoints / "shakespeare", weights="int8")
    tokens = gpt.generate(checkpoint, "ROMEO:", gpt.SamplingSettings(temperature=0.8), 300, 5)
    found = tab.evaluate(
        f"""async () => {{
            const pieces = [];
            for await (const written of thinker.write({ORDER})) pieces.push(written.text);
            return {{text: pieces.at(-1), pieces: pieces.length, about: thinker.about}};
        }}"""
    )
    assert found["text"] == "".join(token.text for token in tokens)
    assert found["pieces"] > 2
    assert (found["about"]["kernels"], found["about"]["notice"]) == ("wasm", "")


def test_long_work_is_given_up_at_once_and_other_questions_are_answered_meanwhile(tab) -> None:
    found = tab.evaluate(
        """async () => {
            const text = 'ROMEO:\\nBut soft, what light '.repeat(9);
            const control = new AbortController();
            let effects = 'running';
            const long = thinker.ask('effects', {text}, control.signal).then(() => 'done', (error) => error.name)
                .then((end) => { effects = end; });
            const {header, blocks} = await thinker.ask('trace', {text});
            const between = effects;
            control.abort();
            await long;
            const {kl} = await thinker.ask('effects', {text: 'ROMEO:'});
            return {between, effects, tokens: header.tokens, rows: blocks.rows.length, heads: kl.length * kl[0].length};
        }"""
    )
    assert found == {"between": "running", "effects": "AbortError", "tokens": 252, "rows": 24 * 126 * 253, "heads": 24}


def test_where_no_worker_starts_the_page_thinks_itself_and_says_the_same(tab) -> None:
    texts = tab.evaluate(
        f"""async () => {{
            const other = await gpt.start(await bytes(), {{worker: () => new Worker('/assets/there-is-none.js')}});
            const texts = [];
            for (const each of [thinker, other]) {{
                for await (const {{status, text}} of each.write({ORDER})) if (status === 'done') texts.push(text);
            }}
            other.close();
            return texts;
        }}"""
    )
    assert texts[0] == texts[1]
    assert len(texts[0]) == 300


def test_the_explorer_and_the_laboratory_take_their_data_from_it(tab) -> None:
    found = tab.evaluate(
        """async () => {
            const {createApp} = await import('/assets/attention/app.js');
            const {answersFor, think} = await import('/assets/common/thinking.js');
            think(answersFor(thinker, 'shakespeare'));
            const explorer = await import('/assets/attention/source.js');
            const laboratory = await import('/assets/sampling/source.js');
            const app = createApp(explorer.server());
            await app.restore({model: 'shakespeare', text: 'ROMEO:'});
            const before = app.trace.tokens;
            const {rowOf, mapOf} = await import('/assets/attention/maps.js');
            const row = rowOf(mapOf(app.trace, {average: 'head', layer: 0, head: 0}), before - 1);
            const {header, blocks} = await laboratory.server().roll(
                {model: 'shakespeare', text: 'ROMEO:', settings: {temperature: 1}, seed: 1, count: 4});
            const role = typeof app.trace.roles[0][0].words;
            return {before, sum: row.reduce((a, b) => a + b), role, error: app.error,
                rolled: header.ids.length, logits: blocks.logits.length};
        }"""
    )
    assert found["sum"] == pytest.approx(1, abs=0.02)
    del found["sum"]
    assert found == {"before": 6, "role": "string", "error": "", "rolled": 4, "logits": 5 * 65 * 4}


def test_a_damaged_file_is_one_sentence(tab) -> None:
    said = tab.evaluate(
        """async () => gpt.start((await bytes()).slice(0, 5000)).then(() => '', (error) => error.message)"""
    )
    assert said.startswith("The file of weights is cut off: 5,000 bytes are here of ")
