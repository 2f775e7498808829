"""Prompt to tokens: each field against an independent computation, and the same text however it is come by."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gpt
from gpt import GPT, Checkpoint, GPTConfig, SamplingSettings, Token, UnknownCharacterError
from gpt.decoder import Decoder
from gpt.generation import Reader, read_at_once, window_start
from gpt.quantization import round_to_int8
from gpt.sampling import MAX_SEED, draw, probabilities, u

SHAPE = {"vocab_size": 65, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 32}
RECIPES = {"modern": GPTConfig(**SHAPE), "gpt2": GPTConfig.gpt2(**SHAPE), "odd": GPTConfig(**SHAPE | {"block_size": 9})}
SETTINGS = SamplingSettings(0.8, top_k=30, top_p=0.95, repetition_penalty=1.1, repetition_window=8)
Build = Callable[..., Checkpoint]

each_recipe = pytest.mark.parametrize("config", RECIPES.values(), ids=RECIPES)
each_precision = pytest.mark.parametrize("weights", ["float32", "int8"])


@pytest.fixture
def build(random_checkpoint: Build) -> Build:
    def build(config: GPTConfig = RECIPES["modern"], weights: str = "float32") -> Checkpoint:
        checkpoint = random_checkpoint(config)
        if weights == "int8":
            round_to_int8(checkpoint.model)
        return checkpoint

    return build


def text_of(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


# What a token says.


@each_recipe
def test_each_token_says_what_a_full_forward_over_its_window_says(config: GPTConfig, build: Build) -> None:
    checkpoint = build(config)
    prompt = checkpoint.tokenizer.encode("ROMEO:\nWhat light")
    ids = list(prompt)
    tokens = list(gpt.generate(checkpoint, "ROMEO:\nWhat light", SamplingSettings(0.7, top_k=9), 40, seed=5))
    assert len({token.window_start for token in tokens}) >= 3  # two refills at least
    for n, token in enumerate(tokens, start=len(prompt)):
        window = ids[token.window_start :]
        assert token.position == n == len(ids)
        assert 1 <= len(window) <= config.block_size
        logits = checkpoint.model(torch.tensor([window]))[0, -1].double()
        p = logits.softmax(-1)
        assert token.probability == pytest.approx(p[token.id].item(), abs=1e-5)
        assert token.entropy == pytest.approx(-(p * p.log2()).sum().item(), abs=1e-3)
        best = p.topk(5)
        assert [alternative.id for alternative in token.alternatives] == best.indices.tolist()
        assert [alternative.probability for alternative in token.alternatives] == pytest.approx(
            best.values.tolist(), abs=1e-5
        )
        allowed = logits.topk(9).indices
        sampled = (logits[allowed] / 0.7).softmax(-1)
        assert token.sampled_probability == pytest.approx(sampled[allowed == token.id].item(), abs=1e-5)
        full = torch.zeros(65, dtype=torch.float64).index_put((allowed,), sampled)
        assert token.id == draw(full.numpy(), u(5, n))
        assert token.text == checkpoint.tokenizer.characters[token.id]
        assert [a.text for a in token.alternatives] == [checkpoint.tokenizer.characters[i] for i in best.indices]
        ids.append(token.id)


def test_greedy_text_takes_the_best_each_time_whatever_the_seed(build: Build) -> None:
    checkpoint = build()
    a, b = (list(gpt.generate(checkpoint, "a", SamplingSettings(0.0), 30, seed)) for seed in (1, 2))
    assert a == b
    assert all(token.id == token.alternatives[0].id for token in a)
    assert all(token.sampled_probability == 1 for token in a)


def test_the_window_moves_by_halves_and_is_never_longer_than_it_may_be() -> None:
    assert [window_start(n, 8) for n in range(1, 18)] == [0] * 8 + [4] * 4 + [8] * 4 + [12]
    for block_size in (1, 2, 3, 5, 8, 256, 1024):
        for n in range(1, 5 * block_size + 2):
            start = window_start(n, block_size)
            assert 0 <= start < n <= start + block_size
            assert start % max(block_size // 2, 1) == 0
            assert start == 0 or n - start > block_size - max(block_size // 2, 1)


@given(st.integers(1, 5000), st.integers(1, 1100), st.sampled_from([2, 6, 12]))
def test_at_least_one_token_and_few_at_most_go_by_steps(n: int, block_size: int, n_layer: int) -> None:
    config = GPTConfig.gpt2(65, block_size, n_layer=n_layer)
    start, ends = window_start(n, block_size), read_at_once(n, config)
    assert ends == sorted(set(ends))
    assert all(start <= end < n for end in ends)
    assert n - (ends[-1] if ends else start) <= 200
    # What is read at once in a text is read so in every longer one of the same window.
    assert window_start(n + 1, block_size) != start or read_at_once(n + 1, config)[: len(ends)] == ends


def test_small_models_take_more_steps_than_large_ones() -> None:
    assert read_at_once(200, GPTConfig(n_head=6, n_embd=384)) == []
    assert read_at_once(201, GPTConfig(n_head=6, n_embd=384)) == [200]
    assert read_at_once(257, GPTConfig(n_head=6, n_embd=384)) == [256]
    assert read_at_once(100, GPTConfig.gpt2()) == [32, 64, 96]
    assert read_at_once(1100, GPTConfig.gpt2()) == [1024, 1056, 1088]


# The same text.


@each_recipe
@each_precision
def test_a_text_cut_anywhere_and_continued_is_the_text_that_was_not_cut(
    config: GPTConfig, weights: str, build: Build
) -> None:
    checkpoint = build(config, weights)
    prompt = checkpoint.tokenizer.encode("ROMEO:\n")
    whole = list(gpt.generate(checkpoint, prompt, SETTINGS, 60, seed=3))
    assert len({token.window_start for token in whole}) >= 5
    ids = prompt + [token.id for token in whole]
    for cut in range(60):
        continued = gpt.generate(checkpoint, ids[: len(prompt) + cut], SETTINGS, min(4, 60 - cut), seed=3)
        assert list(continued) == whole[cut : cut + 4], cut


@each_precision
def test_a_text_continues_across_pieces_that_are_read_at_once(
    weights: str, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GPTConfig, "num_parameters", 10**8)  # pieces of 32, as in a large model
    checkpoint = build(dataclasses.replace(RECIPES["modern"], block_size=150), weights)
    prompt = checkpoint.tokenizer.encode("ROMEO:\n")
    whole = list(gpt.generate(checkpoint, prompt, SETTINGS, 330, seed=3))
    ids = prompt + [token.id for token in whole]
    for token in whole if weights == "float32" else []:
        logits = checkpoint.model(torch.tensor([ids[token.window_start : token.position]]))[0, -1]
        assert token.probability == pytest.approx(logits.double().softmax(-1)[token.id].item(), abs=1e-5)
    for cut in (1, 24, 25, 26, 57, 58, 120, 143, 144, 150, 175, 176, 200, 218, 219, 300):
        continued = gpt.generate(checkpoint, ids[: len(prompt) + cut], SETTINGS, 30, seed=3)
        assert list(continued) == whole[cut : cut + 30], cut


@pytest.mark.slow
@each_precision
def test_a_text_of_the_size_that_ships_continues_across_refills(weights: str, build: Build) -> None:
    checkpoint = build(GPTConfig(n_layer=2), weights)
    prompt = checkpoint.tokenizer.encode("ROMEO:\n")
    whole = list(gpt.generate(checkpoint, prompt, SETTINGS, 700, seed=3))
    ids = prompt + [token.id for token in whole]
    for cut in (1, 100, 121, 193, 194, 200, 248, 249, 250, 300, 376, 377, 378, 500, 505, 506, 640):
        continued = gpt.generate(checkpoint, ids[: len(prompt) + cut], SETTINGS, 60, seed=3)
        assert list(continued) == whole[cut : cut + 60], cut


def test_a_continued_text_can_be_given_as_text(build: Build) -> None:
    checkpoint = build()
    whole = list(gpt.generate(checkpoint, "To be", SETTINGS, 50, seed=9))
    for cut in (1, 20, 49):
        continued = gpt.generate(checkpoint, "To be" + text_of(whole[:cut]), SETTINGS, 50 - cut, seed=9)
        assert list(continued) == whole[cut:]


def test_the_same_seed_gives_the_same_tokens_however_they_are_consumed(build: Build) -> None:
    checkpoint = build()
    at_once = list(gpt.generate(checkpoint, "a", SETTINGS, 40, seed=1))
    one_by_one = gpt.generate(checkpoint, "a", SETTINGS, 40, seed=1)
    others = [gpt.generate(checkpoint, "zz", SETTINGS, 40, seed=2) for _ in range(2)]
    found = []
    for token in one_by_one:  # while two others run in between, and the global generators turn
        found.append(token)
        list(itertools.islice(others[0], 2))
        list(itertools.islice(others[1], 1))
        torch.rand(3)
        np.random.rand(3)
    assert found == at_once
    assert list(gpt.generate(checkpoint, "a", SETTINGS, 15, seed=1)) == at_once[:15]


def test_another_seed_gives_another_text(build: Build) -> None:
    checkpoint = build()
    texts = {text_of(list(gpt.generate(checkpoint, "a", max_new_tokens=40, seed=seed))) for seed in range(20)}
    assert len(texts) == 20


@each_recipe
@each_precision
def test_the_number_of_threads_changes_no_text(config: GPTConfig, weights: str, build: Build) -> None:
    checkpoint = build(dataclasses.replace(config, block_size=64, n_embd=128), weights)
    before, texts = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            texts.append(text_of(list(gpt.generate(checkpoint, "ROMEO:\n", SETTINGS, 90))))
    finally:
        torch.set_num_threads(before)
    assert texts[0] == texts[1]


# Prompts.


def test_an_empty_prompt_is_a_line_break(build: Build) -> None:
    checkpoint = build()
    tokens = list(gpt.generate(checkpoint, "", max_new_tokens=5))
    assert tokens == list(gpt.generate(checkpoint, "\n", max_new_tokens=5))
    assert tokens == list(gpt.generate(checkpoint, [], max_new_tokens=5))
    assert tokens[0].position == 1


def test_an_empty_prompt_is_token_0_where_there_is_no_line_break(random_model: Callable[..., GPT]) -> None:
    config = dataclasses.replace(RECIPES["modern"], vocab_size=3)
    checkpoint = Checkpoint(random_model(config), gpt.tokenizer.CharTokenizer("abc"), "", "")
    assert list(gpt.generate(checkpoint, "", max_new_tokens=5)) == list(gpt.generate(checkpoint, [0], max_new_tokens=5))


def test_of_a_very_long_prompt_the_last_window_counts(build: Build) -> None:
    checkpoint = build()
    text = "Now is the winter of our discontent\n" * 30_000  # 1 MB
    tokens = list(gpt.generate(checkpoint, text, max_new_tokens=3))
    assert tokens[0].position == len(text)
    assert tokens[0].window_start == window_start(len(text), 16)


def test_a_prompt_of_unknown_characters_is_refused_at_once(build: Build) -> None:
    with pytest.raises(UnknownCharacterError, match="'é' at position 5"):
        gpt.generate(build(), "Touché")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seed", value) for value in (-1, MAX_SEED + 1, 1.0, True, None, "1")),
        *(("max_new_tokens", value) for value in (-1, 2.5, False, None)),
        *(("prompt", value) for value in ([65], [3, -1], [2**40])),
    ],
)
def test_a_bad_argument_is_refused_at_once_by_its_name(name: str, value: object, build: Build) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        gpt.generate(build(), **{"prompt": "a", name: value})


def test_the_largest_seed_is_a_seed(build: Build) -> None:
    assert len(list(gpt.generate(build(), "a", max_new_tokens=2, seed=MAX_SEED))) == 2


# What is computed, and when.


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the decoder's forward passes, as they happen."""
    calls: list[str] = []
    for name in ("refill", "step"):
        original = getattr(Decoder, name)

        def counted(*arguments: object, name: str = name, original: Callable = original, **more: object) -> object:
            calls.append(name)
            return original(*arguments, **more)

        monkeypatch.setattr(Decoder, name, counted)
    return calls


