"""The folder of a Space: exactly what it needs, and it starts and answers without anything else of this project."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from huggingface_hub import RepoCard

import gpt
from tests.conftest import load_as_the_page
from ui import lent, spaces
from ui.registry import Registry
from ui.space import PYTHON, Hardware, _imported_of_train, pack
from ui.writing import Order, write

WAKES_IN = 15
"""Seconds from the start to the first answer, with everything installed."""
PATIENCE = 90
SPACE = {"SPACE_ID": "me/page", "HF_HUB_OFFLINE": "1"}
ORDER = Order(gpt.SamplingSettings(temperature=0.8), 30, 1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Hardware, Path]:
    made: dict[Hardware, Path] = {hardware: tmp_path_factory.mktemp(hardware) / "space" for hardware in spaces.HARDWARE}
    for hardware, folder in made.items():
        pack(folder, hardware)
    return made


@contextlib.contextmanager
def started(folder: Path, python: str, more: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """The page of a Space's folder, with nothing else to import: its address, and how many seconds it took to answer.

    The first start after an installation compiles and reads everything once; a Space has done so in its build.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GRADIO_SERVER_NAME")}
    environment |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder.parent / "gradio"), **more}
    with open(folder.parent / "log.txt", "w+") as log:
        began = time.monotonic()
        process = subprocess.Popen([python, "app.py"], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/"
            while True:
                assert process.poll() is None, (folder.parent / "log.txt").read_text()
                assert time.monotonic() - began < PATIENCE
                with contextlib.suppress(httpx.TransportError):
                    if "GPT, letter by letter" in httpx.get(url, timeout=PATIENCE).text:
                        break
                time.sleep(0.1)
            yield url, time.monotonic() - began
        finally:
            process.terminate()
            process.wait(timeout=20)


def says(url: str) -> str:
    """What the page's first model writes."""
    return str(Client(url, verbose=False).predict("ROMEO:", max_new_tokens=30, api_name="/generate"))


def expected(folder: Path) -> str:
    checkpoint = load_as_the_page(folder / "checkpoints" / "shakespeare")
    *_, last = write(checkpoint, "ROMEO:", ORDER)
    return last.text


def test_it_holds_the_page_and_nothing_that_only_we_need(folders: dict[Hardware, Path]) -> None:
    names = {p.relative_to(folders["zero"]).as_posix() for p in folders["zero"].rglob("*") if p.is_file()}
    assert {name.split("/")[0] for name in names} == {
        "app.py", "gpt", "train", "ui", "checkpoints", "LICENSE", "README.md", "requirements.txt"
    }  # fmt: skip
    assert {n for n in names if n.startswith("checkpoints/")} >= {
        f"checkpoints/{model}/{name}"
        for model in ("shakespeare", "gpt2-tiny")
        for name in ("config.json", "model.safetensors", "tokenizer.json", "README.md", "heads.json")
    }
    assert {"ui/assets/attention.js", "ui/assets/common.css", "gpt/sample.txt", "train/data.py"} <= names
    assert {"train/jobs.py", "train/worker.py", "train/loop.py"} <= names  # what trains is started as a process
    assert not {"train/__main__.py", "train/launch.py", "train/terminal.py"} & names
    assert not [n for n in names if re.search(r"__pycache__|\.pyi$|\.pyc$|resume/|/my-|test", n)]


def test_of_train_it_takes_what_the_page_imports_and_the_process_that_the_page_starts(tmp_path: Path) -> None:
    for name, source in {
        "app.py": "import ui.page",
        "ui/page.py": "def f():\n    from train import data",
        "train/__init__.py": "",
        "train/data.py": "import os",
        "train/jobs.py": "",
        "train/worker.py": "def f():\n    from .loop import run\n    from . import optim",
        "train/__main__.py": "from . import unused",
        "train/loop.py": "from .data import load\nimport train.state as s",
        "train/optim.py": "", "train/state.py": "", "train/unused.py": "",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    assert _imported_of_train(tmp_path) == ["train/__init__.py", "train/data.py"]
    (tmp_path / "ui/training.py").write_text("from train.jobs import start")
    names = ["__init__", "data", "jobs", "loop", "optim", "state", "worker"]
    assert _imported_of_train(tmp_path) == [f"train/{name}.py" for name in names]


@pytest.mark.parametrize(("hardware", "flavor"), [("zero", "zero-a10g"), ("cpu", "cpu-basic")])
def test_its_readme_says_what_the_hub_reads(folders: dict[Hardware, Path], hardware: Hardware, flavor: str) -> None:
    card = RepoCard((folders[hardware] / "README.md").read_text(encoding="utf-8")).data.to_dict()
    known = {
        "sdk": "gradio", "sdk_version": importlib.metadata.version("gradio"), "python_version": "3.12",
        "app_file": "app.py", "header": "mini", "hf_oauth": True, "hf_oauth_scopes": ["contribute-repos"],
        "suggested_hardware": flavor, "license": "mit", "datasets": ["karpathy/tiny_shakespeare"],
    }  # fmt: skip
    assert card.items() >= known.items()
    assert len(card["short_description"]) <= 60


def test_its_requirements_are_those_of_the_hardware(folders: dict[Hardware, Path]) -> None:
    zero, cpu = ((folders[hardware] / "requirements.txt").read_text().splitlines() for hardware in ("zero", "cpu"))
    ours = Path(__file__).parents[2].joinpath("requirements.txt").read_text().splitlines()
    shared = [pin for pin in ours if not pin.startswith(("torch", "gradio"))]
    assert sorted(zero) == sorted([*shared, "torch>=2.9,<2.12", "spaces"])
    assert sorted(cpu[1:]) == sorted([*shared, next(pin for pin in ours if pin.startswith("torch"))])
    assert cpu[0] == "--extra-index-url https://download.pytorch.org/whl/cpu"


def test_the_folder_alone_starts_and_writes(folders: dict[Hardware, Path]) -> None:
    with started(folders["cpu"], sys.executable, SPACE) as (url, _):
        assert says(url) == expected(folders["cpu"])


def _python_of_the_space() -> str:
    """The Python that a Space's README names, where it is installed; else this one."""
    found = shutil.which(f"python{PYTHON}")
    runs = found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0
    named = bool(os.environ.get("SPACE_TORCH"))  # a build that may be there for this Python alone
    return found if found and runs and not named else sys.executable


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory, folders: dict[Hardware, Path]) -> Iterator[str]:
    """A new virtual environment with what the Space of ZeroGPU asks for, and what the Hub adds: gradio.

    Torch below 2.12 is there built for CUDA alone, 5 GB with all it needs: only so does the spaces package take it for
    ZeroGPU. Another torch, such as 2.13.0+cpu, can be named in SPACE_TORCH.
    """
    asked = (folders["zero"] / "requirements.txt").read_text()
    if os.environ.get("SPACE_TORCH"):
        asked = asked.replace("torch>=2.9,<2.12", f"torch=={os.environ['SPACE_TORCH']}")
    made = tmp_path_factory.mktemp("fresh")
    base = _python_of_the_space()
    (made / "requirements.txt").write_text(f"{asked}gradio[oauth]=={importlib.metadata.version('gradio')}\n")
    subprocess.run([base, "-m", "venv", made / "venv"], check=True)
    python = str(made / "venv" / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "--no-cache-dir", "-r", str(made / "requirements.txt")]
    subprocess.run(install, check=True, timeout=1500)
    yield python
    shutil.rmtree(made / "venv")


@pytest.mark.slow
def test_in_a_fresh_environment_it_wakes_and_writes(fresh_python: str, folders: dict[Hardware, Path]) -> None:
    with started(folders["zero"], fresh_python, SPACE) as (url, _):
        assert says(url) == expected(folders["zero"])
    with started(folders["zero"], fresh_python, SPACE) as (_, seconds):
        assert seconds < WAKES_IN


class _Lender(BaseHTTPRequestHandler):
    """What the spaces package tells when it starts on ZeroGPU."""

    paths: list[str]

    def do_POST(self) -> None:
        self.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_on_zerogpu_its_start_finds_the_decorated_function_and_small_models_need_no_gpu(
    fresh_python: str, folders: dict[Hardware, Path]
) -> None:
    if os.environ.get("SPACE_TORCH", "").endswith("+cpu"):
        pytest.skip("the spaces package needs a torch that is built for CUDA")
    paths: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Lender", (_Lender,), {"paths": paths}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lender = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": f"http://127.0.0.1:{server.server_port}"}
    try:
        with started(folders["zero"], fresh_python, SPACE | lender) as (url, _):
            assert paths == ["/startup-report"]  # sent only where a function is decorated
            assert says(url) == expected(folders["zero"])
            bound = [d for d in httpx.get(url + "config").json()["dependencies"] if d["api_name"] == "write_on_the_gpu"]
            assert len(bound) == 1
        assert paths == ["/startup-report"]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("variables", "hardware", "sign_in", "train"),
    [
        ({}, None, False, True),
        ({"GPT_TRAIN": "0"}, None, False, False),
        ({"OAUTH_CLIENT_ID": "x"}, None, False, True),
        ({"SPACE_ID": "me/page"}, "cpu", False, False),
        ({"SPACE_ID": "me/page", "OAUTH_CLIENT_ID": "x"}, "cpu", True, False),
        ({"SPACE_ID": "me/page", "SPACES_ZERO_GPU": "true"}, "zero", False, False),
        ({"SPACE_ID": "me/page", "GPT_TRAIN": "1"}, "cpu", False, True),
        ({"SPACES_ZERO_GPU": "true"}, None, False, True),
    ],
)
def test_the_page_knows_where_it_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], hardware: str | None, sign_in: bool, train: bool
) -> None:
    for name in ("SPACE_ID", "SPACES_ZERO_GPU", "OAUTH_CLIENT_ID", "GPT_TRAIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert spaces.on_a_space() == ("SPACE_ID" in variables)
    assert (spaces.hardware(), spaces.may_sign_in(), spaces.may_train()) == (hardware, sign_in, train)


@pytest.mark.parametrize(("least", "is_lent"), [(1000, True), (10**8, False)])
def test_on_zerogpu_large_models_write_by_the_lent_function_and_small_ones_do_not(
    monkeypatch: pytest.MonkeyPatch, checkpoints: Path, least: int, is_lent: bool
) -> None:
    calls: list[str] = []
    monkeypatch.setenv("SPACE_ID", "me/page")
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(lent, "MIN_LENT_PARAMETERS", least)
    registry = Registry(checkpoints)
    function = lent._on_the_gpu(registry)  # the spaces package is not installed here: it is not wrapped

    def counted(_: Registry) -> object:
        return lambda *arguments: (calls.append(str(arguments[0])), function(*arguments))[1]

    monkeypatch.setattr(lent, "_on_the_gpu", counted)
    *_, written = lent.write(registry, "gpt2-tiny", "ROMEO:", ORDER)
    *_, direct = write(registry.get("gpt2-tiny"), "ROMEO:", ORDER)
    assert (written.text, written.notes, written.status) == (direct.text, direct.notes, "done")
    assert calls == (["gpt2-tiny"] if is_lent else [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("../etc", "a", {"length": 5, "seed": 1}, ""), "There is no model '../etc'"),
        (("gpt2-tiny", "a", {"length": 5, "seed": 1}, ""), "gpt2-tiny is small"),
        (("gpt2-tiny", "a", {"length": 10**9, "seed": 1}, ""), "max_new_tokens: 1000000000"),
        (("gpt2-tiny", "a", "settings", ""), "max_new_tokens: 0"),
        (("gpt2-tiny", ["a"], {"length": 5, "seed": 1}, ""), "prompt: must be a text"),
    ],
)
def test_the_lent_function_checks_what_anyone_may_send_it(
    monkeypatch: pytest.MonkeyPatch, checkpoints: Path, arguments: tuple[object, ...], message: str
) -> None:
    monkeypatch.setenv("SPACE_ID", "me/page")
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    with pytest.raises(Exception, match=re.escape(message)):
        list(lent._on_the_gpu(Registry(checkpoints))(*arguments))  # type: ignore[arg-type]
