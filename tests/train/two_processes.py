"""What each process does in test_distributed.py: torchrun starts it with a folder, and it leaves there what it saw."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch

from gpt import GPTConfig
from gpt.tokenizer import CharTokenizer
from train import loop
from train.config import TrainConfig
from train.data import Corpus
from train.distributed import ProcessError, Processes, joined, one_voice
from train.loop import Evaluation, Saved, Step, Told
from train.state import Job

RECIPES: dict[str, dict[str, Any]] = {
    "AdamW": {"matrix_lr": 0.0},
    "Muon": {},
    "in parts": {"matrix_lr": 0.0, "accumulate": 2},
    "dropout": {"dropout": 0.5},
    "story": {"story": True},
}


def job_of(corpus_file: Path, folder: Path, processes: Processes, **fields: Any) -> Job:
    """12 steps on the text of this file; evaluations after 4 and 8, saves after 5 and 10."""
    text = corpus_file.read_text(encoding="utf-8")
    tokenizer = CharTokenizer.from_text(text)
    config = TrainConfig(
        GPTConfig(tokenizer.vocab_size, block_size=16, n_layer=2, n_head=2, n_embd=32), steps=12, batch_size=8,
        dropout=0.0, token_noise=0.0, ema=0.8, eval_every=4, eval_windows=4, save_every=5, precision="float32",
        story=False,
    )  # fmt: skip
    corpus = Corpus("words", text, hashlib.sha256(text.encode()).hexdigest())
    return Job(dataclasses.replace(config, **fields), corpus, tokenizer, folder, processes=processes)


def train(job: Job) -> dict[str, Any]:
    """What happened: the kinds of events, losses, the weights' bits, and the generator's next number."""
    training = loop._Run(job)
    events = list(training.events())
    weights = training.state.tensors()
    return {
        "events": "".join({Step: "s", Told: "t", Evaluation: "E", Saved: "S"}[type(event)] for event in events),
        "losses": [event.loss for event in events if isinstance(event, Step)],
        "val_losses": [event.val_loss for event in events if isinstance(event, Evaluation)],
        "weights": {name: hashlib.sha256(t.numpy().tobytes()).hexdigest() for name, t in weights.items()},
        "wrote": job.folder.exists(),
        "random": torch.rand(1).item(),
    }


def talk(processes: Processes) -> dict[str, Any]:
    """What each of the methods gives on this process."""
    mine = float(processes.rank + 1)
    tensors = [torch.tensor(mine), torch.full((2, 3), 10 * mine)]
    processes.average(tensors)
    said: dict[str, Any] = {
        "share": processes.share(torch.arange(6)).tolist(),
        "average": [t.tolist() for t in tensors],
        "any": [processes.any(False), processes.any(processes.rank == 1), processes.any(True)],
        "told": processes.told({"mine": mine}),
        "copies": {
            name: t.tolist()
            for name, t in processes.copies({"a": torch.tensor([mine]), f"b{processes.rank}": torch.tensor(3)}).items()
        },
        "first": processes.first,
    }
    for name, fails in (("nobody", ()), ("the other", (1,)), ("both", (0, 1))):
        try:
            with processes.together():
                if processes.rank in fails:
                    raise KeyError(f"{processes.rank} failed")
            said[name] = ""
        except (ProcessError, KeyError) as error:
            said[name] = f"{type(error).__name__}: {error.args[0]}"
    return said


def threads() -> list[str]:
    """Of gloo's, those that carry out what the processes tell each other."""
    names = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if name.startswith("pt_gloo")]


def main(folder: Path, corpus_file: Path) -> None:
    torch.set_num_threads(1)
    with one_voice():
        with joined() as processes:
            print(f"printed by {processes.rank}", flush=True)
            said = {"talk": talk(processes), "recipes": {}, "threads": [threads()]}
            for name, fields in RECIPES.items():
                job = job_of(corpus_file, folder / f"{name} {processes.rank}", processes, **fields)
                said["recipes"][name] = train(job)
        said["threads"].append(threads())
        try:
            with joined() as processes:
                if processes.any(processes.first):
                    said["threads"].append(threads())
                if not processes.first:
                    raise KeyError("1 leaves")
                processes.any(False)
        except (ProcessError, KeyError) as error:
            said["left"] = f"{type(error).__name__}: {error.args[0]}"
            said["threads"].append(threads())
        (folder / f"{processes.rank}.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    loop.SAMPLE_LENGTH = 20
    main(Path(sys.argv[1]), Path(sys.argv[2]))
