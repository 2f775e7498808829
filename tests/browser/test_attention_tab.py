"""The Attention tab as a speaker uses it, in a real browser."""

import base64
import json
import re
import zlib

import pytest

import gpt

INJECTIONS = ("${alert(1)}", "${", "<img src=x onerror=alert(1)>", "{{value}}", "</script><script>alert(1)</script>")


@pytest.fixture
def explorer(open_page, page_url):
    """``explorer(size, theme, state)``: the tab, with its example or a state from a link, traced."""

    def opened(size="wide", theme="light", state=None, **link):
        url = page_url
        if state is not None or link:
            url += f"?s={packed({'tab': 'attention', 'model': 'shakespeare', 'attention': state or {}, **link})}"
        page = open_page(url, size, theme)
        if not page.locator("#gl-attention .ge-box").count():
            page.get_by_role("tab", name="Attention").click()
        page.wait_for_selector("#gl-attention [data-gl-trace]")
        page.wait_for_selector("#gl-attention .ge-box")
        settle(page)
        return page

    return opened


def packed(state):
    data = zlib.compress(json.dumps(state).encode())
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def settle(page):
    page.wait_for_function("!document.querySelector('.ge-busy')")
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")


def text_of(page):
    """The text on the strip: its signs for spaces and line breaks taken back."""
    return page.evaluate(
        """() => [...document.querySelectorAll('#gl-attention .ge-box')].map((box) =>
            [...box.childNodes].map((node) => node.className === 'gl-break' ? '\\n' : node.textContent).join(''))
            .join('')"""
    )


def wait_for_text(page, length):
    page.wait_for_function("(n) => document.querySelectorAll('#gl-attention .ge-box').length === n", arg=length)
    settle(page)


def box(page, position):
    return page.locator(f"#gl-attention .ge-box[data-t='{position}']")


def title(page):
    return page.locator(".ge-title").inner_text()


def boxes_of(page):
    """Where the parts stand, to see that nothing jumps."""
    names = [
        ".ge-sentence",
        ".ge-strip",
        ".ge-plane",
        ".ge-grid",
        ".ge-next",
        ".ge-controls",
        ".ge-silence",
        ".ge-below",
    ]
    return page.evaluate(
        """(names) => names.map((name) => {
            const {left, top, width, height} = document.querySelector('#gl-attention ' + name).getBoundingClientRect();
            return [name, left, top, width, height].join(' ');
        })""",
        names,
    )


def pixels(page, selector):
    """How many different colours a canvas has."""
    return page.evaluate(
        """(selector) => {
            const canvas = document.querySelector(selector);
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }""",
        selector,
    )


def written(checkpoints, prompt, count, model="shakespeare", seed=11):
    checkpoint = gpt.load(checkpoints / model, weights="int8")
    settings = gpt.SamplingSettings(temperature=0.8)
    return "".join(token.text for token in gpt.generate(checkpoint, prompt, settings, count, seed))


def test_the_tab_opens_with_an_example_painted(explorer):
    page = explorer()
    assert page.locator(".ge-thumb").count() == 24
    assert pixels(page, ".ge-cells") > 20
    assert pixels(page, ".ge-thumb canvas") > 5
    assert page.locator(".ge-sentence").inner_text().endswith(".")
    assert (
        page.locator(".ge-pin").inner_text().startswith("Pinned")
        or "Click a character" in page.locator(".ge-pin").inner_text()
    )
    assert page.locator("#gl-attention .gl-bar").count() == 6


def test_hovering_a_character_previews_everywhere_and_nothing_jumps(explorer):
    page = explorer()
    before, parts, sentence = (
        page.locator(".ge-tag").inner_text(),
        boxes_of(page),
        page.locator(".ge-sentence").inner_text(),
    )
    box(page, 40).hover()
    settle(page)
    assert "ge-here" in box(page, 40).get_attribute("class")
    assert page.locator(".ge-sentence").inner_text() != sentence
    assert re.search(r"\. 40, ", page.locator(".ge-plane").get_attribute("aria-label"))
    assert boxes_of(page) == parts
    page.mouse.move(700, 5)
    settle(page)
    assert page.locator(".ge-tag").inner_text() == before
    assert page.locator(".ge-sentence").inner_text() == sentence


