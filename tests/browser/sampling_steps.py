"""What the tests of the Sampling tab do and read, one thing a function."""

import numpy as np

import gpt

OFF = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1}
PROMPT = "JULIET:\nWhat says he of our marriage?"


def text_of(page):
    """The text on the strip: its signs for spaces and line breaks taken back."""
    return page.evaluate(
        """() => [...document.querySelectorAll('#gl-sampling .gs-text .gl-box')].map((box) =>
            [...box.childNodes].map((node) => node.className === 'gl-break' ? '\\n' : node.textContent).join(''))
            .join('')"""
    )


def wait_text(page, text):
    page.wait_for_function(
        "(text) => document.querySelector('#gl-sampling .gs').laboratory.state.text === text", arg=text
    )
    page.wait_for_selector("#gl-sampling .gs:not([data-gl-lab=''])")
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    assert text_of(page) == text


def move(page, name, value):
    page.locator(f"#gs-{name.replace('_', '-')}").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )


def roll(page, count=1):
    """Press R so many times, and wait for the text."""
    before = len(text_of(page))
    for _ in range(count):
        page.keyboard.press("r")
    page.wait_for_function(
        "(n) => document.querySelectorAll('#gl-sampling .gs-text .gl-box').length === n", arg=before + count
    )
    return text_of(page)


def expected(checkpoint, prompt, count, seed, **settings):
    settings = gpt.SamplingSettings(**{**OFF, **settings})
    return "".join(token.text for token in gpt.generate(checkpoint, prompt, settings, count, seed))


def table(page):
    """All numbers, exact, as Copy takes them: {id: {column: value}}."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not page.locator(".gs-table").is_visible():
        page.get_by_role("button", name="All numbers").click()
    page.locator(".gs-table-head").get_by_role("button", name="Copy").click()
    page.wait_for_selector(".gs-table-head button:has-text('Copied')")
    names, *rows = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").split("\n")]
    return {int(row[2]): dict(zip(names, row, strict=True)) for row in rows}


def column(found, name):
    return np.array([float(found[id][name]) for id in range(len(found))])


def questions(page):
    """A list that grows with each question to the server."""
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/ask/" in request.url else None)
    return asked


def wait_value(page, selector, value):
    page.wait_for_function(
        "([selector, value]) => document.querySelector(selector).value === value", arg=[selector, value]
    )


def edit(page, text):
    page.keyboard.press("e")
    page.locator("#gl-sampling .gs-area").fill(text)
