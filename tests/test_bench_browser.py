"""The bench of the model in the page runs, and prints what it promises beside the server and the peer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.__main__ import main


@pytest.mark.slow
def test_it_prints_the_page_beside_the_server_and_the_peer(
    capsys: pytest.CaptureFixture[str], need: Callable[[str], str]
) -> None:
    need("chromium")
    assert main(["browser", "--characters", "40", "--runs", "1", "--checkpoint", "checkpoints/gpt2-tiny"]) == 0
    printed = capsys.readouterr().out
    for line in (
        "server, int8, characters/s", "server, float32, characters/s",
        "page, int8: a file of 0.9 MB", "  characters/s ",
        "  trace of 256, answered", "  trace of 256, painted", "  effects of all heads", "  memory of the tab",
        "page, float32, characters/s", "page, int8, plain JavaScript", "slowed 4 times, no worker, wasm",
        "slowed 4 times, no worker, plain",
        "one file of", "  to the first character",
        "Transformer Explainer, GPT-2 of 124M in the browser: about 600 MB",
    ):  # fmt: skip
        assert line in printed
