"Run notebooks as the tests do and keep their outputs: `python .ci/tools/save.py nbs/api/00_bucket.ipynb ...`"
import os
import sys
from pathlib import Path

from execnb.nbio import read_nb, write_nb
from execnb.shell import CaptureShell
from fastcore.xtras import working_directory
from nbdev.process import extract_directives

import environments

os.environ.update(environments.QUIET)  # before anything imports TensorFlow


def skip(cell):
    "Whether a cell is not run"
    if cell.cell_type != "code": return True
    directives = extract_directives(cell, remove=False, lang="python")
    return directives.get("eval:") == ["false"] or bool(directives.keys() & {"slow", "notest"})


for path in map(Path, sys.argv[1:]):
    path = path.absolute()
    nb = read_nb(path)
    for cell in nb.cells:
        if not skip(cell): cell.outputs = []  # a cell that prints nothing any more would keep what it once did
    with working_directory(path.parent): CaptureShell(path).run_all(nb, exc_stop=True, preproc=skip)
    write_nb(nb, path)
