"""The model card, read as the Hub reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from gpt import GPTConfig
from gpt.card import imported_card, model_card, with_heads
from gpt.heads import SCORES
from tests.conftest import make_checkpoint

TRAINING: dict[str, Any] = {
    "corpus": {"name": "tinyshakespeare", "sha256": "86c4e6aa"},
    "split": {"train_characters": 1_003_854, "held_out_characters": 111_540, "evaluate_on": "validation"},
    "command": "python -m train pretrain --preset tiny", "finished": True, "steps": 1600, "tokens": 13_107_200,
    "seconds": 2460.0, "hardware": "x86_64 CPU, 2 threads", "torch": "2.13.0",
}  # fmt: skip
METRICS = [
    {"step": 100, "val_loss": 2.5, "train_loss": 2.5, "sample": "xq"},
    {"step": 1600, "val_loss": 1.44321, "train_loss": 1.39, "sample": "\nROMEO:\nWhat <b>light\n"},
]


def test_the_loss_of_the_last_evaluation_is_metadata_and_text() -> None:
    text = model_card("shakespeare", GPTConfig(), TRAINING, METRICS)
    card = ModelCard(text)
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("loss", 1.4432)
    assert result.dataset_name == "tinyshakespeare, the last 111,540 characters"
    assert (result.dataset_split, result.metric_name) == ("validation", "validation loss, nats a character")
    assert result.metric_config == (
        "the mean over all windows of 256 tokens, which do not overlap, of the last 111,540 characters"
    )
    assert (card.data.model_name, card.data.license) == ("shakespeare", "mit")
    assert card.data.library_name == "gpt-letter-by-letter"
    assert card.data.tags == ["gpt", "character-level", "from-scratch"]
    assert card.data.datasets == ["karpathy/tiny_shakespeare"]
    assert (
        "1.4432 nats a token at step 1,600 (2.082 bits a character), the mean over all windows of 256 tokens, which do "
        "not" in text
    )
    assert "2.5" not in text


def test_a_card_says_what_the_model_is_and_how_it_was_trained() -> None:
    text = model_card("shakespeare", GPTConfig(), TRAINING, METRICS)
    assert "A GPT of 4,751,872 parameters" in text
    assert "the modern recipe (rotary positions, rms norm, squared ReLU, normalised queries and keys)" in text
    assert "sha256 `86c4e6aa`" in text
    assert "41 minutes on x86_64 CPU, 2 threads" in text
    assert "    python -m train pretrain --preset tiny\n" in text
    assert "GPT-2's recipe (learned positions, layer norm, GELU, tied head)" in model_card(
        "x", GPTConfig.gpt2(65, 256), TRAINING, METRICS
    )


def test_a_sample_is_code_so_that_nothing_in_it_is_markup() -> None:
    assert "    ROMEO:\n    What <b>light\n" in model_card("x", GPTConfig(), TRAINING, METRICS)


@pytest.mark.parametrize("metrics", [[], [METRICS[1] | {"val_loss": float("nan")}]])
def test_a_card_without_a_measured_loss_claims_none(metrics: list[dict[str, Any]]) -> None:
    text = model_card("x", GPTConfig(), TRAINING | {"finished": False, "command": ""}, metrics)
    assert "## Loss" not in text
    assert not ModelCard(text).data.eval_results
    assert "a save from the middle of a training" in text


def test_a_card_of_subwords_says_so_wherever_a_token_is_named() -> None:
    text = model_card("x", GPTConfig(), TRAINING | {"config": {"tokenizer": "bpe:512"}}, METRICS)
    card = ModelCard(text)
    assert card.data.tags == ["gpt", "subword-level", "from-scratch"]
    assert card.data.eval_results[0].metric_name == "validation loss, nats a subword"
    assert "it has read one text, subword by subword" in text


def test_the_three_lines_of_its_use_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_checkpoint(tmp_path / "small", more={})
    card = model_card("small", GPTConfig(), TRAINING, METRICS).replace("checkpoints/small", folder.as_posix())
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(code.strip().splitlines()) == 3
    exec(compile(code, "card", "exec"), {})  # noqa: S102
    assert len(capsys.readouterr().out) > 100


def test_the_card_of_an_imported_model_says_from_where_and_that_it_may_offend() -> None:
    text = imported_card(GPTConfig.gpt2(), "openai-community/gpt2 at 607a30d", "openai-community/gpt2")
    card = ModelCard(text)
    assert card.data.base_model == "openai-community/gpt2"
    assert (card.data.library_name, card.data.pipeline_tag) == ("gpt-letter-by-letter", "text-generation")
    assert card.data.license is None  # it is whoever's the weights are
    assert "A GPT of 124,439,808 parameters: 12 layers" in text
    assert re.search("## Not for\n\n.*may offend", text)
    assert ModelCard(imported_card(GPTConfig.gpt2(), "a/folder", None)).data.base_model is None


def test_a_card_says_when_the_loss_is_an_estimate() -> None:
    text = model_card("x", GPTConfig(), TRAINING | {"finished": False}, METRICS)
    assert "the mean over some windows of 256 tokens, spread over the last 111,540 characters; on the" in text


def test_a_card_says_when_the_loss_is_not_of_the_validation_split() -> None:
    training = TRAINING | {"split": TRAINING["split"] | {"evaluate_on": "selection"}}
    text = model_card("x", GPTConfig(), training, METRICS)
    assert "those of the validation split left out" in text


def heads(*roles: tuple[str, int, float]) -> dict[str, Any]:
    """heads.json of one layer, of (role, offset, score)."""
    none: dict[str, float] = dict.fromkeys(SCORES, 0.0)
    return {
        "text": "2 windows",
        "heads": [[
            {"role": role, "offset": offset, "score": score, "scores": {**none, role: score}}
            for role, offset, score in roles
        ]],
    }  # fmt: skip


HEADS = heads(
    ("mixed", 0, 0.0), ("back", 3, 0.7), ("first", 0, 0.61), ("back", 2, 0.5), ("previous", 1, 0.9), ("first", 0, 0.5)
)


def test_a_card_tells_what_the_heads_do() -> None:
    text = model_card("x", GPTConfig(), TRAINING, METRICS, HEADS)
    assert "measured on 2 windows" in text
    lines = [line for line in text.splitlines() if line.startswith("- ") and ": 0." in line]
    assert lines == [
        "- previous character: 0.4 (0.90)", "- 2 back: 0.3 (0.50)", "- 3 back: 0.1 (0.70)",
        "- first position: 0.2 (0.61), 0.5 (0.50)", "- mixed: 0.0",
    ]  # fmt: skip
    assert "(more than half of their weight, on average from position 16 on): 1 of 6." in text
    assert "## Its heads" not in model_card("x", GPTConfig(), TRAINING, METRICS)


def test_the_section_on_heads_is_put_in_or_replaced_and_the_rest_stays() -> None:
    without, whole = (model_card("x", GPTConfig(), TRAINING, METRICS, it) for it in (None, HEADS))
    assert with_heads(without, HEADS) == whole
    assert with_heads(whole, HEADS) == whole
    other = with_heads(whole, heads(("broad", 0, 0.9)))
    assert "- broad: 0.0 (0.90)" in other
    assert "3 back" not in other
    assert with_heads(other, HEADS) == whole
    unmeasured = model_card("x", GPTConfig(), TRAINING, [])
    assert with_heads(unmeasured, HEADS) == model_card("x", GPTConfig(), TRAINING, [], HEADS)
    assert with_heads("# Mine\n", HEADS) == "# Mine\n"
