"""Training a model of one's own in the page, as a careless and as a hostile visitor do it: real trainings."""

import json
import os
import signal
import zipfile

import pytest

import gpt
from tests.browser.conftest import ready
from train.jobfiles import jobs as folders
from train.jobfiles import process_of

TEXT = "ROMEO:\nWhat news of the king, my lord?\n\nJULIET:\nNone, Romeo, none. No news of the king.\n\n" * 40
HOSTILE = "<img src=x onerror=alert(1)> ${alert(1)} {{value}} <script>alert(2)</script>\n" * 30
PATIENCE = 90_000


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return tmp_path_factory.mktemp("cache") / "trainings"


@pytest.fixture(scope="module")
def own_url(learners, serve, trainings):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GPT_TRAIN", "SPACE_ID", "TINY_SHAKESPEARE"):
            patch.delenv(name, raising=False)
        patch.setenv("GPT_CACHE", str(trainings.parent))
        patch.setenv("XDG_CACHE_HOME", str(trainings.parent))
        with serve(learners) as url:
            yield url
    for folder in folders(trainings):
        process = process_of(folder)
        if process is not None and process.is_alive:
            os.kill(process.pid, signal.SIGKILL)


def form(page):
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("button", name="Train your own").click()
    page.wait_for_selector(".go-form:visible")
    return page


def order(page, text=TEXT, size="small"):
    page.locator(".go-text").fill(text)
    page.locator(".go-sizes button", has_text=size).click()
    page.get_by_role("button", name="Train", exact=True).click()


def state(page, wanted):
    page.wait_for_selector(f".gt-own[data-go-state='{wanted}']", timeout=PATIENCE)


def said(page):
    return page.locator(".go-how .gl-error").inner_text()


def chosen(page):
    return page.locator("#gl-head select").input_value()


