"""The Prompt tab as a person uses it: types, reads, stops, goes on, reloads, in a real browser."""

import time

import pytest

import gpt
from gpt.decoder import Decoder
from tests.browser.steps import wait_until
from tests.conftest import load_as_the_page
from ui.prompt import EXAMPLE_SEED

SETTINGS = gpt.SamplingSettings(temperature=0.8)


def status(page):
    return page.evaluate("document.documentElement.dataset.glStatus")


def wait_status(page, wanted):
    page.wait_for_function("(wanted) => document.documentElement.dataset.glStatus === wanted", arg=wanted)


def whole(page):
    """The text on the page, prompt included, as Copy would take it."""
    return page.evaluate(
        "[...document.querySelectorAll('#gl-text .gl-verse')].map((line) => line.textContent).join('\\n')"
    )


def type_line(page, text, press="Enter"):
    page.locator("#gl-your-line textarea").fill(text)
    if press:
        page.locator("#gl-your-line textarea").press(press)


def set_slider(page, name, value):
    page.locator(f"#gl-{name}").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )


def seed(page):
    return int(page.locator("#gl-settings input[aria-label=Seed]").input_value())


def expected(checkpoint, prompt, length, seed, settings=SETTINGS):
    return "".join(t.text for t in gpt.generate(checkpoint, prompt, settings, length, seed))


def write(page, text):
    """Type a line and wait until it is written; the status of the text before may already be done."""
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    type_line(page, text)
    wait_status(page, "done")


def test_it_opens_on_an_example_that_the_model_wrote(open_page, page_url, checkpoint):
    page = open_page(page_url)
    assert status(page) == "example"
    assert whole(page) == "ROMEO:" + expected(checkpoint, "ROMEO:", 300, seed(page))


@pytest.mark.parametrize(
    ("size", "theme"), [("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark")]
)
def test_a_line_and_enter_give_the_text_of_the_seed_shown(open_page, page_url, checkpoint, size, theme):
    page = open_page(f"{page_url}?__theme={theme}", size, theme)
    write(page, "First Citizen:")
    assert whole(page) == "First Citizen:" + expected(checkpoint, "First Citizen:", 300, seed(page))
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_reloaded_link_shows_the_same_text_and_the_kept_seed_writes_it_again(open_page, page_url):
    page = open_page(page_url)
    set_slider(page, "temperature", 1.5)
    write(page, "Now is the")
    text, number, link = whole(page), seed(page), page.url
    assert "s=" in link
    page.reload()
    page.wait_for_function(
        "(text) => document.querySelector('#gl-text')?.innerText.includes(text)", arg=text.split("\n")[0]
    )
    assert (whole(page), seed(page)) == (text, number)
    assert page.locator("#gl-your-line textarea").input_value() == "Now is the"
    assert page.locator("#gl-temperature").input_value() == "1.5"
    other = open_page(link)
    other.wait_for_function(
        "(text) => document.querySelector('#gl-text')?.innerText.includes(text)", arg=text.split("\n")[0]
    )
    other.get_by_text("keep it").click()
    write(other, "Now is the")
    assert whole(other) == text


def test_the_address_is_that_of_the_tab_in_front(open_page, page_url):
    page = open_page(page_url)
    page.get_by_role("tab", name="Sampling").click()
    page.wait_for_url("**s=*")
    page.get_by_role("tab", name="Prompt").click()
    page.wait_for_url(page_url)  # an example needs none
    write(page, "Now is the")
    text, written = whole(page), page.url
    addresses = {"Prompt": written}
    for name in ("Sampling", "Attention"):
        before = page.url
        page.get_by_role("tab", name=name).click()
        page.wait_for_function("(before) => location.href !== before", arg=before, timeout=60_000)
        addresses[name] = page.url
    for name, address in addresses.items():
        page.get_by_role("tab", name=name).click()
        page.wait_for_url(address)
    page.get_by_role("tab", name="Prompt").click()
    page.wait_for_url(written)
    page.reload()
    page.wait_for_function(
        "(text) => document.querySelector('#gl-text')?.innerText.includes(text)", arg=text.split("\n")[0]
    )
    assert whole(page) == text


def test_the_five_settings_travel_in_the_link(open_page, page_url, checkpoint):
    page = open_page(page_url)
    values = {"temperature": 1.2, "top-k": 20, "top-p": 0.9, "min-p": 0.02, "repetition-penalty": 1.25}
    for name, value in values.items():
        set_slider(page, name, value)
    write(page, "Now is the")
    text = whole(page)
    settings = gpt.SamplingSettings(temperature=1.2, top_k=20, top_p=0.9, min_p=0.02, repetition_penalty=1.25)
    assert text == "Now is the" + expected(checkpoint, "Now is the", 300, seed(page), settings)
    page.reload()
    page.wait_for_function(
        "(text) => document.querySelector('#gl-text')?.innerText.includes(text)", arg=text.split("\n")[0]
    )
    assert {name: float(page.locator(f"#gl-{name}").input_value()) for name in values} == values
    line = page.locator("#gl-settings .gl-rest-line").inner_text()
    assert line.split("\n") == ["Top-k 20", "Top-p 0.90", "Min-p 0.02", "Penalty 1.25"]


