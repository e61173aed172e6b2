"TensorFlow says nothing and takes no GPU, set before anything imports it; the users' environment; and what runs there beside the tests"
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import environments

os.environ.update(environments.QUIET)
collect_ignore = ["users"]  # whose tests run in that environment


@pytest.fixture(scope="session")
def users():
    "A Python that has what users install, and what tests need besides"
    return environments.install()


@pytest.fixture(scope="session")
def ends(request, users):
    """What the command of each test that asks for this ends with; two run at a time, for nothing in them may hang on being alone.
    Files of users' tests take longest, and come first"""
    def run(words, folder):
        return subprocess.run([users, *words], cwd=folder, env=environments.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    items = [item for item in request.session.items if "ends" in item.fixturenames]
    pool = ThreadPoolExecutor(2)
    yield {item.name: pool.submit(run, *item.module.command(**item.callspec.params)) for item in sorted(items, key=lambda item: item.originalname != "test_users")}
    pool.shutdown(cancel_futures=True)
