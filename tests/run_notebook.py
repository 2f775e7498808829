"""Runs the code cells of a notebook in order, in one namespace, and shows what each ends on as Jupyter would:
``python run_notebook.py NOTEBOOK OUT``. OUT gets a list with what each printed, and the kinds of what it showed.
"""

import ast
import contextlib
import io
import json
import sys
from pathlib import Path


def run(source, names):
    """The text that a cell prints, and the media types of the picture it ends on; none when it ends on nothing."""
    printed = io.StringIO()
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "a cell", "exec"), names)  # noqa: S102  our own file
        shown = eval(compile(last, "a cell", "eval"), names) if last else None  # noqa: S307  our own file
    media = shown._repr_mimebundle_()[0] if shown is not None else {}
    return printed.getvalue(), sorted(media)


if __name__ == "__main__":
    notebook, out = map(Path, sys.argv[1:])
    sys.path.insert(0, "")  # the folder of the notebook, as Jupyter has it
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names = {}
    outputs = []
    for number, cell in enumerate(cell for cell in cells if cell["cell_type"] == "code"):
        try:
            outputs.append(run("".join(cell["source"]), names))
        except BaseException:
            print(f"code cell {number}:\n{''.join(cell['source'])}", file=sys.stderr)
            raise
    out.write_text(json.dumps(outputs), encoding="utf-8")