def test_one_trains_watches_stops_and_uses_a_model_of_ones_own(open_page, own_url, tmp_path):
    page = form(open_page(own_url))
    page.locator(".go-name").fill("Night & Day")
    order(page)
    page.wait_for_selector(".gt-own .gt-text .ge-verse-line", timeout=PATIENCE)
    page.wait_for_selector(".gt-own .gt-cells:visible", timeout=PATIENCE)
    assert page.locator(".gt-curve:visible").count() == 1
    assert page.locator(".go-says").inner_text().startswith("After ")
    assert "characters a second" in page.locator(".go-words").inner_text()
    before = int(page.locator(".gt-own").get_attribute("data-go-step"))
    page.wait_for_function("(n) => Number(document.querySelector('.gt-own').dataset.goStep) > n", arg=before)
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")
    page.wait_for_selector("button:has-text('Use it in all tabs'):visible")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as packed:
        packed.extractall(tmp_path)
    trained = gpt.load(tmp_path / "my-night-day")
    assert trained.training["steps"] >= before

    page.get_by_role("button", name="Use it in all tabs").click()
    page.wait_for_selector(".gt[data-gl-story^='my-night-day']")
    name = chosen(page)
    assert page.locator("#gl-head option:checked").inner_text() == "my-night-day"
    token = name.partition("~")[2]
    assert len(token) == 32
    page.get_by_role("tab", name="Prompt").click()
    assert len(page.locator("#gl-text").inner_text()) > 60  # its own example stands there
    page.get_by_role("tab", name="Attention").click()
    page.wait_for_selector("#gl-attention .ge-box")
    page.wait_for_function("location.search.includes('s=')")
    for tab in ("Prompt", "Sampling", "Attention", "Training", "Models"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(300)
        assert token not in page.locator("body").inner_text(), tab
    page.wait_for_selector(".gm-row[data-name^='my-night-day~']")
    assert page.locator(".gm-row[data-name^='my-night-day~'] .gm-says").inner_text().startswith("trained by you")
    # A reload finds it again; whoever is sent the address does not.
    page.reload()
    ready(page)
    page.wait_for_function("(name) => document.querySelector('#gl-head select').value === name", arg=name)
    other = open_page(page.url)
    assert chosen(other) == "shakespeare"
    assert other.locator("#gl-head option").all_text_contents() == ["shakespeare", "untold"]


def test_a_closed_page_finds_its_training_and_another_visitor_waits_for_it(open_page, own_url, trainings):
    page = form(open_page(own_url))
    order(page, HOSTILE)
    state(page, "training")
    context = page.context
    page.close()
    other = form(open_page(own_url))
    order(other, size="medium")
    state(other, "waiting")
    assert other.locator(".go-says").inner_text() == (
        "One training comes before yours: it begins by itself, in at most 2 minutes."
    )
    other.get_by_role("button", name="Stop").click()
    state(other, "stopped")
    assert other.locator(".go-says").inner_text() == "Stopped before it had begun: there is nothing to keep."
    assert other.locator("button:has-text('Use it')").is_hidden()

    back = context.new_page()
    back.goto(own_url)
    ready(back)
    back.get_by_role("tab", name="Training").click()
    state(back, "training")  # it opens by itself, and all that has happened is there
    back.wait_for_selector(".gt-own .gt-text .ge-verse-line", timeout=PATIENCE)
    back.wait_for_selector(".gt-own .gt-cells:visible", timeout=PATIENCE)
    assert back.locator(".gt-own img, .gt-own script").count() == 0
    kept = json.loads(back.evaluate("localStorage.getItem('gl-trainings')"))
    assert len(kept) == 1
    # Killed by force: it is said, and what was saved is kept.
    running = [process_of(folder) for folder in folders(trainings)]
    [alive] = [process for process in running if process is not None and process.is_alive]
    os.kill(alive.pid, signal.SIGKILL)
    state(back, "died")
    assert "ended without a word" in back.locator(".go-says").inner_text()
    back.wait_for_selector("button:has-text('Use it in all tabs'):visible")
    back.get_by_role("button", name="Train another").click()
    back.wait_for_selector(".go-form:visible")
    # A key that is nobody's is forgotten.
    forged = {"key": "x" * 32, "model": "my-x~" + "0" * 32, "ready": True}
    back.evaluate("(all) => localStorage.setItem('gl-trainings', JSON.stringify(all))", [forged])
    back.reload()
    ready(back)
    back.get_by_role("tab", name="Training").click()
    back.wait_for_function("localStorage.getItem('gl-trainings') === '[]'")


def test_what_cannot_be_learnt_from_is_said_where_it_is_given(open_page, own_url, tmp_path):
    page = form(open_page(own_url, allow="400 (Bad Request)"))
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector(".go-how .gl-error:visible")
    assert said(page) == "There is no text yet: paste one, or open a file."
    order(page, "too short")
    page.wait_for_function("document.querySelector('.go-how .gl-error').textContent.includes('has 9 characters')")
    large, latin = tmp_path / "large.txt", tmp_path / "latin.txt"
    with open(large, "wb") as file:
        file.truncate(9_000_000)
    latin.write_bytes("für ".encode("latin-1") * 900)
    page.set_input_files("input[type=file]", large)
    page.wait_for_function("document.querySelector('.go-how .gl-error').textContent.includes('has 9 MB')")
    page.set_input_files("input[type=file]", latin)
    page.wait_for_function("document.querySelector('.go-how .gl-error').textContent.includes('not UTF-8')")
    long = tmp_path / "long.txt"
    long.write_text(TEXT * 40)
    page.set_input_files("input[type=file]", long)
    page.wait_for_function("document.querySelector('.go-count').textContent.includes('characters')")
    assert page.locator(".go-text").get_attribute("readonly") is not None  # held, and its beginning shown
    assert page.locator(".go-name").get_attribute("placeholder") == "long"
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".go-text").input_value() == ""
    page.get_by_role("button", name="Let shakespeare write one").click()
    page.wait_for_function("document.querySelector('.go-text').value.length > 150", timeout=PATIENCE)
    page.get_by_role("button", name="Stop it").click()
    written = len(page.locator(".go-text").input_value())
    page.get_by_role("button", name="Back to the story").click()
    page.get_by_role("button", name="Train your own").click()
    assert len(page.locator(".go-text").input_value()) == written  # it does not go on, and is not lost


def test_where_the_host_has_switched_it_off_it_is_said(open_page, learners, serve, monkeypatch):
    monkeypatch.setenv("GPT_TRAIN", "off")
    with serve(learners) as url:
        page = open_page(url, "phone")
        page.get_by_role("tab", name="Training").click()
        page.get_by_role("button", name="Train your own").click()
        assert "switched off training" in page.locator(".go-says").inner_text()
        assert page.get_by_role("button", name="Train", exact=True).is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