def test_a_token_is_computed_when_it_is_asked_for_and_none_after_closing(build: Build, computed: list[str]) -> None:
    tokens = gpt.generate(build(), "a", max_new_tokens=100)
    assert computed == []
    for n in range(1, 6):
        next(tokens)
        assert computed == ["step"] * n
    tokens.close()
    assert list(tokens) == []
    assert computed == ["step"] * 5


def test_no_tokens_cost_nothing(build: Build, computed: list[str]) -> None:
    assert list(gpt.generate(build(), "a", max_new_tokens=0)) == []
    assert computed == []


def test_a_token_takes_one_step_and_the_window_is_read_again_once_each_half(build: Build, computed: list[str]) -> None:
    list(gpt.generate(build(), "a", max_new_tokens=64))
    assert computed.count("step") == 64
    assert computed.count("refill") == 6  # at 17, 25, ... 57 tokens


@pytest.mark.filterwarnings("ignore:decoding slowly")
def test_a_model_that_says_no_numbers_is_an_error(build: Build) -> None:
    checkpoint = build(RECIPES["gpt2"])
    checkpoint.model.token_embedding.weight.fill_(1e38)
    with pytest.raises(ValueError, match=r"^logits: not all are finite"):
        list(gpt.generate(checkpoint, "a", max_new_tokens=3))


