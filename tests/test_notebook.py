"""The notebook runs from top to bottom, and what is committed with it comes from a full run of what it says.

Where a test says that the outputs are old, run it anew; ten minutes:

    pip install jupyter
    jupyter nbconvert --to notebook --execute --inplace notebooks/gpt_from_scratch.ipynb \\
        --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.coalesce_streams=True
"""

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HERE = Path(__file__).parent
NOTEBOOK = HERE.parent / "notebooks" / "gpt_from_scratch.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
PROSE = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
MACHINE = re.compile(r"""(?<![\w./])(/(?!/)[\w.-]+/[\w./-]+|[A-Za-z]:\\\w|~/)""")
"""A path from the root of somebody's machine."""


def output(cell, kind):
    """All that a cell shows of one media type, as one string."""
    data = [shown.get("data", {}).get(kind, "") for shown in cell["outputs"]]
    return "".join("".join(part) for part in data)


def printed(cell):
    return "".join("".join(shown["text"]) for shown in cell["outputs"] if shown["output_type"] == "stream")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What each code cell prints and shows, of a run with few steps."""
    out = tmp_path_factory.mktemp("notebook") / "outputs.json"
    # One thread: two that wait for each other take minutes where something else is running.
    environment = {**os.environ, "NOTEBOOK_SHORT": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, HERE / "run_notebook.py", NOTEBOOK, out],
        cwd=NOTEBOOK.parent, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text(encoding="utf-8"))


def test_it_runs_from_top_to_bottom_and_shows_pictures_where_it_is_committed_with_them(run):
    assert len(run) == len(CODE)
    for (_, media), cell in zip(run, CODE, strict=True):
        assert ("image/png" in media) == bool(output(cell, "image/png")), cell["source"]


def test_the_committed_outputs_are_those_of_its_code(run):
    first_training = next(i for i, cell in enumerate(CODE) if "train(classic" in "".join(cell["source"]))
    assert first_training > 10
    for (text, _), cell in zip(run[1:first_training], CODE[1:first_training], strict=True):  # the first says which run
        assert printed(cell) == text, f"the outputs are old: {''.join(cell['source'])}"
    assert [bool(text) for text, _ in run] == [bool(printed(cell)) for cell in CODE]


def test_the_shipped_weights_give_the_packages_logits_in_its_classes(run):
    lines = [line for text, _ in run for line in text.splitlines() if "logits differ by at most" in line]
    assert [line.split()[0] for line in lines] == ["gpt2-tiny", "shakespeare"]
    assert all(float(line.split()[-1]) <= 1e-4 for line in lines)


def test_the_committed_outputs_are_of_one_full_run():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    assert printed(CODE[0]).startswith("A full run.\n")
    shown = [shown for cell in CODE for shown in cell["outputs"]]
    assert {part["output_type"] for part in shown} == {"stream", "execute_result"}  # no error
    assert {part["name"] for part in shown if part["output_type"] == "stream"} == {"stdout"}  # and no warning


def test_its_pictures_can_be_seen_and_are_described():
    pictures = [cell for cell in CODE if output(cell, "image/png")]
    assert len(pictures) >= 8
    for cell in pictures:
        Image.open(io.BytesIO(base64.b64decode(output(cell, "image/png")))).verify()
        assert len(output(cell, "text/plain")) > len("Picture: ") + 10
    assert NOTEBOOK.stat().st_size < 300_000


def test_it_says_nothing_of_the_machine_that_ran_it():
    for cell in CELLS:
        assert cell["metadata"] == {}  # no clock
        texts = ["".join(cell["source"])]
        if cell in CODE:
            texts += [printed(cell), output(cell, "text/plain")]
        assert not [found for text in texts for found in MACHINE.findall(text)]


def test_a_path_of_a_machine_would_be_found():
    for text in ("File /home/ann/x.py", "in '/tmp/a/b.txt'", r"C:\Users\ann", "~/notes"):
        assert MACHINE.search(text)
    for text in ("../checkpoints/shakespeare", "(B, T) / (T, T)", "S looks at 1/V", "q @ k.T // 2", "http://x.org/a/b"):
        assert not MACHINE.search(text)


def test_its_links_lead_to_files():
    links = re.findall(r"\]\(([^)]+)\)", PROSE)
    assert "../README.md" in links
    assert "python app.py" in PROSE
    for link in links:
        assert (NOTEBOOK.parent / link).exists(), link
