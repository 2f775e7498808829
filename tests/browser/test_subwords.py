"""A model of subwords on the page: tokens that are words, and tokens that are less than a character."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import gpt
from gpt.checkpoint import save
from gpt.tokenizer import BPETokenizer
from tests.browser.sampling_steps import expected
from tests.browser.steps import no_sideways_scroll

TEXT = "ROMEO:\nWhat says he of our café and of our marriage 😀? What says he of our marriage?"
TRAINED_ON = "What says he of our marriage? CORIOLANUS: What says he of our café? GLOUCESTER: 😀 " * 20


def make_subwords(folder, vocab_size):
    """A checkpoint of random weights whose tokens are bytes and what trains out of them."""
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=letters, show_progress=False)
    library.train_from_iterator([TRAINED_ON], trainer)
    tokenizer = BPETokenizer(library.to_str())
    torch.manual_seed(0)
    model = gpt.GPT(gpt.GPTConfig(vocab_size=tokenizer.vocab_size, n_layer=2, n_head=2, n_embd=64, block_size=64))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    save(folder, model.config, model.state_dict(), tokenizer)


@pytest.fixture(scope="module")
def subwords(tmp_path_factory, serve):
    """The address of a page over two models, and their folder: "bytes", of 256 tokens, and "words", of more."""
    folder = tmp_path_factory.mktemp("subwords")
    make_subwords(folder / "bytes", 256)
    make_subwords(folder / "words", 320)
    with serve(folder) as url:
        yield url, folder


@pytest.mark.parametrize("model", ["bytes", "words"])
def test_rolls_of_half_characters_are_the_draws_of_generate(laboratory, subwords, model):
    url, folder = subwords
    checkpoint = gpt.load(folder / model, weights="int8")
    page = laboratory(url=url, model=model, text=TEXT, settings={"temperature": 1}, seed=5)
    for _ in range(50):
        page.keyboard.press("r")
    n = len(checkpoint.tokenizer.encode(TEXT)) + 50
    page.wait_for_function("(n) => document.querySelector('#gl-sampling .gs').laboratory.position() === n", arg=n)
    text = page.evaluate("document.querySelector('#gl-sampling .gs').laboratory.state.text")
    assert text == TEXT + expected(checkpoint, TEXT, 50, 5)
    assert "tokens of" in page.inner_text(".gs-sentence") or "likely tokens" in page.inner_text(".gs-sentence")


@pytest.mark.parametrize("size", ["wide", "phone", "projector"])
def test_tokens_that_are_words_stand_beside_one_another(laboratory, subwords, size):
    url, _ = subwords
    page = laboratory(size=size, url=url, model="words", text=TEXT, settings={"temperature": 1, "top_k": 20}, seed=5)
    letters = page.locator(".gs-letter").evaluate_all(
        """(letters) => letters.map((letter) => {
            const range = document.createRange();
            range.selectNodeContents(letter);
            const {width} = letter.getBoundingClientRect();
            const text = range.getBoundingClientRect();
            return [letter.textContent.length, text.height, Math.max(0, text.width - width - 6)];
        })"""
    )
    assert len(letters) == (21 if size == "phone" else 51)
    assert max(length for length, _, _ in letters) > 4
    assert all(height <= 92 and beyond == 0 for _, height, beyond in letters)
    assert page.inner_text(".gs-temperatures .gs-says").startswith("the same tokens")
    assert page.inner_text(".gs-draw .gs-says").endswith("in the order of the vocabulary")
    assert no_sideways_scroll(page)


def test_the_sliders_speak_of_tokens(laboratory, subwords):
    url, _ = subwords
    page = laboratory(url=url, model="words", text=TEXT, settings={"temperature": 1}, seed=5)
    said = page.locator(".gs-sliders .gl-slider p > span:first-child").all_inner_texts()
    assert said[1:3] == ["Keeps the k most likely tokens.", "Keeps the fewest tokens that together reach p."]
    assert "character" not in page.locator(".gs-sliders").text_content()
    page.get_by_role("tab", name="Prompt").click()
    assert page.locator("output[for='gl-length']").inner_text() == "300 tokens"
    page.select_option("#gl-head select", "bytes")
    page.wait_for_function("document.querySelector('#gl-head select').value === 'bytes'")
    assert "character" not in page.locator("#gl-settings").text_content()


def test_what_is_said_of_the_cut_has_room(laboratory, subwords):
    url, _ = subwords
    page = laboratory(url=url, model="words", text=TEXT, settings={"temperature": 1, "top_k": 29}, seed=5)
    assert page.inner_text(".gs-cut").startswith("cut by top-k: ")
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function("document.querySelector('.gs-cut').textContent.includes(' cut by top-k')")
    cut, plane = (page.locator(part).bounding_box() for part in (".gs-cut", ".gs-plane"))
    assert cut["x"] + cut["width"] <= plane["x"] + plane["width"] + 1


def test_arrow_keys_walk_from_token_to_token(open_page, subwords):
    url, folder = subwords
    page = open_page(url)
    page.select_option("#gl-head select", "words")
    page.locator("#gl-your-line textarea").fill("What says he of our marriage 😀 of")
    page.keyboard.press("Enter")
    page.wait_for_function("document.documentElement.dataset.glStatus === 'done'")
    page.wait_for_function("document.documentElement.dataset.glThoughts === 'known'")
    page.locator(".gl-play").focus()
    tokenizer = gpt.load(folder / "words").tokenizer
    pieces = tokenizer.pieces(tokenizer.encode("What says he of our marriage"))
    assert 3 < len(pieces) < 12
    for piece in pieces:
        page.keyboard.press("ArrowRight")
        name = page.locator(".gp-letter").inner_text()
        assert name == piece.replace(" ", "␣"), "the next token"
    page.keyboard.press("ArrowLeft")
    assert page.locator(".gp-letter").inner_text() == pieces[-2].replace(" ", "␣")
