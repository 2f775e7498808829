"""``python app.py`` as a person starts it: the way up, and each way it can fail in one line."""

import importlib.metadata
import importlib.util
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent.parent
START_SECONDS = 60


def run(*arguments, cwd=HERE, **environment):
    return subprocess.Popen(
        [sys.executable, str(HERE / "app.py"), *map(str, arguments)],
        cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def fails(process):
    """The one line that a start that failed has to say."""
    out, err = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1, err
    return err


@pytest.fixture
def busy_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_it_starts_from_any_folder_and_answers(checkpoints, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = run(
        "--checkpoints", checkpoints, cwd=tmp_path, GRADIO_SERVER_PORT=str(port), GRADIO_TEMP_DIR=str(tmp_path)
    )
    try:
        assert process.stdout.readline() == f"The page is at http://127.0.0.1:{port}/\n"
        answer = httpx.get(f"http://127.0.0.1:{port}/")
        assert "GPT, letter by letter" in answer.text
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_port_in_use_is_one_line(checkpoints, busy_port):
    assert str(busy_port) in fails(run("--checkpoints", checkpoints, "--port", busy_port))


def test_a_folder_without_models_is_one_line_that_says_how_to_make_one(tmp_path):
    said = fails(run("--checkpoints", tmp_path / "none"))
    assert "none: no model there" in said
    assert "python -m train pretrain" in said


def test_the_model_to_open_with_can_be_a_folder_anywhere(checkpoints, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = run(
        "--checkpoints", tmp_path / "none", "--model", checkpoints / "gpt2-tiny", GRADIO_SERVER_PORT=str(port),
        GRADIO_TEMP_DIR=str(tmp_path),
    )  # fmt: skip
    try:
        assert process.stdout.readline() == f"The page is at http://127.0.0.1:{port}/\n"
        rows = httpx.post(f"http://127.0.0.1:{port}/letter/models/list", json={}).json()["rows"]
        assert [(row["name"], row["says"]) for row in rows] == [("gpt2-tiny", "named at the start, GPT-2’s recipe")]
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("source", ["./nothing", "hf:../x", "a b"])
def test_a_model_to_open_with_that_is_not_there_is_one_line(checkpoints, source):
    fails(run("--checkpoints", checkpoints, "--model", source))


def test_a_host_variable_that_means_nothing_is_one_line_that_names_it(checkpoints):
    assert "GPT_QUEUE: 'long'" in fails(run("--checkpoints", checkpoints, GPT_QUEUE="long"))


def test_a_damaged_model_is_one_line_that_names_file_and_field(tmp_path, checkpoints):
    folder = tmp_path / "shakespeare"
    folder.mkdir()
    (folder / "config.json").write_text('{"format_version": 1, "library_name": "gpt-letter-by-letter", "n_layer": -1}')
    assert "config.json" in fails(run("--checkpoints", tmp_path))


def test_the_folder_can_be_named_by_the_environment(tmp_path):
    assert str(tmp_path) in fails(run(GPT_CHECKPOINTS=str(tmp_path)))


def test_a_wrong_flag_is_a_usage_message():
    out, err = run("--prot", "1").communicate(timeout=START_SECONDS)
    assert "usage:" in err
    assert "Traceback" not in out + err


def test_mcp_without_its_package_is_one_line_that_says_what_to_install(checkpoints, tmp_path):
    environment = {}
    if importlib.util.find_spec("mcp"):  # it is installed here: hidden from this start
        (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n")
        environment["PYTHONPATH"] = str(tmp_path)
    said = fails(run("--mcp", "--checkpoints", checkpoints, **environment))
    assert f"pip install 'gradio[mcp]=={importlib.metadata.version('gradio')}'" in said


@pytest.mark.slow
def test_it_answers_within_twelve_seconds(tmp_path):
    began = time.monotonic()
    process = run(GRADIO_TEMP_DIR=str(tmp_path))
    try:
        url = process.stdout.readline().split()[-1]
        httpx.get(url).raise_for_status()
        assert time.monotonic() - began < 12
    finally:
        process.terminate()
        process.communicate(timeout=20)
