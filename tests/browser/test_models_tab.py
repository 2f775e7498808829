"""The Models tab as a person uses it: looking, using, loading with Stop, pushing, bad input, in a real browser."""

import re
import shutil

import pytest
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

import gpt
from gpt.checkpoint import save
from gpt.tokenizer import BPETokenizer
from tests.browser.steps import no_sideways_scroll
from tests.conftest import load_as_the_page
from tests.hub.conftest import hub as hub
from tests.hub.local_hub import Stored
from tests.ui.models_steps import home as home
from tests.ui.models_steps import on_the_hub, two_models

HOSTILE = """---
license: mit
---
# <img src=x onerror=alert(1)>

${alert(1)} {{value}} <script>alert(2)</script> [a](javascript:alert(3))

## Not for

**Anything** with `code`.
"""
BAD = "Failed to load resource"
"""What the console says of every answer that is no 200."""


@pytest.fixture
def folder(tmp_path):
    made = two_models(tmp_path / "models")
    (made / "my-own" / "README.md").write_text(HOSTILE)
    return made


@pytest.fixture
def shelf(open_page, home, hub, folder, serve, tmp_path):
    """``shelf(size, theme)``: the tab over a folder of two models, with a Hub that holds me/small."""
    on_the_hub(tmp_path)
    with serve(folder) as url:

        def opened(size="wide", theme="light"):
            page = open_page(f"{url}?__theme={theme}", size, theme, allow=BAD)
            with page.expect_response(re.compile("/models/list$")):
                page.get_by_role("tab", name="Models").click()
            page.wait_for_timeout(200)  # the rows are drawn anew when the tab comes in front
            page.wait_for_selector(".gm-row.gm-selected")
            page.wait_for_function("document.querySelector('.gm-memory').textContent.includes('shakespeare')")
            return page

        yield opened


def row(page, name):
    return page.locator(f".gm-row[data-name='{name}']")


def card(page, name):
    page.wait_for_function("(name) => document.querySelector('.gm-card').ariaLabel === name", arg=name)
    return page.locator(".gm-card")


def head(page, name):
    page.wait_for_function("(name) => document.querySelector('#gl-head select').value === name", arg=name)


def test_every_model_is_a_row_and_the_chosen_one_has_its_card(shelf):
    page = shelf()
    names = page.locator(".gm-open").all_text_contents()
    assert names == ["shakespeare", "my-own"]
    cells = row(page, "shakespeare").get_by_role("cell").all_inner_texts()
    assert cells[1:5] == ["0.11 M", "2 × 2 × 64", "4.12", "5.95"]
    assert cells[0].endswith(", in use")
    assert "In use in all tabs." in card(page, "shakespeare").inner_text()
    buttons = page.locator(".gm-card .gm-buttons > *").all_inner_texts()
    assert buttons == ["Compare side by side", "Download"]
    assert page.locator(".gm-use").inner_text() == "Compare side by side"  # the one red button
    assert page.get_by_role("table", name="Models").get_by_role("columnheader").count() == 6


def test_a_card_is_text_and_nothing_of_it_is_markup(shelf):
    page = shelf()
    row(page, "my-own").click()
    card(page, "my-own")
    page.get_by_role("button", name="Read its whole card").click()
    whole = page.locator(".gm-whole")
    assert whole.locator("h3").inner_text() == "<img src=x onerror=alert(1)>"
    assert "${alert(1)} {{value}} <script>alert(2)</script> [a](javascript:alert(3))" in whole.inner_text()
    assert whole.locator("strong").inner_text() == "Anything"
    assert whole.locator("img, script, a").count() == 0


