"""The page, and the entry point of the Space: ``python app.py``, with ``--help``."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

from ui import spaces

spaces.import_first()  # before torch

import gpt  # noqa: E402
from gpt.hub import HubError  # noqa: E402
from ui import page, sources  # noqa: E402
from ui.host import HostError  # noqa: E402
from ui.registry import Registry, UnknownModelError  # noqa: E402

HERE = Path(__file__).resolve().parent
NEEDS_MCP = f"it needs one more package: pip install 'gradio[mcp]=={importlib.metadata.version('gradio')}'"


def main() -> int:
    """Open the page and keep it open; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="GPT, letter by letter: prompt a GPT trained on Shakespeare, in the browser"
    )
    parser.add_argument("--host", help="address to listen on (GRADIO_SERVER_NAME, else 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, help="port to listen on (GRADIO_SERVER_PORT, else the first free one from 7860)"
    )
    parser.add_argument(
        "--checkpoints", type=Path, default=Path(os.environ.get("GPT_CHECKPOINTS") or HERE / "checkpoints"),
        help="folder whose subfolders are the models (GPT_CHECKPOINTS, else the one beside this file)",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="SOURCE",
        help="a model to open with: a folder, owner/name or hf:owner/name@revision of the Hugging Face Hub; a GPT-2 "
        "such as openai-community/gpt2 is imported once and kept (GPT_CACHE, else the user's cache folder)",
    )  # fmt: skip
    parser.add_argument("--weights", choices=["int8", "float32"], default="int8", help="precision of the weights")
    parser.add_argument("--mcp", action="store_true", help="offer the endpoints as MCP tools too (needs gradio[mcp])")
    arguments = parser.parse_args()
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        print(f"app.py: --mcp: {NEEDS_MCP}", file=sys.stderr)
        return 2
    try:
        registry = Registry(arguments.checkpoints, arguments.weights)
        if arguments.model is not None:
            sources.start_with(registry, arguments.model, lambda said: print(said, file=sys.stderr, flush=True))
        built = page.build(registry)
        _, url, _ = built.launch(
            server_name=arguments.host,
            server_port=arguments.port,
            prevent_thread_lock=True,
            mcp_server=arguments.mcp or None,  # None leaves it to GRADIO_MCP_SERVER
            **page.launch_options(registry),
        )
    except UnknownModelError:
        print(
            f"app.py: {arguments.checkpoints}: no model there; train one with `python -m train pretrain`",
            file=sys.stderr,
        )
        return 2
    except (gpt.CheckpointError, HubError, HostError, OSError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    if arguments.mcp and not built.mcp_server:
        print(f"app.py: --mcp: {' '.join(str(built.mcp_error).split())}; {NEEDS_MCP}", file=sys.stderr)
        return 2
    print(f"The page is at {url}", flush=True)
    built.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
