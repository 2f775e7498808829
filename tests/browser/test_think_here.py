"""The switch "Think in this browser": the model is downloaded once, and then the server is asked nothing more."""

import re
import time

import pytest

import gpt
from gpt.decoder import Decoder
from tests.browser import sampling_steps
from tests.browser.steps import no_sideways_scroll, pin, settle, text_of, wait_for_text, wait_traced, written
from tests.browser.test_prompt_tab import set_slider, status, type_line, wait_status, whole
from tests.browser.test_subwords import make_subwords
from tests.conftest import load_as_the_page, make_checkpoint

SEED = 4711
ESCAPE_SOON = """() => {
    const text = document.querySelector('#gl-text');
    const watch = new MutationObserver(() => {
        if (document.documentElement.dataset.glStatus !== 'writing' || text.textContent.length < 400) return;
        watch.disconnect();
        document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true, cancelable: true}));
    });
    watch.observe(text, {childList: true, subtree: true, characterData: true});
}"""
"""It writes too fast for a press from outside."""
WHOLE = "[...document.querySelectorAll('#gl-text .gl-verse')].map((line) => line.textContent).join('\\n')"


def the_switch(page):
    return page.get_by_role("switch", name="Think in this browser")


def turn_on(page):
    the_switch(page).check()
    page.wait_for_function(
        "document.querySelector('.gl-spoken').textContent === 'The model thinks in this browser now.'"
    )


def choose(page, model):
    page.select_option("#gl-head select", model)
    page.wait_for_function(
        "(size) => document.querySelector('#gl-head .gl-link').textContent.startsWith(size)",
        arg={"shakespeare": "4.", "gpt2-tiny": "0."}[model],
    )


def keep_seed(page, seed=SEED):
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.get_by_label("Seed", exact=True).press("Enter")


def write(page, line):
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    type_line(page, line)
    wait_status(page, "done")
    return whole(page)


def asked(page):
    """A list that grows with each request but those for the page's own modules."""
    found = []
    page.on("request", lambda r: None if re.search(r"/letter/[0-9a-f]{10}/", r.url) else found.append(r.url))
    return found


@pytest.mark.parametrize("model", ["shakespeare", "gpt2-tiny"])
def test_after_one_download_the_server_is_asked_nothing_and_the_texts_are_the_same(
    open_page, page_url, checkpoints, model
):
    page = open_page(page_url)
    if model != "shakespeare":
        choose(page, model)
    keep_seed(page)
    from_server = write(page, "JULIET:")
    turn_on(page)
    requests = asked(page)

    # Text: written, gone on with, and what the model thought of it.
    assert write(page, "ROMEO:") != from_server
    assert write(page, "JULIET:") == from_server
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="Continue").click()
    wait_status(page, "done")
    assert whole(page) == "JULIET:" + written(checkpoints, "JULIET:", 600, model, SEED)
    page.wait_for_function("document.documentElement.dataset.glThoughts === 'known'")
    page.locator("#gl-text .gl-verse").nth(1).click(position={"x": 60, "y": 20})
    page.wait_for_selector("#gl-thoughts .gl-bar")
    page.wait_for_selector(".gp-copied-words button:has-text('Ask the server')")

    # Sampling: a slider, and rolls.
    page.get_by_role("tab", name="Sampling").click()
    page.wait_for_selector("#gl-sampling .gs[data-gl-lab]:not([data-gl-lab=''])")
    before = sampling_steps.text_of(page)
    sampling_steps.move(page, "temperature", 1.2)
    page.locator(".gs-plane").focus()
    rolled = sampling_steps.roll(page, 40)
    checkpoint = load_as_the_page(checkpoints / model)
    assert rolled == before + sampling_steps.expected(checkpoint, before, 40, SEED, temperature=1.2)

    # Attention: maps, a pin, the next character, a silenced head.
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)
    settle(page)
    text = text_of(page)
    pin(page, 5)
    page.keyboard.press("Escape")
    for n in (1, 2):
        page.keyboard.press("n")
        if len(text) + n <= checkpoint.model.config.block_size:
            wait_for_text(page, len(text) + n)
    page.keyboard.press("s")
    page.wait_for_selector(".ge-next .gl-bar.gl-paired")
    settle(page)
    row = page.evaluate(
        """() => {
            const {explorer: app} = document.querySelector('.ge');
            return [...app.map({average: 'head', layer: 1, head: 1}).values].slice(-app.trace.tokens);
        }"""
    )
    shown = page.evaluate("document.querySelector('.ge').explorer.trace.text")[-checkpoint.model.config.block_size :]
    silenced = page.evaluate("document.querySelector('.ge').explorer.state.silenced")
    assert silenced
    window = gpt.trace(checkpoint, text_of(page), [tuple(pair) for pair in silenced])
    assert row == pytest.approx(window.attention[1, 1, -1].tolist(), abs=0.006), shown
    assert requests == []


