"""What several rooms' tests share: small models made on the spot, and a page that really runs."""

import contextlib
import os
import shutil

import hypothesis
import pytest
import torch

import gpt
from gpt import GPT, GPTConfig
from gpt.checkpoint import save, to_json
from gpt.decoder import decode_in_float32
from gpt.tokenizer import CharTokenizer

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no bug
hypothesis.settings.load_profile("patient")

ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TRAINING = {
    "config": {}, "corpus": {"name": "nothing", "sha256": "0" * 64}, "steps": 1, "tokens": 1, "seconds": 1.0,
    "split": {"train_characters": 9, "held_out_characters": 1, "evaluate_on": "validation"}, "command": "",
    "finished": True, "final": {"train_loss": 4.0, "val_loss": 4.1234}, "torch": "", "hardware": "a test",
}  # fmt: skip


def make_checkpoint(folder, config=None, seed=0, more=None):
    """A checkpoint of random weights, large enough that what it writes depends on what it reads."""
    torch.manual_seed(seed)
    model = GPT(config or GPTConfig(n_layer=2, n_head=2, n_embd=64, block_size=64))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    save(
        folder,
        model.config,
        model.state_dict(),
        CharTokenizer(ALPHABET),
        more=more or {"training.json": to_json(TRAINING)},
    )
    return folder


def load_as_the_page(folder):
    """A checkpoint as the page has it: on the int8 grid, decoded in float32 (ui/registry.py)."""
    checkpoint = gpt.load(folder, weights="int8")
    decode_in_float32(checkpoint.model)
    return checkpoint


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """A folder of two models, as the page takes it: "shakespeare", slow enough to be stopped, and "gpt2-tiny"."""
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder / "shakespeare", GPTConfig(n_layer=6, n_head=4, n_embd=256, block_size=256))
    make_checkpoint(folder / "gpt2-tiny", GPTConfig.gpt2(len(ALPHABET), 64, n_layer=2, n_head=2, n_embd=64), seed=1)
    return folder


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """``with serve(folder, **options) as url``: the page over a folder of models, on a free port of this machine."""
    from ui import page
    from ui.registry import Registry

    @contextlib.contextmanager
    def serving(folder, **options):
        registry = Registry(folder)
        built = page.build(registry)
        everything = {**page.launch_options(registry), "server_name": "127.0.0.1", **options}
        _, url, _ = built.launch(prevent_thread_lock=True, **everything)
        try:
            yield url
        finally:
            built.close(verbose=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield serving


PLAY = "ROMEO:\nWhat news of the king, my lord?\n\nJULIET:\nNone, Romeo, none. No news of the king.\n\n"


@pytest.fixture(scope="session")
def learners(tmp_path_factory):
    """A folder of two models: "shakespeare", trained for 30 steps with its story, and "untold", which has none."""
    from train.config import TrainConfig
    from train.data import Corpus
    from train.loop import run
    from train.state import Job

    folder = tmp_path_factory.mktemp("learners")
    corpus = Corpus("a play", PLAY * 60 + ALPHABET, "0" * 64)
    tokenizer = CharTokenizer(corpus.alphabet)
    model = GPTConfig(vocab_size=tokenizer.vocab_size, block_size=64, n_layer=2, n_head=2, n_embd=32)
    config = TrainConfig(model, steps=30, batch_size=8, eval_every=10, eval_windows=4, save_every=30, lr=0.03)
    list(run(Job(config, corpus, tokenizer, folder / "shakespeare")))
    make_checkpoint(folder / "untold", seed=1)
    return folder


@pytest.fixture(scope="session")
def page_url(checkpoints, serve):
    with serve(checkpoints) as url:
        yield url


@pytest.fixture(scope="session")
def need():
    """``need(program)``: its path. A missing one is a skip here and a failure in CI."""

    def path(program):
        found = shutil.which(program)
        if found is None:
            message = f"{program} is not installed"
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        return found

    return path
