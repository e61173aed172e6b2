"""Run a notebook's code by any Python, with neither nbdev nor Jupyter: `python .ci/tools/notebook.py nbs/api/00_bucket.ipynb`

`NBDEV_FLAGS=slow` also runs the cells marked `#| slow`, as it does for nbdev."""
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType


def runs(cell):
    "Whether a cell is run by a test"
    if cell["cell_type"] != "code": return False
    directives = set(re.findall(r"^#\|\s*(.+?)\s*$", "".join(cell["source"]), re.M))
    return not directives & ({"notest", "slow", "eval: false"} - set(os.environ.get("NBDEV_FLAGS", "").split()))


def script(path):
    "The code of a notebook, without the lines that have nbdev write the library from it"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n\n\n".join("".join(cell["source"]) for cell in cells if runs(cell))
    return re.sub(r"^(import|from) nbdev\b.*$", "", code, flags=re.M)


def main(path):
    "As a notebook has it: the names are `__main__`'s, which is no file, so that worker processes do not run it again"
    module = sys.modules["__main__"] = ModuleType("__main__")
    module.display = print
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{path.stem}.py")  # tracebacks show its lines, and Numba keeps what it compiles beside it
        file.write_text(script(path), encoding="utf-8")
        os.chdir(path.parent)
        exec(compile(file.read_text(encoding="utf-8"), file, "exec"), module.__dict__)


if __name__ == "__main__": main(Path(sys.argv[1]).absolute())