def test_stop_stops_within_150_ms_and_what_was_written_stays(open_page, page_url, slowly):
    page = open_page(page_url)
    set_slider(page, "length", 2000)
    page.evaluate("""() => {
        window.changes = [];
        const play = document.querySelector('#gl-text .gl-play');
        new MutationObserver(() => changes.push(performance.now())).observe(play, {subtree: true, childList: true});
    }""")
    type_line(page, "ROMEO:")
    wait_status(page, "writing")
    page.wait_for_function("document.querySelector('#gl-text .gl-play').innerText.length > 200")
    page.evaluate("window.pressed = performance.now(); document.getElementById('gl-stop').click()")
    page.wait_for_timeout(700)
    late = page.evaluate("Math.max(0, ...changes.map((time) => time - pressed))")
    text = whole(page)
    assert status(page) == "stopped"
    assert 100 < len(text) < 2000
    assert late <= 150


def test_escape_stops_too_and_continue_goes_on_as_if_nothing_had_happened(open_page, page_url, checkpoint, slowly):
    page = open_page(page_url)
    set_slider(page, "length", 2000)
    type_line(page, "ROMEO:")
    page.wait_for_function("document.documentElement.dataset.glStatus === 'writing'")
    page.wait_for_timeout(200)
    page.keyboard.press("Escape")
    wait_status(page, "stopped")
    page.wait_for_timeout(400)
    begun = whole(page)
    assert len(begun) < 2000
    set_slider(page, "length", 200)
    page.click("#gl-continue")
    wait_status(page, "done")
    written = len(begun) - len("ROMEO:") + 200
    assert whole(page) == "ROMEO:" + expected(checkpoint, "ROMEO:", written, seed(page))


def test_again_rolls_another_seed_even_where_it_is_kept(open_page, page_url, checkpoint):
    page = open_page(page_url)
    page.get_by_text("keep it").click()
    before = seed(page)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.click("#gl-again")
    wait_status(page, "done")
    assert seed(page) != before
    assert whole(page) == "ROMEO:" + expected(checkpoint, "ROMEO:", 300, seed(page))


def test_writing_while_something_is_written_begins_anew(open_page, page_url, checkpoint, slowly):
    page = open_page(page_url)
    set_slider(page, "length", 2000)
    type_line(page, "ROMEO:")
    wait_status(page, "writing")
    set_slider(page, "length", 100)
    page.wait_for_timeout(150)
    write(page, "JULIET:")
    page.wait_for_timeout(300)
    assert whole(page) == "JULIET:" + expected(checkpoint, "JULIET:", 100, seed(page))


def test_a_beginning_writes_at_once(open_page, page_url):
    page = open_page(page_url)
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.get_by_role("button", name="JULIET:").click()
    wait_status(page, "done")
    assert whole(page).startswith("JULIET:")
    assert page.locator("#gl-your-line textarea").input_value() == "JULIET:"


def test_shift_enter_is_a_line_break(open_page, page_url):
    page = open_page(page_url)
    type_line(page, "ROMEO:", press="Shift+Enter")
    page.keyboard.type("Ay me!")
    page.wait_for_timeout(200)
    assert status(page) == "example"
    write(page, page.locator("#gl-your-line textarea").input_value())
    assert whole(page).startswith("ROMEO:\nAy me!")


def test_prompt_and_speakers_are_set_apart(open_page, page_url):
    page = open_page(page_url)
    type_line(page, "", press="")
    write(page, "ROMEO:\nAy me!\n\nJULIET:\n")
    assert page.locator("#gl-text .gl-given").all_inner_texts() == ["ROMEO:", "Ay me!", "JULIET:"]
    assert page.locator("#gl-text .gl-speaker").all_inner_texts()[:2] == ["ROMEO:", "JULIET:"]
    assert page.locator("#gl-text .gl-note").all_inner_texts()[0:1] == ["You"]
    assert "The model" in page.locator("#gl-text .gl-note").all_inner_texts()


def test_what_the_alphabet_lacks_is_said(open_page, page_url):
    page = open_page(page_url)
    write(page, "It’s naïve 你")
    said = page.inner_text("#gl-text .gl-aside")
    assert "’ as '" in said
    assert "never seen by this model: 你" in said
    assert whole(page).startswith("It's naive ")


@pytest.mark.parametrize(
    "text", ["${alert(1)}", "${", "<img src=x onerror=alert(1)>", "{{value}}", "`${alert(1)}`", ""]
)
def test_hostile_text_stays_text_and_the_page_goes_on_working(open_page, page_url, text):
    page = open_page(page_url)
    write(page, text)
    assert page.locator("#gl-text img").count() == 0
    page.reload()
    page.wait_for_function("['done', 'example'].includes(document.documentElement.dataset.glStatus)")
    page.wait_for_selector("#gl-actions button")
    page.wait_for_timeout(500)  # the events of the load itself: they fill the line too
    write(page, "ROMEO:")
    assert whole(page).startswith("ROMEO:")


