"One test for each notebook, whose code runs with what users install, in a process of its own; `NBDEV_FLAGS=slow` also runs the cells marked `#| slow`"
import subprocess
from concurrent.futures import ThreadPoolExecutor

import environments
import pytest
from nbdev.config import get_config
from nbdev.doclinks import nbglob

cfg = get_config()


@pytest.fixture(scope="session")
def ends(request, users):
    "What each notebook of this session ends with; two run at a time, for nothing in them may hang on being alone"
    def run(path):
        command = [users, environments.root / ".ci/tools/notebook.py", path.absolute()]
        return subprocess.run(command, env=environments.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    paths = [item.callspec.params["path"] for item in request.session.items if item.originalname == "test_notebook"]
    pool = ThreadPoolExecutor(2)
    yield {path: pool.submit(run, path) for path in paths}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("path", sorted(nbglob(as_path=True)), ids=lambda path: str(path.relative_to(cfg.nbs_path)))
def test_notebook(path, ends):
    "What one notebook leaves behind, TensorFlow's threads and the server's loops among it, is nothing to the next"
    done = ends[path].result()
    assert done.returncode == 0, done.stdout
