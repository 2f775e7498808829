"""Recording the story of a training: at which steps, of which line, and what is kept of each.

What a step costs, beside its evaluation, is one reading of a line and a quick measure of the heads. A frame depends on
the model and the story's line alone, so it can as well be made later, from weights that were kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpt import Checkpoint, GPTConfig, SamplingSettings, generate
from gpt.heads import describe
from gpt.story import Story, line_length, make_frame
from gpt.tokenizer import Tokenizer

from .large import LargeCorpus

PROMPT = "ROMEO:\n"
LINE = "ROMEO:\nWhat news of the king?\n\nJULIET:\nNo news of the king, Romeo."
"""Names, ends of lines, and words that come again: something for each kind of head to find."""
LOOKED_THROUGH = 2_000_000
"""Characters of the training text that are searched for the prompt."""
WINDOWS, MEASURED_ON = 4, 2**12
"""What the heads do along the way is measured on so many windows of the first so many characters."""
EVAL_TOKENS = 2**13
"""An evaluation for the story alone measures no more than so many of each text."""
SHARE = 0.1
"""By the clock, what is for the story alone takes no more of the time."""


def is_told(step: int) -> bool:
    """Whether a step is in the story: nearly each of the first, ten from 10 to 100, sixteen from 100 to 1,000 and so
    on, so that a training of any length has some dozens."""
    if step < 10:
        return step <= 6 or step == 8
    scale = 10 ** (len(str(step)) - 2)
    first_two, rest = divmod(step, scale)
    return rest == 0 and first_two in (_OF_TENS if scale == 1 else _LATER)


_OF_TENS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
_LATER = (10, 12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90)


def is_affordable(spent: float, progress: float, minutes: float) -> bool:
    """Whether, by the clock, there is time for the story alone: a third of its share at the start, the rest as the
    training goes on.

    Args:
        spent: seconds on it so far.
        progress: 0 to 1 of the training.
        minutes: of the training.
    """
    return spent <= SHARE * 60 * minutes * (1 + 2 * progress) / 3


def prompt_for(text: str | LargeCorpus) -> str:
    """What samples go on from: PROMPT where the training text has it, else nothing."""
    return PROMPT if PROMPT in _beginning(text) else ""


def begin(config: GPTConfig, tokenizer: Tokenizer, text: str | LargeCorpus) -> Story | None:
    """A story with no frame yet: a line and a prompt that are of the kind of this training text.

    Where the text has the prompt, ``LINE``; else its own beginning, said twice, so that there is something to find
    again. None if the model has too many heads to show.
    """
    most = line_length(config)
    if not most:
        return None
    prompt = prompt_for(text)
    if prompt and tokenizer.fold(LINE).text == LINE:
        ids = tokenizer.encode(LINE)
    else:
        ids = tokenizer.encode(_beginning(text)[: len(LINE)])[: max(1, min(most, len(LINE)) // 2)] * 2
    ids = ids[:most]
    return Story(config.n_layer, config.n_head, tuple(ids), tuple(tokenizer.pieces(ids)), prompt)


def _beginning(text: str | LargeCorpus) -> str:
    return (text if isinstance(text, str) else next(iter(text.pieces()), ""))[:LOOKED_THROUGH]


def sample(checkpoint: Checkpoint, prompt: str, length: int) -> str:
    """The prompt, and so many tokens that go on from it or from a line break, always by the same draws."""
    settings = SamplingSettings(temperature=0.8)
    return prompt + "".join(token.text for token in generate(checkpoint, prompt, settings, length, seed=1))


def tell(
    story: Story, checkpoint: Checkpoint, step: int, held_out: str, heads: Mapping[str, Any] | None = None
) -> Story:
    """The story with the frame of this step.

    Args:
        story: so far.
        checkpoint: the model then.
        step: updates made.
        held_out: the text on which its heads are measured.
        heads: what they do, where that is known already.
    """
    heads = describe(checkpoint, held_out[:MEASURED_ON], windows=WINDOWS) if heads is None else heads
    return story.add(make_frame(checkpoint, story, step, heads))
