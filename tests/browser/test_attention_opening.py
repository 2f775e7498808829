"""What the Attention tab makes of texts, links, models and servers that it is given."""

import pytest

from tests.browser.steps import box, linked, settle, text_of, title, wait_for_text, wait_until

INJECTIONS = ("${alert(1)}", "${", "<img src=x onerror=alert(1)>", "{{value}}", "</script><script>alert(1)</script>")
OPEN = "(detail) => document.dispatchEvent(new CustomEvent('gl:open', {detail}))"


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


def test_a_link_holds_the_whole_state(explorer):
    state = {
        "text": "ROMEO:\nBut soft, what light", "layer": 4, "head": 2, "pin": 9, "view": "arcs", "scale": "log",
        "colours": "viridis", "silenced": [[1, 1]], "hideFirst": True, "seed": 99,
    }  # fmt: skip
    page = explorer(state=state)
    page.keyboard.press("ArrowRight")
    wait_until(page, lambda: linked(page)["attention"].get("head") == 3)
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
    page = explorer(state=None, link=1, attention=attention, model="${alert(1)}")
    assert text_of(page)
    assert "is not here" in page.locator(".ge-status").inner_text()


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


def test_another_tab_opens_a_text_at_a_character_and_it_is_a_press_back(explorer):
    page = explorer()
    back = page.get_by_role("button", name="Back to the prompt")
    assert back.count() == 0
    page.keyboard.press("e")  # an open editor does not put its own text back
    page.get_by_role("tab", name="Prompt").click()
    page.wait_for_selector("#gl-attention", state="hidden")
    page.evaluate(OPEN, {"tab": "attention", "text": "ROMEO:\nBut soft", "pin": 9})
    page.wait_for_selector(".ge-pin:has-text('9')")
    wait_for_text(page, len("ROMEO:\nBut soft"))
    assert text_of(page) == "ROMEO:\nBut soft"
    assert "ge-pinned" in box(page, 9).get_attribute("class")
    heard = "document.addEventListener('gl:open', (event) => { window.heard = event.detail; })"
    page.evaluate(heard)
    back.click()
    assert page.evaluate("window.heard") == {"tab": "prompt"}
    assert back.count() == 0


def test_what_is_no_text_or_no_pin_is_left_out_and_said(explorer):
    page = explorer(state={"text": "ROMEO:"})
    page.evaluate(OPEN, {"tab": "attention", "text": "JULIET:", "pin": -3, "tokens": ["x"]})
    page.wait_for_selector(".ge-status:has-text('Left out of what was to be shown: pin.')")
    assert text_of(page) == "JULIET:"
    page.evaluate(OPEN, {"tab": "attention", "text": "x" * 20_001})
    page.wait_for_selector(".ge-status:has-text('longer than this tab takes, 20,000 characters')")
    page.evaluate(OPEN, {"tab": "attention", "text": {"x": 1}})
    page.evaluate(OPEN, {"tab": "sampling", "text": "none of its own"})
    page.evaluate(OPEN, None)
    settle(page)
    assert text_of(page) == "JULIET:"


def test_tokens_that_are_known_are_traced_as_they_are(explorer, checkpoint):
    page = explorer(state={"text": "ROMEO:"})
    tokens = checkpoint.tokenizer.encode("But soft")
    with page.expect_request("**/letter/ask/trace") as asked:
        page.evaluate(OPEN, {"tab": "attention", "text": "But soft", "pin": 2, "tokens": tokens})
    assert asked.value.post_data_json["tokens"] == tokens
    wait_for_text(page, len(tokens))
    assert text_of(page) == "But soft"
