"One test for each notebook, run as `nbdev_test` runs it; `NBDEV_FLAGS=slow` also runs the cells marked `#| slow`"
import os

import pytest
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.test import test_nb as run_notebook

cfg = get_config()
flags = os.environ.get("NBDEV_FLAGS", "").split()


@pytest.mark.parametrize("path", sorted(nbglob(as_path=True)), ids=lambda path: str(path.relative_to(cfg.nbs_path)))
def test_notebook(path, monkeypatch):
    monkeypatch.setenv("IN_TEST", "1")  # as nbdev sets it, but unset again afterwards
    passed, _ = run_notebook(path.absolute(), skip_flags=cfg.tst_flags.split(), force_flags=flags, basepath=cfg.config_path)
    assert passed, "see the traceback above"
