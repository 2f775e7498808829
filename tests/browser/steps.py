"""What the tests of the Attention tab do and read, one thing a function."""

import base64
import json
import re
import time
import zlib
from urllib.parse import parse_qs, urlparse

import gpt
from tests.conftest import load_as_the_page
from ui.links import decode


def packed(state):
    """A link's parameter, as the page makes it."""
    data = zlib.compress(json.dumps(state).encode())
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def linked(page):
    """What the address bar holds."""
    return decode(parse_qs(urlparse(page.url).query)["s"][0])


def until(page, condition):
    """Wait for a condition, also on a page that forbids eval: there ``wait_for_function`` fails when it asks again."""
    ended = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < ended, condition
        page.wait_for_timeout(20)


def settle(page):
    """Nothing is traced, and all views have drawn what has changed: whoever begins to listen last is told last."""
    until(page, "!document.querySelector('.ge').explorer.tracing && !document.querySelector('.ge-busy')")
    page.evaluate("""() => new Promise((go) => {
        const {explorer} = document.querySelector('.ge');
        const end = explorer.on((changed) => { if (changed.has('settled')) { end(); requestAnimationFrame(go); } });
        explorer.touch('settled');
    })""")


def wait_until(page, holds):
    """Wait for what only Python can see."""
    ended = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ended
        page.wait_for_timeout(50)


def wait_exact(page):
    """The server has told the numbers of the row that is looked from."""
    until(page, "(({explorer}) => explorer.exact(explorer.row(), 0, 0) !== null)(document.querySelector('.ge'))")
    settle(page)


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
    checkpoint = load_as_the_page(checkpoints / model)
    settings = gpt.SamplingSettings(temperature=0.8)
    return "".join(token.text for token in gpt.generate(checkpoint, prompt, settings, count, seed))


def pin(page, position):
    page.locator(f".ge-box[data-t='{position}']").first.click()
    settle(page)


def sentence(page):
    return page.locator(".ge-sentence").inner_text()


def captions(page, count):
    """Of a talk of so many views, once they are all there."""
    until(page, f"document.querySelectorAll('.ge-caption').length === {count}")
    return page.locator(".ge-caption").evaluate_all("(areas) => areas.map((area) => area.value)")


def export(page, name):
    """What the menu's entry downloads, and its file name."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("menuitem", name=re.compile(f"^{re.escape(name)}( |[A-Z]|$)")).first.click()
    saved = download.value.suggested_filename
    page.wait_for_function("(name) => document.querySelector('.ge-export-said').textContent.includes(name)", arg=saved)
    return download.value.path().read_bytes(), saved


def numbers(page):
    return json.loads(export(page, "All numbers")[0])


def sees(page, selector):
    page.locator(selector).first.scroll_into_view_if_needed()


def effects(page):
    """The numbers of the grid, once they have come."""
    sees(page, ".ge-effects")
    page.wait_for_function(
        "document.querySelector('.ge-effect span')?.textContent && !document.querySelector('.ge-effect-grid.gl-faded')"
    )
    return page.locator(".ge-effect").all_text_contents()


def number(text):
    return float(text.replace("−", "-"))


def no_sideways_scroll(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def wait_traced(page):
    page.wait_for_selector(".ge[data-gl-trace]", timeout=120_000)  # a model's first trace measures its heads' roles
    page.wait_for_timeout(200)  # exact numbers of the last row


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
