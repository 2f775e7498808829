"""The command finetune: a checkpoint trained on for a task, its gain measured, and what it forgets."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

import gpt
from gpt import Checkpoint, GPTConfig
from gpt.adapter import is_portable
from gpt.checkpoint import ADAPTER, TRAINING, locate
from gpt.sources import find
from gpt.tokenizer import CharTokenizer

from .config import TrainConfig
from .data import CorpusError, load_corpus
from .distributed import launcher
from .following import Options, follow, require_new
from .gains import Gain, old_text
from .growing import grown
from .large import LargeCorpus
from .launch import without
from .memory import require_memory
from .reading import Text
from .record import OUTCOME
from .state import Job
from .tasks import dialogue, sonnets, voice
from .usage import UsageError, arguments_checked
from .vocabulary import CHAR, KEPT


@dataclasses.dataclass(frozen=True)
class FinetuneConfig(TrainConfig):
    """How to fine-tune. Shape and tokenizer are those of the checkpoint."""

    model: tyro.conf.Suppress[GPTConfig] = GPTConfig()
    tokenizer: tyro.conf.Suppress[str] = "char"
    init: str = "checkpoints/shakespeare"
    """What to begin with: a checkpoint folder; owner/name or hf:owner/name@revision of the Hugging Face Hub; or a GPT-2
    of the transformers library, such as openai-community/gpt2, which is imported once and kept."""
    steps: int = 200
    """Length of the training, in updates of the weights; it ends sooner where nothing is gained any more."""
    batch_size: int = 16
    """Windows of block_size tokens in an update."""
    story: bool = False
    """Keep the story of the training, for the page's Training tab (story.bin, some megabytes)."""
    repeats: tyro.conf.Suppress[float] = 0.0
    repeats_until: tyro.conf.Suppress[float] = 0.0
    matrix_lr: float = 2e-3
    """Peak learning rate of the blocks' matrices, or of their adapters (Muon): a step moves a weight by about a fifth
    of it. 0 gives them to AdamW as well."""
    lr: float = 6e-4
    """Peak learning rate of everything else (AdamW), about the largest change of a weight in a step."""
    warmup: float = 0.05
    """Share of the run, at its beginning, in which the learning rate rises from 0; 0 to 1."""
    ema: float = 0.9
    """Averaged weights: share of the average that stays at each step, 0 to below 1; 0 keeps none. The average is what
    is evaluated and saved."""
    eval_every: int = 10
    """Steps between evaluations."""
    eval_windows: int = 64
    """Windows of each part that an evaluation looks at, spread evenly; the last one looks at all that are held out."""
    evaluate_on: tyro.conf.Suppress[Literal["validation", "selection"]] = "selection"
    patience: int = 5
    """Evaluations without a new best, on a tenth of what may be trained on that is kept apart, after which the training
    ends; the best weights are kept, those it begins with included. 0 makes all steps and keeps the last."""

    def plain(self, model: GPTConfig, tokenizer: str) -> TrainConfig:
        """The same, of this model."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(TrainConfig)}
        return TrainConfig(**(fields | {"model": model, "tokenizer": tokenizer}))


DEFAULTS: dict[str, FinetuneConfig] = {
    "text": FinetuneConfig(),
    "voice": FinetuneConfig(steps=60, matrix_lr=5e-4, lr=1.5e-4, eval_every=5),
    "dialogue": FinetuneConfig(steps=60, matrix_lr=5e-4, lr=1.5e-4, eval_every=5),
    "sonnet": FinetuneConfig(steps=300, token_noise=0.0),
}
"""By task: what the options are that are not given. One speaker's lines are soon known by heart; and where the letters
of a rhyme scheme are to be learnt, none is replaced by another."""
FOR_ADAPTERS = 4
"""How many times the learning rate an adapter takes: with sonnets it gained most so, of 1 and 4 times."""


def defaults(task: str | None, adapter: bool) -> FinetuneConfig:
    """What the options are that are not given, for this task, if there is such a one."""
    config = DEFAULTS.get(task or "", DEFAULTS["text"])
    return dataclasses.replace(config, matrix_lr=config.matrix_lr * FOR_ADAPTERS) if adapter else config


@dataclasses.dataclass(frozen=True)
class Finetune(Options):
    """Train a checkpoint on for a task, all its weights or a low-rank adapter; measured before and after.

    It ends by itself when nothing is gained any more (--patience), on a tenth of the text that is kept apart for that;
    the figures are of another tenth, which decides nothing.
    """

    config: Annotated[FinetuneConfig, tyro.conf.arg(name="")] = FinetuneConfig()
    task: Literal["text", "voice", "dialogue", "sonnet"] = "text"
    """What it is to learn. text: to write like a text; its alphabet may have new characters. voice: to speak like the
    --speaker of a play. dialogue: to reply as the --speaker to what another one says. sonnet: to write fourteen lines,
    three quatrains and a couplet, when asked by SONNET: and a line break."""
    speaker: str = ""
    """For voice and dialogue: the name as it stands before the speeches, such as ROMEO."""
    corpus: Path | None = None
    """A text file (UTF-8) to learn from: plays for voice and dialogue, by default tiny Shakespeare; sonnets, between
    empty lines."""
    lora: int | None = None
    """Train no more than a low-rank adapter of this rank beside the blocks' matrices, 1 to the width: a small folder,
    loaded together with its base. The alphabet stays: other characters are replaced or left out."""
    old_corpus: Path | None = None
    """The text that the checkpoint was pre-trained on, to measure on its last 10 % what is forgotten; by default tiny
    Shakespeare, where it was that and is on this machine."""
    poems: int = 20
    """Sonnets written to be judged, before and after."""
    out: Path | None = None
    """The folder of what comes out; by default checkpoints/my-TASK."""


def command(command: Finetune, arguments: list[str]) -> None:
    """Fine-tune, show how it goes, and save; ``arguments`` are those of the command line.

    Raises:
        UsageError, CorpusError, TrainingError, CheckpointError, HubError: it cannot begin, or go on.
    """
    check(command)
    folder = command.out or Path("checkpoints") / f"my-{command.task}"
    if not (command.resume or command.overwrite):
        require_new(folder)
    base = load_base(command)
    base, corpus = matched(base, corpus_of(command), grow=command.lora is None)
    kind, unit = tokenizer_of(base)
    with arguments_checked():
        config = command.config.plain(base.model.config, kind)
    require_memory(config)
    print(f"{command.config.init}, {base.model.config.num_parameters:,} parameters, learns {corpus.name}", flush=True)
    gain = Gain(command.task, base, corpus, old_text(base, command.old_corpus), command.poems)
    print(f"before: {gain.told(gain.before)}", flush=True)
    task = {
        "name": command.task, "speaker": command.speaker, "base": base.id, "lora": command.lora or 0,
        "measured_on": gain.measured_on,
    }  # fmt: skip
    job = Job(
        config=config,
        corpus=corpus,
        tokenizer=base.tokenizer,
        folder=folder,
        minutes=command.minutes,
        resume=command.resume,
        command=shlex.join([*launcher(), *without(arguments, {"resume": 0})]),
        base=base,
        low_rank=command.lora or 0,
        task=task,
        report=gain.report,
    )
    follow(job, command, unit)
    outcome = json.loads(locate(folder, TRAINING).read_text(encoding="utf-8"))["task"].get(OUTCOME)
    if outcome:  # it was not stopped before its end
        print(f"after:  {gain.told(outcome['after'])}; the weights are those of step {outcome['best_step']:,}")


def check(command: Finetune) -> None:
    """Raises UsageError, TrainingError, HubError: nothing can begin with these options."""
    command.check()
    if launcher()[0] == "torchrun":
        raise UsageError("finetune: is for one process; start it without torchrun")
    if (command.task in ("voice", "dialogue")) != bool(command.speaker):
        advice = "leave it out" if command.speaker else "name one, such as --speaker ROMEO"
        raise UsageError(f"speaker: the tasks voice and dialogue are of a speaker, and no other is; {advice}")
    if command.task in ("text", "sonnet") and command.corpus is None:
        raise UsageError(f"corpus: the task {command.task} needs a text file; name one with --corpus FILE")
    if command.poems < 1:
        raise UsageError(f"poems: {command.poems} is not at least 1")


def load_base(command: Finetune) -> Checkpoint:
    """The checkpoint to begin with, and by which name it is found again.

    Raises:
        CheckpointError, HubError: it cannot be had.
        UsageError: it cannot have such an adapter.
    """
    found = find(command.config.init, say=lambda said: print(said, file=sys.stderr, flush=True))
    base = dataclasses.replace(gpt.load(found.folder), source=found.source, revision=found.revision)
    width = base.model.config.n_embd
    if command.lora is not None:
        if not 1 <= command.lora <= width:
            raise UsageError(f"lora: {command.lora} is not from 1 to {width}, the width of {command.config.init}")
        if locate(found.folder, ADAPTER).exists():
            raise UsageError(
                f"lora: {command.config.init} is an adapter itself, and has none of its own; begin with its base, or "
                "train all weights"
            )
        if command.push_to is not None and not is_portable(base.source):
            raise UsageError(
                f"push_to: others could not find the base, {base.source}; push it first, and begin with hf:owner/name, "
                "or train all weights"
            )
    return base


def corpus_of(command: Finetune) -> Text:
    """What the task learns from.

    Raises:
        CorpusError: it cannot be had, or holds too little for the task.
    """
    corpus = load_corpus(command.corpus)
    if command.task == "text":
        return corpus
    if isinstance(corpus, LargeCorpus):
        raise CorpusError(f"{corpus.name}: is too large for the task {command.task}; give a part of it")
    if command.task == "sonnet":
        return sonnets(corpus)
    return (voice if command.task == "voice" else dialogue)(corpus, command.speaker)


def matched(base: Checkpoint, corpus: Text, grow: bool) -> tuple[Checkpoint, Text]:
    """Checkpoint and corpus with one alphabet: it grows, or what it lacks is replaced or left out.

    Raises:
        CorpusError: neither can be.
    """
    folded = base.tokenizer.fold(corpus.alphabet)
    lacking = folded.dropped + "".join(folded.replaced)
    if not lacking:
        return base, corpus
    if grow and isinstance(base.tokenizer, CharTokenizer):
        print(f"the alphabet grows by {shown(lacking)}", flush=True)
        return grown(base, corpus.alphabet), corpus
    if isinstance(corpus, LargeCorpus):
        raise CorpusError(f"{corpus.name}: has characters that the checkpoint lacks, such as {shown(lacking)}")
    print(f"the alphabet stays: replaced or left out is {shown(lacking)}", flush=True)
    return base, corpus.rewritten(lambda text: base.tokenizer.fold(text).text)


def shown(characters: str) -> str:
    """Some characters, for a message."""
    return repr(characters[:20]) + (" ..." if len(characters) > 20 else "")


def tokenizer_of(base: Checkpoint) -> tuple[str, str]:
    """What ``TrainConfig.tokenizer`` says of a checkpoint's, and what its tokens are called."""
    if isinstance(base.tokenizer, CharTokenizer):
        return CHAR, "characters"
    return KEPT, "tokens"