def test_off_again_the_server_answers_as_before(open_page, page_url):
    page = open_page(page_url)
    keep_seed(page)
    turn_on(page)
    here = write(page, "JULIET:")
    page.get_by_role("button", name="Ask the server").click()  # whether it copies: here is no training text
    page.wait_for_selector(".gp-copied-words:has-text('is not on this machine')")
    page.get_by_title("What this model is").click()
    facts = page.locator("#gl-head .gl-facts")
    assert "Thinks\nin this browser, by WebAssembly" in facts.inner_text()
    the_switch(page).uncheck()
    assert "Thinks\non the server" in facts.inner_text()
    requests = asked(page)
    assert write(page, "JULIET:") == here
    assert [url for url in requests if "/queue/join" in url]
    assert not page.locator(".gl-error").first.is_visible()


def test_a_text_that_is_stopped_stays_and_goes_on_as_if_it_had_not_been(open_page, page_url, checkpoints):
    page = open_page(page_url)
    keep_seed(page)
    turn_on(page)
    set_slider(page, "length", 2000)
    page.evaluate(ESCAPE_SOON)
    type_line(page, "JULIET:")
    wait_status(page, "stopped")
    text = whole(page)
    page.wait_for_timeout(300)
    assert whole(page) == text
    set_slider(page, "length", 50)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="Continue").click()
    wait_status(page, "done")
    assert whole(page) == "JULIET:" + written(checkpoints, "JULIET:", len(text) - len("JULIET:") + 50, seed=SEED)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="Again").click()
    page.wait_for_function("(seed) => document.querySelector('input[aria-label=Seed]').value !== seed", arg=str(SEED))
    wait_status(page, "done")
    link = page.url
    page.goto(link)
    page.wait_for_function("document.querySelector('#gl-text .gl-verse:nth-child(2)')")
    assert not the_switch(page).is_checked()


def test_another_model_is_the_servers_until_it_is_taken_too(open_page, page_url, checkpoints):
    page = open_page(page_url)
    keep_seed(page)
    turn_on(page)
    size = page.locator(".gl-here-size").inner_text()
    choose(page, "gpt2-tiny")
    assert not the_switch(page).is_checked()
    assert page.locator(".gl-here-size").inner_text() != size
    assert write(page, "JULIET:") == "JULIET:" + written(checkpoints, "JULIET:", 300, "gpt2-tiny", SEED)
    turn_on(page)
    requests = asked(page)
    assert write(page, "JULIET:") == "JULIET:" + written(checkpoints, "JULIET:", 300, "gpt2-tiny", SEED)
    assert requests == []


def test_a_file_that_is_not_the_models_is_one_sentence_and_the_server_answers_on(open_page, page_url, checkpoints):
    page = open_page(page_url, allow="404")
    whole_file = page.request.get(f"{page_url}letter/models/browser?model=shakespeare").body()
    foreign = page.request.get(f"{page_url}letter/models/browser?model=gpt2-tiny").body()
    middle = len(whole_file) // 2
    altered = whole_file[:middle] + bytes([whole_file[middle] ^ 1]) + whole_file[middle + 1 :]
    said = {
        whole_file[: len(whole_file) - 5]: f"The file of weights is cut off: {len(whole_file) - 5:,} bytes are here",
        altered: "The file of weights was altered: its checksum does not fit what it holds.",
        b"<html>": "This is no file of weights for this page.",
        foreign: "The file that came is not of this shakespeare",
    }
    for body, sentence in said.items():
        page.route("**/letter/models/browser*", lambda route, _, body=body: route.fulfill(body=body))
        the_switch(page).click()
        problem = page.locator("#gl-head .gl-error")
        problem.filter(has_text=sentence).wait_for()
        assert problem.inner_text().endswith("The server goes on answering.")
        assert not the_switch(page).is_checked()
        page.unroute("**/letter/models/browser*")
    keep_seed(page)
    text = "JULIET:" + written(checkpoints, "JULIET:", 300, seed=SEED)
    assert write(page, "JULIET:") == text
    turn_on(page)
    assert not problem.is_visible()
    assert write(page, "JULIET:") == text