# Subwords.


def test_subwords_stream_whole_characters_and_continue_in_the_middle_of_one(random_model: Callable[..., GPT]) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    library = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    library.pre_tokenizer, library.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer = gpt.tokenizer.BPETokenizer(library.to_str())
    checkpoint = Checkpoint(random_model(GPTConfig(**SHAPE | {"vocab_size": 256})), tokenizer, "", "")
    prompt = tokenizer.encode("naïve 🙂")
    tokens = list(gpt.generate(checkpoint, prompt, SETTINGS, 80))
    whole = tokenizer.decode(prompt + [token.id for token in tokens])
    written = "naïve 🙂" + text_of(tokens)
    assert whole.startswith(written)
    assert set(whole[len(written) :]) <= {"�"}  # a last character that is not whole yet
    for cut in range(80):
        continued = gpt.generate(checkpoint, prompt + [token.id for token in tokens[:cut]], SETTINGS, min(5, 80 - cut))
        assert [t.id for t in continued] == [t.id for t in tokens[cut : cut + 5]]


# The numbers themselves.


@each_recipe
@each_precision
@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(),
        SamplingSettings(0.7, top_k=9),
        SamplingSettings(1.4, top_p=0.8, min_p=0.02, repetition_penalty=1.3, repetition_window=8),
        SamplingSettings(0.0),
    ],
)
def test_a_reader_gives_the_very_logits_that_generate_draws_from(
    config: GPTConfig, weights: str, settings: SamplingSettings, build: Build
) -> None:
    checkpoint = build(config, weights)
    ids = checkpoint.tokenizer.encode("ROMEO:\n")
    reader = Reader(checkpoint.model)
    for token in gpt.generate(checkpoint, ids, settings, 40, seed=11):
        logits = reader.read(ids)
        anew = gpt.next_distribution(checkpoint, ids, settings)
        assert logits.dtype == np.float32
        assert logits.tobytes() == anew.logits.tobytes() == Reader(checkpoint.model).read(ids).tobytes()
        assert (anew.position, anew.window_start, anew.tokens) == (token.position, token.window_start, tuple(ids))
        p = probabilities(logits, settings, ids)
        assert draw(p, u(11, len(ids))) == token.id
        assert p.tobytes() == anew.after.tobytes()
        assert p[token.id] == token.sampled_probability
        assert anew.before[token.id] == token.probability
        ids.append(token.id)
    assert reader.start > 0


