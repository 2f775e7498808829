"""Where a training computes, and in how many bits."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def this_device() -> torch.device:
    """The GPU of this process, where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def in_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether matrix products are done in 16 bits; "auto" means where the machine multiplies them.

    A processor that does not has to imitate it: with AVX2 alone a training took thirty times as long.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Inside, matrix products are done as :func:`in_bfloat16` says."""
    return torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16(precision, device))
