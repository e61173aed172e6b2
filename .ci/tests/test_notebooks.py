"One test for each notebook, whose code runs with what users install, in a process of its own; `NBDEV_FLAGS=slow` also runs the cells marked `#| slow`"
import environments
import pytest
from nbdev.config import get_config
from nbdev.doclinks import nbglob

cfg = get_config()


def command(path):
    "What runs a notebook, and where"
    return [environments.root / ".ci/tools/notebook.py", path.absolute()], environments.root


@pytest.mark.parametrize("path", sorted(nbglob(as_path=True)), ids=lambda path: str(path.relative_to(cfg.nbs_path)))
def test_notebook(path, ends, request):
    "What one notebook leaves behind, TensorFlow's threads and the server's loops among it, is nothing to the next"
    done = ends[request.node.name].result()
    if done.returncode == 77: pytest.skip(done.stdout)  # what it needs is not installed, as it says
    assert done.returncode == 0, done.stdout
