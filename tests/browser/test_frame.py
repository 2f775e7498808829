"""The page inside the frame that a Space stands in: another site's, sandboxed, and not allowed the full screen."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.browser.conftest import SIZES, is_error, is_outside, ready
from tests.browser.steps import packed, settle, title, wait_traced

SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads"
REFUSALS = (
    "Blocked autofocusing on a <",
    "Permissions policy violation: The Clipboard API has been blocked",
    "Permissions policy violation: fullscreen is not allowed in this document",
)
"""What the browser remarks of such a frame."""
LINK = packed({"tab": "attention", "model": "shakespeare", "attention": {"text": "ROMEO:\nBut soft"}})


@contextlib.contextmanager
def embedding(url):
    """The address of a page that holds nothing but a frame with this one in it."""
    html = f'<!doctype html><title>A Space</title><iframe sandbox="{SANDBOX}" allow="fullscreen \'none\'" src="{url}" '
    html += 'style="position: fixed; inset: 0; width: 100%; height: 100%; border: 0"></iframe>'

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode() if self.path == "/" else b"")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"  # another site than 127.0.0.1 is
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def framed(chromium, page_url):
    """``framed(query)``: the outer page, and the frame with ours in it, ready."""
    width, height = SIZES["wide"]
    context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    errors, left = [], []
    with contextlib.ExitStack() as stack:

        def opened(query=""):
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("console", lambda m: errors.append(m.text) if is_error(m, None) else None)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("request", lambda r: left.append(r.url) if is_outside(r.url) else None)
            page.goto(stack.enter_context(embedding(page_url + query)))
            page.wait_for_function("() => frames.length === 1")
            frame = next(f for f in page.frames if f.url.startswith(page_url))
            ready(frame)
            return page, frame

        yield opened
        context.close()
    assert [error for error in errors if not error.startswith(REFUSALS)] == []
    assert left == []


def test_a_text_is_written_and_downloaded_in_a_frame(framed):
    page, frame = framed()
    frame.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    frame.locator("#gl-write").click()
    frame.wait_for_function("document.documentElement.dataset.glStatus === 'done'")
    with page.expect_download() as download:
        frame.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "letter-by-letter.txt"
    text = download.value.path().read_text()
    assert text.startswith("ROMEO:")
    assert len(text) > 300


def test_what_is_copied_in_a_frame_is_on_the_clipboard(framed):
    page, frame = framed()
    frame.get_by_role("button", name="Copy", exact=True).click()
    frame.wait_for_selector("#gl-actions button:has-text('Copied')")
    assert pasted(page).startswith("ROMEO:")


def test_a_link_from_a_frame_is_the_pages_own_and_opens_what_was_seen(framed, open_page, page_url):
    page, frame = framed(f"?__sign=secret&s={LINK}")
    wait_traced(frame)
    frame.get_by_role("button", name="Export").click()
    frame.get_by_role("menuitem", name="Copy the link").click()
    frame.wait_for_selector(".ge-export-said:has-text('Link copied')")
    link = pasted(page)
    assert link.startswith(page_url)
    assert "secret" not in link  # by it the Hub lets its reader into a private Space
    alone = open_page(link)
    wait_traced(alone)
    assert alone.locator("#gl-attention .ge-box").count() == len("ROMEO:\nBut soft")


def test_a_picture_of_the_attention_is_downloaded_in_a_frame(framed):
    page, frame = framed(f"?s={LINK}")
    wait_traced(frame)
    frame.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        frame.get_by_role("menuitem", name="Picture PNG").click()
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"


def test_a_model_is_downloaded_in_a_frame(framed):
    page, frame = framed()
    frame.get_by_role("tab", name="Models").click()
    with page.expect_download() as download:
        frame.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "shakespeare.zip"
    assert download.value.path().read_bytes()[:2] == b"PK"


def test_presenting_fills_the_frame_where_the_full_screen_is_refused(framed):
    page, frame = framed(f"?s={LINK}")
    wait_traced(frame)
    assert not frame.evaluate("document.fullscreenEnabled")
    frame.locator(".ge-box").first.click()
    page.keyboard.press("f")
    frame.wait_for_selector(".ge-presenting")
    settle(frame)
    found = frame.evaluate(
        """() => {
            const root = document.querySelector('.ge-presenting');
            const {x, y, width, height} = root.getBoundingClientRect();
            const top = document.elementFromPoint(innerWidth / 2, innerHeight - 4);
            return [x, y, width, height, getComputedStyle(root).position, root.contains(top),
                document.fullscreenElement === null];
        }"""
    )
    width, height = SIZES["wide"]
    assert found == [0, 0, width, height, "fixed", True, True]
    before = title(frame)
    page.keyboard.press("ArrowRight")
    settle(frame)
    assert title(frame) != before
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    frame.wait_for_selector(".ge:not(.ge-presenting)")


def pasted(page):
    """What is on the clipboard, pasted into a page of its own."""
    other = page.context.new_page()
    other.goto(page.url + "paste")
    other.set_content("<textarea autofocus></textarea>")
    other.locator("textarea").focus()
    other.keyboard.press("Control+V")
    found = other.locator("textarea").input_value()
    other.close()
    return found
