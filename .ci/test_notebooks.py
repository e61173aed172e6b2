"One test for each notebook, run as `nbdev_test` runs it, in a process of its own; `NBDEV_FLAGS=slow` also runs the cells marked `#| slow`"
import os
import subprocess
import sys

import pytest
from nbdev.config import get_config
from nbdev.doclinks import nbglob

cfg = get_config()
RUN = """import os, sys
from pathlib import Path
from nbdev.config import get_config
from nbdev.test import test_nb
cfg, flags = get_config(), os.environ.get("NBDEV_FLAGS", "").split()
passed, _ = test_nb(Path(sys.argv[1]), skip_flags=cfg.tst_flags.split(), force_flags=flags, basepath=cfg.config_path)
sys.exit(not passed)"""


@pytest.mark.parametrize("path", sorted(nbglob(as_path=True)), ids=lambda path: str(path.relative_to(cfg.nbs_path)))
def test_notebook(path):
    "What one notebook leaves behind, TensorFlow's threads and the server's loops among it, is nothing to the next"
    done = subprocess.run([sys.executable, "-c", RUN, path.absolute()], cwd=cfg.config_path, env=os.environ | {"IN_TEST": "1"})
    assert done.returncode == 0, "see the traceback above"