def test_a_click_pins_a_chip_says_so_and_drops_it_and_so_does_escape(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 3).click()
    settle(page)
    assert page.locator(".ge-pin").inner_text().split() == ["Pinned", "E", "3", "×"]
    assert "ge-pinned" in box(page, 3).get_attribute("class")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert "ge-pinned" in box(page, 3).get_attribute("class"), "another head keeps the pin"
    page.keyboard.press("Escape")
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 5).click()
    page.locator(".ge-drop").click()
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text()
    box(page, 5).click()
    box(page, 5).click()
    settle(page)
    assert "Nothing pinned" in page.locator(".ge-pin").inner_text(), "a second click clears"


def test_a_cell_of_the_map_is_hit_by_arithmetic_and_lights_the_strip(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light thr"})  # 31 characters in a frame of 32
    canvas = page.locator(".ge-cells").bounding_box()
    cell = canvas["width"] / 32
    page.mouse.move(canvas["x"] + 4.5 * cell, canvas["y"] + 20.5 * cell)
    settle(page)
    assert "ge-here" in box(page, 20).get_attribute("class")
    assert "ge-there" in box(page, 4).get_attribute("class")
    assert page.locator(".ge-tag").inner_text().startswith("O")
    page.mouse.click(canvas["x"] + 4.5 * cell, canvas["y"] + 20.5 * cell)
    settle(page)
    assert (
        page.locator(".ge-pin").inner_text().split()[:3] == ["Pinned", ",", "15"]
        or " 20" in page.locator(".ge-pin").inner_text()
    )


def test_the_numbers_are_the_models_own(explorer, checkpoints):
    text = "ROMEO:\nBut soft, what light through yonder window"
    page = explorer(state={"text": text, "layer": 3, "head": 1, "pin": 30, "view": "row"})
    page.wait_for_function("!document.querySelector('.ge-table caption').textContent.includes('rounded')")
    weights = gpt.trace(gpt.load(checkpoints / "shakespeare", weights="int8"), text).attention[3, 1, 30]
    rows = page.locator(".ge-table tbody tr").all_inner_texts()
    assert len(rows) == 12
    for row in rows:
        position, *_, weight = row.split("\t")
        assert float(weight) == pytest.approx(float(weights[int(position)]), abs=6e-5)
    best = int(weights.argmax())
    assert rows[0].split("\t")[0] == str(best)


def test_arrow_keys_walk_layers_and_heads_and_all_views_agree(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    assert title(page) == "Head 0.0"
    for key, name in (
        ("ArrowDown", "1.0"),
        ("ArrowRight", "1.1"),
        ("ArrowUp", "0.1"),
        ("ArrowLeft", "0.0"),
        ("ArrowUp", "5.0"),
    ):
        page.keyboard.press(key)
        settle(page)
        assert title(page) == f"Head {name}"
        assert page.locator(".ge-thumb.ge-chosen").get_attribute("aria-label").startswith(f"Head {name}")
    page.locator(".ge-thumb").nth(9).hover()
    settle(page)
    assert title(page) == "Head 2.1", "hovering a head previews it"
    page.mouse.move(700, 5)
    settle(page)
    assert title(page) == "Head 5.0"
    page.locator(".ge-thumb").nth(9).click()
    settle(page)
    page.mouse.move(700, 5)
    settle(page)
    assert title(page) == "Head 2.1"


def test_the_next_character_is_what_the_prompt_tab_would_write(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    expected = text + written(checkpoints, text, 8)
    for n in range(1, 5):
        page.keyboard.press("n")
        wait_for_text(page, len(text) + n)
    page.get_by_role("button", name="Write it").click()
    wait_for_text(page, len(text) + 5)
    assert text_of(page) == expected[: len(text) + 5]
    page.keyboard.press("b")
    wait_for_text(page, len(text) + 4)
    page.keyboard.press("n")
    wait_for_text(page, len(text) + 5)
    assert text_of(page) == expected[: len(text) + 5], "the same draw again"


def test_another_seed_or_temperature_counts_from_the_next_character_on(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    page.keyboard.press("n")
    wait_for_text(page, len(text) + 1)
    begun = text_of(page)
    seed = page.locator(".ge-number-input[aria-label=Seed]")
    seed.fill("77")
    seed.press("Enter")
    page.locator(".ge-sentence").click()
    for n in range(2, 12):
        page.get_by_role("button", name="Write it").click()
        wait_for_text(page, len(text) + n)
    assert text_of(page) == begun + written(checkpoints, begun, 10, seed=77)


def test_play_grows_row_by_row_from_what_was_fetched_ahead(explorer, checkpoints):
    text = "ROMEO:\nBut soft"
    page = explorer(state={"text": text})
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "/ask/play" in r.url else None)
    page.select_option("select[aria-label^='Speed']", "20")
    page.keyboard.press(" ")
    page.wait_for_function("(n) => document.querySelectorAll('#gl-attention .ge-box').length >= n", arg=len(text) + 40)
    page.keyboard.press(" ")
    settle(page)
    assert "Play" in page.locator(".ge-play").inner_text()
    found = text_of(page)
    page.wait_for_timeout(400)
    assert text_of(page) == found, "paused"
    assert found == (text + written(checkpoints, text, 200))[: len(found)]
    assert len(asked) <= 4, "32 characters a question"
    page.get_by_role("button", name="One character back").click()
    wait_for_text(page, len(found) - 1)
    page.get_by_role("button", name="One character on").click()
    wait_for_text(page, len(found))
    assert text_of(page) == found


def test_while_play_runs_nothing_moves_but_the_text(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light throu"})
    parts = [
        part for part in boxes_of(page) if part.split()[0] in (".ge-plane", ".ge-grid", ".ge-next", ".ge-controls")
    ]
    for n in range(34, 50):
        page.keyboard.press("n")
        wait_for_text(page, n)
    assert [
        part for part in boxes_of(page) if part.split()[0] in (".ge-plane", ".ge-grid", ".ge-next", ".ge-controls")
    ] == parts


def test_when_the_window_is_full_the_maps_start_anew_and_the_page_says_so(explorer, checkpoints):
    text = ("But soft, what light through yonder window breaks? " * 2)[:63]
    page = explorer(state={"text": text}, model="gpt2-tiny")
    expected = text + written(checkpoints, text, 4, "gpt2-tiny")
    for length in (64, 33, 34):  # 64 tokens fill the window; with 65 it begins at 32
        page.keyboard.press("n")
        wait_for_text(page, length)
    assert text_of(page) == expected[32:66]
    assert "from its character 32 on" in page.locator(".ge-status").inner_text()
    for length in (33, 64):
        page.keyboard.press("b")
        wait_for_text(page, length)
    assert text_of(page) == expected[:64]


def test_silencing_shows_before_and_after(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light"})
    plain = page.locator(".ge-next .gl-bars").inner_text()
    page.keyboard.press("s")
    page.wait_for_selector(".gl-bar.gl-paired")
    assert "0.0 silenced" in page.locator(".ge-bar-legend").inner_text()
    assert "ge-off" in page.locator(".ge-thumb").first.get_attribute("class")
    assert re.search(r"(falls|rises|stays).*loss on this text", page.locator(".ge-silence-says").inner_text())
    assert page.locator(".gl-ochre-ink").first.inner_text().endswith("%")
    page.get_by_role("button", name="Restore S").click()
    page.wait_for_selector(".gl-bar:not(.gl-paired)")
    settle(page)
    assert page.locator(".ge-next .gl-bars").inner_text() == plain


def test_editing_the_text_traces_it_again(explorer):
    page = explorer(state={"text": "ROMEO:"})
    page.keyboard.press("e")
    page.keyboard.type("\nAy, me")
    wait_for_text(page, len("ROMEO:\nAy, me"))
    page.keyboard.press("Escape")
    assert text_of(page) == "ROMEO:\nAy, me"
    page.keyboard.press("ArrowDown")
    settle(page)
    assert title(page) == "Head 1.0", "keys are the explorer's again"


@pytest.mark.parametrize(
    ("text", "read", "says"),
    [
        ("a", "a", ""),
        ("“Ay” — é🙂", '"Ay" - e', "Left out"),
        ("", "\n", "line break"),
        ("x" * 700, "x" * 188, "256 characters"),
    ],
)
def test_any_text_is_shown_as_it_was_read_and_the_page_says_what_it_did(explorer, text, read, says):
    page = explorer(state={"text": text} if text else {"text": ""})
    if says == "256 characters":
        assert set(text_of(page)) == {"x"}
        assert len(text_of(page)) <= 256
    elif says != "Left out":
        assert text_of(page) == read
    assert says in (page.locator(".ge-status").inner_text() if says else "")


def test_what_a_visitor_types_is_never_run(explorer):
    text = "\n".join(INJECTIONS)
    page = explorer(state={"text": text, "caption": text, "second": text})
    page.keyboard.press("e")
    page.keyboard.type(text)
    page.wait_for_timeout(600)
    page.keyboard.press("Escape")
    settle(page)
    assert page.locator("#gl-attention img, #gl-attention script").count() == 0
    # The fixture fails the test if a dialog opened or the console had an error.


def test_a_link_holds_the_whole_state(explorer):
    state = {
        "text": "ROMEO:\nBut soft, what light", "layer": 4, "head": 2, "pin": 9, "view": "arcs", "scale": "log",
        "colours": "viridis", "silenced": [[1, 1]], "hideFirst": True, "seed": 99,
    }  # fmt: skip
    page = explorer(state=state)
    page.keyboard.press("ArrowRight")
    settle(page)
    page.wait_for_timeout(900)
    page.reload()
    page.wait_for_selector("#gl-attention .gl-bar.gl-paired")
    settle(page)
    assert title(page) == "Head 4.3"
    assert page.locator(".ge-pin").inner_text().split()[2] == "9"
    assert page.locator(".ge-view[aria-pressed=true]").inner_text() == "Arcs"
    assert page.locator("select[aria-label=Scale]").input_value() == "log"
    assert page.locator("select[aria-label='Colour map']").input_value() == "viridis"
    assert page.locator(".ge-number-input[aria-label=Seed]").input_value() == "99"
    assert "ge-off" in page.locator(".ge-thumb").nth(5).get_attribute("class")


def test_of_a_link_for_another_model_what_does_not_fit_is_dropped_and_said(explorer):
    page = explorer(
        state={"text": "ROMEO:", "layer": 5, "head": 3, "pin": 900, "silenced": [[5, 0], [0, 1]]}, model="gpt2-tiny"
    )
    assert title(page) == "Head 0.0"
    status = page.locator(".ge-status").inner_text()
    assert "head 5.3" in status
    assert "pin at 900" in status
    assert "silenced heads" in status


@pytest.mark.parametrize(
    "attention",
    [
        None,
        3,
        "x",
        [],
        {"layer": -1, "view": "<b>", "scale": {}, "silenced": "all", "pin": 1e99, "text": 7},
        {"__proto__": {"x": 1}},
    ],
)
def test_a_forged_link_opens_something_and_says_so(explorer, attention):
    page = explorer(link=1, attention=attention, model="${alert(1)}")
    assert text_of(page)
    assert "is not here" in page.locator(".ge-status").inner_text()


def test_scales_and_averages_repaint_and_name_themselves(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft, what light"})
    seen = set()
    for scale in ("linear", "sqrt", "log", "row"):
        page.select_option("select[aria-label=Scale]", scale)
        settle(page)
        seen.add(page.evaluate("document.querySelector('.ge-cells').toDataURL()"))
        assert {"linear": "linear", "sqrt": "square root", "log": "log", "row": "row maximum"}[scale] in page.locator(
            ".ge-legend"
        ).inner_text()
    assert len(seen) == 4
    for average, name in (("layer", "Layer 0"), ("all", "All heads"), ("rollout", "Rollout 0"), ("head", "Head 0.0")):
        page.select_option("select[aria-label=Average]", average)
        settle(page)
        assert title(page) == name


def test_every_view_draws(explorer):
    page = explorer()
    page.keyboard.press("2")
    settle(page)
    assert pixels(page, ".ge-arcs") > 10
    page.keyboard.press("3")
    settle(page)
    assert pixels(page, ".ge-bars") > 2
    assert page.locator(".ge-table tbody tr").count() == 12
    page.keyboard.press("4")
    settle(page)
    assert page.locator(".ge-view-lens").inner_text().count("layer") >= 5
    page.keyboard.press("1")
    settle(page)
    assert page.locator(".ge-plane").is_visible()


def test_the_keyboard_reaches_every_cell_and_the_pin_is_said(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    page.locator(".ge-plane").focus()
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    row, column = len("ROMEO:\nBut soft") - 3, len("ROMEO:\nBut soft") - 4
    assert f"Map. {row}, " in page.locator(".ge-plane").get_attribute("aria-label")
    assert f"looks at {column}, " in page.locator(".ge-plane").get_attribute("aria-label")
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator(".ge-pin").inner_text().split()[-2] == str(row)
    assert page.locator(".ge-spoken").inner_text() == page.locator(".ge-sentence").inner_text()


def test_every_control_has_a_name(explorer):
    page = explorer()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#gl-attention :is(button, select, input, textarea, [tabindex="0"])')]
            .filter((e) => e.checkVisibility())
            .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.title))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_presenting_is_read_from_the_back_of_a_room(explorer):
    page = explorer("projector", state={"text": "ROMEO:\nBut soft, what light"})
    page.keyboard.press("f")
    page.wait_for_selector(".ge-presenting")
    settle(page)
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('.ge-presenting *')]
            .filter((e) => e.checkVisibility() && !e.closest('.ge-spoken')
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
            .map((e) => [
                parseFloat(getComputedStyle(e).fontSize),
                e.closest('.ge-strip') !== null && !e.closest('.gl-break'),
                e.className.baseVal ?? e.className,
                e.textContent.slice(0, 20),
            ])"""
    )
    assert min(size for size, strip, *_ in sizes if strip) >= 28
    assert [found for found in sizes if found[0] < 18] == []
    assert not page.locator(".ge-controls").is_visible()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert title(page) == "Head 1.0"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ge:not(.ge-presenting)")
    assert page.locator(".ge-controls").is_visible()


def test_the_keys_are_listed(explorer):
    page = explorer()
    page.keyboard.press("?")
    assert "write the next character" in page.locator(".ge-help").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator(".ge-help").is_visible()


def test_on_a_phone_nothing_scrolls_sideways_and_all_is_there(explorer):
    page = explorer("phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in (".ge-strip", ".ge-plane", ".ge-grid", ".ge-next .gl-bars", ".ge-views", ".ge-play"):
        assert page.locator(name).is_visible(), name
    small = page.evaluate(
        """() => [...document.querySelectorAll('.ge-views button, .ge-play, .ge-drop')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 36).length"""
    )
    assert small == 0


def test_in_the_dark_zero_is_the_page(explorer):
    page = explorer(theme="dark")
    shades = page.evaluate(
        """() => {
            const c = document.querySelector('.ge-cells');
            const d = c.getContext('2d').getImageData(2, c.height - 3, 1, 1).data;
            return [getComputedStyle(document.body).backgroundColor, d[3]]; }"""
    )
    assert shades[0] == "rgb(19, 20, 23)"
    assert pixels(page, ".ge-cells") > 20


def test_another_model_is_traced_with_the_same_text(explorer):
    page = explorer(state={"text": "ROMEO:\nBut soft"})
    page.select_option("#gl-head select", "gpt2-tiny")
    page.wait_for_function("document.querySelectorAll('.ge-thumb').length === 4")
    settle(page)
    assert text_of(page) == "ROMEO:\nBut soft"


def test_when_the_server_is_gone_it_says_so_and_keeps_what_is_shown(open_page, checkpoints, serve):
    with serve(checkpoints) as url:
        page = open_page(url, allow="503")
        page.get_by_role("tab", name="Attention").click()
        page.wait_for_selector("#gl-attention .ge-box")
        page.route(
            "**/letter/ask/**",
            lambda route: route.fulfill(status=503, content_type="text/plain", body="64 questions are waiting."),
        )
        page.keyboard.press("s")
        page.wait_for_selector(".ge-status .gl-error")
        assert "64 questions are waiting" in page.locator(".ge-status").inner_text()
        assert page.locator("#gl-attention .ge-box").count() > 100
