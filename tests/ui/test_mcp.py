"""The endpoints as MCP tools: ``app.py --mcp`` as a person starts it, and a real client.

gradio[mcp] wants older versions of some packages than the page takes, so it may live in a Python of its own, which the
environment variable GPT_MCP_PYTHON names; server and client run in that.
"""

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import gpt
from tests.conftest import load_as_the_page

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


@pytest.fixture(scope="module")
def python():
    """A Python that has gradio[mcp] and what the page needs."""
    found = os.environ.get("GPT_MCP_PYTHON") or sys.executable
    if subprocess.run([found, "-c", "import mcp, gradio, torch"], capture_output=True).returncode:
        message = "GPT_MCP_PYTHON names no Python with the page's requirements and gradio[mcp]"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def server(python, checkpoints, tmp_path_factory):
    """Where the tools are."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")), "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen(
        [python, str(ROOT / "app.py"), "--mcp", "--port", str(port), "--checkpoints", str(checkpoints)],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert any("The page is at" in line for line in process.stdout)
        yield f"http://127.0.0.1:{port}/gradio_api/mcp/"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def ask(python, server):
    """``ask([tool, arguments], ...)``: the tools that there are, and the answers."""

    def ask(*calls):
        done = subprocess.run(
            [python, str(Path(__file__).with_name("mcp_client.py")), server], input=json.dumps(calls),
            capture_output=True, text=True, timeout=120, env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        return said["tools"], said["answers"]

    return ask


@pytest.fixture(scope="module")
def checkpoint(checkpoints):
    return load_as_the_page(checkpoints / "shakespeare")


def test_every_endpoint_is_a_tool_that_explains_itself_and_its_arguments(ask):
    tools, _ = ask()
    assert {tool["name"] for tool in tools} == {"generate", "models", "trace", "next", "score"}
    for tool in tools:
        assert len(tool["description"]) > 40
        for name, about in tool["inputSchema"]["properties"].items():
            assert about.get("description"), f"{tool['name']}: {name}"
    required = {tool["name"]: tool["inputSchema"].get("required", []) for tool in tools}
    assert required == {"generate": ["prompt"], "models": [], "trace": ["text"], "next": ["text"], "score": ["text"]}


def test_the_tools_answer_what_the_library_answers(ask, checkpoint):
    _, answers = ask(
        ["generate", {"prompt": "ROMEO:", "max_new_tokens": 60, "seed": 7}],
        ["next", {"text": "ROMEO:", "temperature": 0.5, "top_k": 3}],
        ["score", {"text": "But soft"}],
        ["models", {}],
    )
    assert not any(answer["error"] for answer in answers)
    written, said, scored, models = (answer["texts"][0] for answer in answers)
    tokens = gpt.generate(checkpoint, "ROMEO:", gpt.SamplingSettings(temperature=0.8), 60, 7)
    assert written == "".join(token.text for token in tokens)
    found = gpt.next_distribution(checkpoint, "ROMEO:", gpt.SamplingSettings(0.5, top_k=3))
    after = {token["id"]: token["after"] for token in ast.literal_eval(said)["next"]}
    assert [after[id] for id in range(65)] == pytest.approx(found.after, abs=1e-6)
    assert ast.literal_eval(scored)["bits"] == pytest.approx(gpt.score(checkpoint, "But soft").bits, abs=1e-3)
    assert [row["name"] for row in ast.literal_eval(models)] == ["shakespeare", "gpt2-tiny"]


def test_what_is_wrong_is_one_sentence(ask):
    _, answers = ask(["next", {"text": "a", "temperature": -1}], ["score", {"text": "a", "model": "../app.py"}])
    assert all(answer["error"] for answer in answers)
    assert "temperature: -1 is not a number from 0 to 100" in answers[0]["texts"][0]
    assert "no model" in answers[1]["texts"][0]
    assert not any("Traceback" in answer["texts"][0] for answer in answers)