def test_use_it_is_the_heads_own_choice_and_all_tabs_follow(shelf):
    page = shelf()
    row(page, "my-own").click()
    card(page, "my-own")
    page.get_by_role("button", name="Use it").click()
    head(page, "my-own")
    page.wait_for_selector(".gm-card:has-text('In use in all tabs.')")
    page.wait_for_selector(".gm-memory:has-text('shakespeare and my-own')")
    page.get_by_role("tab", name="Prompt").click()
    with page.expect_request(re.compile("/ask/|/queue/join")) as asked:
        page.locator("#gl-write").click()
    assert "my-own" in asked.value.post_data
    page.locator("#gl-head select").select_option("shakespeare")
    page.get_by_role("tab", name="Models").click()
    page.wait_for_selector(".gm-row[data-name='shakespeare']:has-text('in use')")


def test_a_download_is_the_model(shelf, folder, tmp_path):
    page = shelf()
    row(page, "my-own").click()
    card(page, "my-own")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "my-own.zip"
    shutil.unpack_archive(download.value.path(), tmp_path / "out", "zip")
    assert gpt.load(tmp_path / "out" / "my-own").id == gpt.load(folder / "my-own").id


def test_two_models_write_side_by_side_what_the_library_writes_and_read_each_other(shelf, folder):
    page = shelf()
    row(page, "my-own").click()
    card(page, "my-own")
    page.keyboard.press("c")
    pair = page.get_by_role("region", name="Side by side")
    assert pair.locator("h2").inner_text().startswith("my-own and")
    assert pair.get_by_label("The other model").input_value() == "shakespeare"  # the one in use
    pair.get_by_label("What both go on from").fill("First ")
    pair.get_by_role("button", name="Write side by side").click()
    page.wait_for_function("document.querySelectorAll('.gm-readings dd').length === 4")
    assert "With seed 11, they part " in pair.locator(".gm-pair-says").inner_text()
    for i, name in enumerate(("my-own", "shakespeare")):
        side = pair.get_by_role("article").nth(i)
        assert side.locator("h3").inner_text() == name
        checkpoint = load_as_the_page(folder / name)
        tokens = gpt.generate(checkpoint, "First ", gpt.SamplingSettings(temperature=0.8), 240, seed=11)
        text = "".join(token.text for token in tokens)
        assert (
            side.locator(".gm-pair-written").evaluate(
                "(element) => [...element.children].map((line) => line.textContent).join('\\n')"
            )
            == "First " + text
        )
        numbers = side.locator(".gm-readings dd").all_inner_texts()
        for reader, said in zip(("my-own", "shakespeare"), numbers, strict=True):
            score = gpt.score(load_as_the_page(folder / reader), "First " + text)
            assert said == f"reads this with {score.bits_per_character:.2f} bits a character"
    assert "my-own" in page.locator(".gm-memory").inner_text()
    pair.get_by_role("button", name="Close").click()
    assert not pair.is_visible()


def test_a_comparison_stops_and_a_damaged_model_is_one_sentence(shelf, folder):
    page = shelf()
    page.route(re.compile("/letter/ask/write"), lambda route: page.wait_for_timeout(100) or route.continue_())
    page.get_by_role("button", name="Compare side by side").click()
    pair = page.get_by_role("region", name="Side by side")
    pair.get_by_role("button", name="Write side by side").click()
    page.wait_for_function("document.querySelector('.gm-pair-written')?.textContent.length > 10")
    pair.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(400)
    left = pair.locator(".gm-pair-written").all_inner_texts()
    page.wait_for_timeout(400)
    assert pair.locator(".gm-pair-written").all_inner_texts() == left
    assert pair.get_by_role("button", name="Go on").is_enabled()
    weights = folder / "my-own" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    pair.get_by_role("button", name="Write side by side").click()
    page.wait_for_selector(".gm-pair .gl-error:has-text('my-own: model.safetensors: not whole')")


def test_a_model_of_the_hub_is_opened_by_its_name_and_used(shelf):
    page = shelf()
    page.fill("#gm-source", "me/small")
    page.keyboard.press("Enter")
    page.wait_for_selector(".gm-row.gm-selected[data-name='me/small']")
    assert page.locator(".gm-words").inner_text() == "me/small is on the list."
    assert page.locator("#gl-head option").all_text_contents() == ["shakespeare", "my-own", "me/small"]
    card(page, "me/small")
    page.keyboard.press("u")
    head(page, "me/small")
    assert page.evaluate("sessionStorage.getItem('gl-arrival')") is None