def test_a_reader_keeps_what_it_told_and_refuses_a_text_that_has_not_grown(build: Build) -> None:
    reader = Reader(build().model)
    first = reader.read([1, 2, 3])
    copy = first.copy()
    reader.read([1, 2, 3, 4])
    assert first.tobytes() == copy.tobytes()
    for ids in ([1, 2, 3, 4], [1], []):
        with pytest.raises(ValueError, match=r"^ids: "):
            reader.read(ids)


def test_the_next_distribution_is_the_models_own_at_temperature_1(build: Build) -> None:
    found = gpt.next_distribution(build(), "But soft,")
    assert found.before.tobytes() == found.after.tobytes()
    expected = torch.from_numpy(found.logits).double().softmax(-1)
    assert found.before == pytest.approx(expected.numpy(), abs=1e-15)
    assert found.window_start == 0
    assert found.position == 9


def test_a_tie_at_temperature_0_goes_to_the_smaller_id(build: Build) -> None:
    checkpoint = build()
    with torch.no_grad():
        checkpoint.model.head.weight.zero_()  # every token is as likely as any other
    found = gpt.next_distribution(checkpoint, "a", SamplingSettings(0.0))
    assert found.before == pytest.approx(np.full(65, 1 / 65))
    assert found.after.tolist() == [1.0] + [0.0] * 64


def test_cut_as_hard_as_can_be_the_likeliest_token_stays(build: Build) -> None:
    settings = SamplingSettings(1.0, top_k=1, top_p=0.0, min_p=1.0)
    found = gpt.next_distribution(build(), "a", settings)
    assert found.after[found.before.argmax()] == 1
    assert np.count_nonzero(found.after) == 1


def test_a_top_k_above_the_vocabulary_cuts_nothing(build: Build) -> None:
    found = gpt.next_distribution(build(), "a", SamplingSettings(top_k=1_000_000))
    assert found.after == pytest.approx(found.before, abs=1e-15)


@pytest.mark.parametrize("prompt", [[65], [-1], [3, 10**9]])
def test_no_distribution_follows_what_is_no_token(prompt: list[int], build: Build) -> None:
    with pytest.raises(ValueError, match=r"^prompt: "):
        gpt.next_distribution(build(), prompt)


def test_no_distribution_follows_an_unknown_character(build: Build) -> None:
    with pytest.raises(UnknownCharacterError):
        gpt.next_distribution(build(), "a€b")