def test_a_download_shows_how_far_it_is_and_is_given_up_by_a_press(open_page, page_url):
    page = open_page(page_url)
    held = []
    page.route("**/letter/models/browser*", lambda route: held.append(route))
    the_switch(page).check()
    page.wait_for_selector(".gl-here-way:not([hidden])")
    assert re.fullmatch(r"0\.0 of \d\.\d MB", page.locator(".gl-here-come").inner_text())
    page.get_by_role("button", name="Cancel the download").click()
    assert not the_switch(page).is_checked()
    assert the_switch(page).evaluate("(box) => box === document.activeElement")
    assert not page.locator(".gl-here-way").is_visible()
    assert not page.locator("#gl-head .gl-error").is_visible()
    held[0].abort()
    page.unroute("**/letter/models/browser*")
    page.keyboard.press("Space")  # by the keyboard
    page.wait_for_function("document.querySelector('.gl-spoken').textContent.endsWith('in this browser now.')")
    assert the_switch(page).is_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_all_of_it_fits_and_is_there_by_name(open_page, page_url, theme):
    page = open_page(f"{page_url}?__theme={theme}", "phone", theme)
    held = []
    page.route("**/letter/models/browser*", lambda route: held.append(route))
    page.evaluate("document.dispatchEvent(new CustomEvent('gl:busy', {detail: {waiting: 12}}))")
    offer = page.get_by_role("button", name=re.compile(r"Think in this browser \(\d\.\d MB\)"))
    assert "12 requests wait for the server" in page.locator(".gl-offer").inner_text()
    assert no_sideways_scroll(page)
    offer.click()
    page.wait_for_selector(".gl-here-way:not([hidden])")
    assert no_sideways_scroll(page)
    assert not offer.is_visible()
    label, size = (page.locator(f".gl-here-{part}").bounding_box() for part in ("name", "size"))
    assert abs(label["y"] + label["height"] / 2 - size["y"] - size["height"] / 2) < 3, "on one line"
    page.get_by_role("button", name="Cancel the download").click()
    page.get_by_role("button", name="Not now").click()
    assert not page.locator(".gl-offer").is_visible()
    held[0].abort()


def test_who_waits_in_a_long_queue_is_offered_the_own_browser_and_waits_no_longer(
    open_page, tmp_path, serve, monkeypatch
):
    monkeypatch.setattr("ui.prompt.MAX_WRITERS", 1)
    monkeypatch.setattr("ui.inbrowser.LONG_QUEUE", 1)
    monkeypatch.setenv("GPT_QUEUE", "1")
    make_checkpoint(tmp_path / "models" / "shakespeare", gpt.GPTConfig(n_layer=1, n_head=1, n_embd=32, block_size=64))
    expected = "ROMEO:" + written(tmp_path / "models", "ROMEO:", 300, seed=SEED)
    step = Decoder.step
    with serve(tmp_path / "models") as url:
        first, second = open_page(url), open_page(url)
        monkeypatch.setattr(Decoder, "step", lambda self, token: time.sleep(0.05) or step(self, token))
        set_slider(first, "length", 2000)
        type_line(first, "JULIET:")
        wait_status(first, "writing")
        keep_seed(second)
        type_line(second, "ROMEO:")
        third = open_page(url, allow="503")
        type_line(third, "JULIET:")  # is refused: nobody more may wait
        third.get_by_role("button", name=re.compile(r"Think in this browser \(")).wait_for()
        third.close()
        second.get_by_role("button", name=re.compile(r"Think in this browser \(")).click()
        second.wait_for_function(f"(text) => {WHOLE} === text", arg=expected)
        assert status(first) == "writing", "it waited for nobody"
        first.close()
        second.close()


@pytest.mark.parametrize("tab", ["Sampling", "Attention"])
def test_a_view_that_a_busy_server_refuses_is_drawn_once_the_model_thinks_here(open_page, page_url, tab):
    page = open_page(page_url, allow="503")
    busy = "64 questions are waiting, the limit of this page."
    page.route("**/letter/ask/**", lambda route: route.fulfill(status=503, content_type="text/plain", body=busy))
    page.get_by_role("tab", name=tab).click()
    view = page.locator(f"#gl-{tab.lower()}")
    view.get_by_text(busy).wait_for()
    page.get_by_role("button", name=re.compile(r"Think in this browser \(")).click()
    drawn = {"Sampling": ".gs[data-gl-lab]:not([data-gl-lab=''])", "Attention": ".ge[data-gl-trace]"}[tab]
    view.locator(drawn).wait_for()
    view.get_by_text(busy).wait_for(state="hidden")


def test_a_model_of_subwords_has_no_switch_and_says_why(open_page, tmp_path, serve):
    make_subwords(tmp_path / "models" / "words", 300)
    with serve(tmp_path / "models") as url:
        page = open_page(url)
        assert not the_switch(page).is_visible()
        page.evaluate("document.dispatchEvent(new CustomEvent('gl:busy', {detail: {waiting: 12}}))")
        assert not page.locator(".gl-offer").is_visible()
        page.get_by_title("What this model is").click()
        said = page.locator("#gl-head .gl-facts").inner_text()
        page.close()
        assert said.endswith(
            "Thinks\non the server. It reads subwords; a browser thinks with models that read letters."
        )