def test_stop_ends_it_at_once_and_nothing_is_listed(shelf, hub):
    page = shelf()
    repository = hub.repositories["me/small"]
    files = {**repository.find("main").files, "model.safetensors": Stored(b"\0" * 8_000_000, True)}
    repository.add("main", files, "larger")
    hub.slow = 0.15
    page.fill("#gm-source", "me/small")
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_function("/of 8.0 MB/.test(document.querySelector('.gm-words').textContent)")
    page.wait_for_function("Number(document.querySelector('.gm-bar').getAttribute('aria-valuenow')) > 0")
    page.reload()  # it is found again
    page.get_by_role("tab", name="Models").click()
    page.wait_for_function("/of 8.0 MB/.test(document.querySelector('.gm-words').textContent)")
    page.get_by_role("button", name="Stop", exact=True).last.click()
    page.wait_for_selector(".gm-words:has-text('Stopped. Nothing of me/small')")
    assert page.locator(".gm-open").all_text_contents() == ["shakespeare", "my-own"]
    assert page.get_by_role("button", name="Open", exact=True).is_enabled()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b/c", "<img src=x onerror=alert(1)>", "", "me/nothing"])
def test_what_cannot_be_opened_is_one_sentence_and_what_was_typed_stays(shelf, name):
    page = shelf()
    page.fill("#gm-source", name)
    page.keyboard.press("Enter")
    page.wait_for_selector(".gm-loader .gl-error:not([hidden])")
    assert 20 < len(page.locator(".gm-loader .gl-error").inner_text()) < 200
    assert page.input_value("#gm-source") == name
    assert page.locator(".gm-open").all_text_contents() == ["shakespeare", "my-own"]


def test_a_model_deleted_on_the_disk_says_so_and_leaves_the_rows(shelf, folder):
    page = shelf()
    shutil.rmtree(folder / "my-own")
    row(page, "my-own").click()
    page.wait_for_selector(".gl-error:has-text(\"There is no model 'my-own'\")")
    page.wait_for_function("document.querySelectorAll('.gm-open').length === 1")
    card(page, "shakespeare")


def test_a_choice_that_fails_leaves_the_model_that_was_there(shelf, folder):
    page = shelf()
    weights = folder / "my-own" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    row(page, "my-own").click()
    card(page, "my-own")
    page.get_by_role("button", name="Use it").click()
    page.wait_for_selector("#gl-head .gl-error:has-text('my-own: model.safetensors: not whole')")
    head(page, "shakespeare")
    assert page.get_by_role("button", name="Use it").is_enabled()


def test_a_push_needs_a_token_which_is_cleared_at_once_and_the_result_is_a_link(shelf, hub):
    secret = "hf_" + "Abc123" * 5
    hub.users[secret] = ("ada", "write")
    page = shelf()
    row(page, "my-own").click()
    card(page, "my-own")
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    page.get_by_role("button", name="Push to the Hub").click()
    push_it = page.get_by_role("button", name="Push it")
    page.get_by_label("Repository, owner/name").fill("ada/own")
    push_it.click()
    page.wait_for_selector(".gm-push .gl-error:has-text('Paste a token')")
    page.get_by_label("Token that may write").fill(secret)
    push_it.click()
    assert page.get_by_label("Token that may write").input_value() == ""
    page.wait_for_selector(".gm-push a")
    commit = hub.repositories["ada/own"].find("main").id
    assert page.locator(".gm-push a").get_attribute("href").endswith(f"/ada/own/tree/{commit}")
    holding = [url for url, data in sent if secret in url + data]
    assert len(holding) == 1
    assert holding[0].endswith("/letter/models/push")
    stored = page.evaluate(
        "JSON.stringify([document.documentElement.outerHTML, {...localStorage}, {...sessionStorage}])"
    )
    assert secret not in stored
    assert secret not in page.url