def test_a_model_that_is_chosen_before_the_page_has_opened_stays(open_page, page_url):
    page = open_page(page_url)
    held = []
    page.route("**/run/predict", lambda route: route.continue_() if held else held.append(route))
    page.reload()
    wait_until(page, lambda: held and page.locator("#gl-head select option").count() == 2)
    page.select_option("#gl-head select", "gpt2-tiny")
    small = "document.querySelector('#gl-head').innerText.includes('2 layers of 2 heads')"
    page.wait_for_function(small)
    with page.expect_response("**/run/predict"):
        held[0].continue_()
    page.wait_for_timeout(300)
    assert page.evaluate(small)
    assert page.locator("#gl-head select").input_value() == "gpt2-tiny"


def test_a_megabyte_of_text_is_cut_and_said(open_page, page_url):
    page = open_page(page_url)
    write(page, "To be, or not to be. " * 50_000)
    said = page.inner_text("#gl-text .gl-aside")
    assert "Of your 1,050,000 characters the last 20,000 are kept" in said
    assert "reads 256 characters at once" in said


def test_another_model_is_chosen_and_told(open_page, page_url, checkpoints):
    page = open_page(page_url)
    page.select_option("#gl-head select", "gpt2-tiny")
    page.wait_for_function("document.querySelector('#gl-head').innerText.includes('2 layers of 2 heads')")
    other = load_as_the_page(checkpoints / "gpt2-tiny")
    page.wait_for_function("(text) => document.querySelector('#gl-text').innerText !== text", arg="")
    page.wait_for_timeout(300)
    assert whole(page) == "ROMEO:" + expected(other, "ROMEO:", 300, EXAMPLE_SEED)
    write(page, "JULIET:")
    assert whole(page) == "JULIET:" + expected(other, "JULIET:", 300, seed(page))
    page.get_by_title("What this model is").click()
    facts = page.inner_text("#gl-head dl")
    assert "learned positions, layer norm, GELU, tied head" in facts
    assert "4.1234 nats" in facts
    assert "int8" in facts


def test_a_model_that_goes_missing_is_one_sentence_and_the_text_stays(open_page, serve, checkpoints, tmp_path):
    import shutil

    shutil.copytree(checkpoints, tmp_path / "models")
    with serve(tmp_path / "models") as url:
        page = open_page(url, allow="status of 400")  # what the model thought is refused too
        before = whole(page)
        shutil.rmtree(tmp_path / "models" / "shakespeare")
        type_line(page, "ROMEO:")
        page.wait_for_selector("#gl-text .gl-error")
        assert page.inner_text("#gl-text .gl-error") == "There is no model 'shakespeare'; there are: gpt2-tiny"
        assert whole(page) == before
        page.close()


def test_copy_and_download_take_the_whole_text(open_page, page_url):
    page = open_page(page_url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.wait_for_selector("#gl-actions button:has-text('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == whole(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.path().read_text(encoding="utf-8") == whole(page)
    assert download.value.suggested_filename.endswith(".txt")


def test_a_closed_page_stops_the_computing(open_page, page_url, slowly, monkeypatch):
    count, step = [0], Decoder.step

    def counted(self, token):
        count[0] += 1
        return step(self, token)

    monkeypatch.setattr(Decoder, "step", counted)
    page = open_page(page_url)
    set_slider(page, "length", 2000)
    type_line(page, "ROMEO:")
    wait_status(page, "writing")
    page.close()
    before = -1
    while count[0] != before:
        before = count[0]
        time.sleep(0.5)
    assert before < 1500


def test_every_control_has_a_name_and_can_be_reached_by_tab(open_page, page_url):
    page = open_page(page_url)
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, textarea')]
        .filter((e) => e.offsetParent)
        .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim() || e.title))
        .map((e) => e.outerHTML.slice(0, 120))""")
    assert nameless == []
    page.locator("#gl-your-line textarea").focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        if page.evaluate("document.activeElement.className === 'gl-rest-line'"):
            page.keyboard.press("Enter")
    sliders = {"gl-temperature", "gl-length", "gl-top-k", "gl-top-p", "gl-min-p", "gl-repetition-penalty"}
    buttons = {"gl-write", "JULIET:", "Score a text of your own", "gl-again", "Its attention A", "Copy"}
    assert sliders | buttons <= reached


@pytest.mark.parametrize("size", ["wide", "phone", "projector"])
def test_every_tab_can_be_reached_and_nothing_scrolls_sideways(open_page, page_url, size):
    page = open_page(page_url, size)
    for tab in page.get_by_role("tab").all():
        assert tab.is_visible()
        box = tab.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".overflow-menu:visible").count() == 0
