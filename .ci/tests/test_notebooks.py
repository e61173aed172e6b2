"One test for each notebook, whose code runs with what users install, in a process of its own; `NBDEV_FLAGS=slow` also runs the cells marked `#| slow`"
import subprocess

import environments
import pytest
from nbdev.config import get_config
from nbdev.doclinks import nbglob

cfg = get_config()


@pytest.mark.parametrize("path", sorted(nbglob(as_path=True)), ids=lambda path: str(path.relative_to(cfg.nbs_path)))
def test_notebook(path, users):
    "What one notebook leaves behind, TensorFlow's threads and the server's loops among it, is nothing to the next"
    done = subprocess.run([users, environments.root / ".ci/tools/notebook.py", path.absolute()], env=environments.environment)
    assert done.returncode == 0, "see the traceback above"
