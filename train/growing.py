"""A checkpoint made to read a text whose characters it does not all know."""

from __future__ import annotations

import dataclasses

import torch

from gpt import GPT, Checkpoint
from gpt.tokenizer import CharTokenizer

from .data import CorpusError
from .vocabulary import MOST_CHARACTERS


def grown(checkpoint: Checkpoint, alphabet: str) -> Checkpoint:
    """The same model with the characters that it lacks added after its own: those keep their ids and weights.

    A new character begins as the mean of the others, in the embedding and in the head: as probable as a middling one,
    until it has been met. Subwords stay as they are.

    Args:
        checkpoint: left as it is.
        alphabet: the characters of a text.

    Returns:
        The checkpoint itself if it lacks none; else one whose id is still that of the old.

    Raises:
        CorpusError: there would be too many.
    """
    tokenizer, model = checkpoint.tokenizer, checkpoint.model
    if not isinstance(tokenizer, CharTokenizer):
        return checkpoint
    new = "".join(sorted(set(alphabet) - set(tokenizer.characters)))
    if not new:
        return checkpoint
    if tokenizer.vocab_size + len(new) > MOST_CHARACTERS:
        raise CorpusError(
            f"the text has {len(new):,} characters that the checkpoint lacks; with them there would be more than "
            f"{MOST_CHARACTERS:,}"
        )
    config = dataclasses.replace(model.config, vocab_size=tokenizer.vocab_size + len(new))
    weights = {name: p.detach() for name, p in model.named_parameters()}
    for name in ("token_embedding.weight", "head.weight"):
        if name in weights:  # a tied head is the embedding
            rows = weights[name].mean(dim=0, keepdim=True).expand(len(new), -1)
            weights[name] = torch.cat([weights[name], rows])  # (V, C)
    return dataclasses.replace(
        checkpoint,
        model=GPT.from_state(config, weights).eval().requires_grad_(False),
        tokenizer=CharTokenizer(tokenizer.characters + new),
    )