def test_on_a_space_the_host_decides_and_whoever_wants_more_duplicates_it(
    open_page, hub, folder, serve, shelf, monkeypatch
):
    monkeypatch.setenv("SPACE_ID", "ada/page")
    monkeypatch.setenv("GPT_QUEUE", "7")
    with serve(folder) as url:
        page = open_page(url, allow=BAD)
        page.get_by_role("tab", name="Models").click()
        page.wait_for_selector(".gm-row.gm-selected")
        link = page.get_by_role("link", name="Duplicate this Space")
        assert link.get_attribute("href") == "https://huggingface.co/spaces/ada/page?duplicate=true"
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert page.locator("#gm-source").count() == 0  # loading is off there
        row(page, "my-own").click()
        card(page, "my-own")
        assert page.get_by_role("button", name="Push to the Hub").count() == 0
        said = page.locator(".gm-left").inner_text()
        assert "switched off loading from the Hub" in said
        assert "600 requests a minute" in said
        assert "At most 7 requests wait in the queue." in said
    assert (
        shelf().get_by_role("link", name="Duplicate this Space").count() == 0
    )  # at home there is nothing to duplicate


def test_looking_on_the_hub_happens_only_when_asked_for(shelf, hub):
    repository = hub.repositories["me/small"]
    files = {
        **repository.find("main").files,
        "README.md": Stored(b"---\nlibrary_name: gpt-letter-by-letter\n---\n", False),
    }
    repository.add("main", files, "a card")
    page = shelf()
    asked = len(hub.requests)
    page.wait_for_timeout(500)
    assert len(hub.requests) == asked
    page.get_by_role("button", name="Look on the Hub").click()
    page.get_by_role("button", name="me/small").click()
    assert page.input_value("#gm-source") == "me/small"


def test_keys_walk_the_rows_and_open_the_field(shelf):
    page = shelf()
    page.get_by_role("button", name="shakespeare", exact=True).focus()
    page.keyboard.press("ArrowDown")
    card(page, "my-own")
    assert page.evaluate("document.activeElement.textContent") == "my-own"
    page.keyboard.press("ArrowUp")
    card(page, "shakespeare")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    assert page.evaluate("document.activeElement.id") == "gm-source"


def test_on_a_phone_the_card_opens_under_its_row_and_nothing_scrolls_sideways(shelf):
    page = shelf("phone")
    assert not page.locator(".gm-card").is_visible()
    row(page, "my-own").click()
    card(page, "my-own")
    under, above = page.locator(".gm-card").bounding_box(), row(page, "my-own").bounding_box()
    assert above["y"] + above["height"] <= under["y"] < above["y"] + above["height"] + 40
    assert above["height"] < 110
    assert no_sideways_scroll(page)
    assert page.locator("#gl-tabs [role=tab]:visible").all_inner_texts()[-1] == "Models"
    row(page, "my-own").click()
    page.wait_for_function(
        "!document.querySelector('.gm-card')?.isConnected || !document.querySelector('.gm-card').clientWidth"
    )


def test_gpt2_says_what_it_was_trained_on(shelf, folder):
    """A vocabulary of GPT-2's kind and size, in a model that is otherwise as small as can be."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [(a, b) for a in letters for b in letters][: 30_000 - len(letters)]
    words = [*letters, *(a + b for a, b in pairs)]
    library = Tokenizer(BPE({word: i for i, word in enumerate(words)}, pairs))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    config = gpt.GPTConfig.gpt2(30_000, 16, n_layer=1, n_head=1, n_embd=8)
    save(folder / "web", config, gpt.GPT(config).state_dict(), BPETokenizer(library.to_str()))
    page = shelf()
    row(page, "web").click()
    assert "may offend" in card(page, "web").inner_text()
    assert "not measured" in row(page, "web").inner_text()
    page.get_by_role("button", name="Use it").click()
    head(page, "web")
    page.wait_for_selector(".gl-warning:has-text('GPT-2 was trained on text of the open web')")
