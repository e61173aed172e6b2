"TensorFlow says nothing and takes no GPU, set before anything imports it; and what runs in the users' environment, beside the tests"
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


def pytest_collection_modifyitems(items):
    "Tests that wait for what runs beside come last"
    items.sort(key=lambda item: "ends" in item.fixturenames)


@pytest.fixture(scope="session", autouse=True)
def beside(request):
    "What runs beside the tests begins with the first of them, whichever that is"
    if any("ends" in item.fixturenames for item in request.session.items): request.getfixturevalue("ends")


@pytest.fixture(scope="session")
def ends(request):
    """What the command of each test that asks for this ends with; two run at a time, for nothing in them may hang on being alone,
    by a Python that has what users install, and what tests need besides. Files of users' tests take longest, and come first"""
    pool = ThreadPoolExecutor(2)
    users = pool.submit(environments.install)
    def run(words, folder):
        return subprocess.run([users.result(), *words], cwd=folder, env=environments.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    items = [item for item in request.session.items if "ends" in item.fixturenames]
    yield {item.name: pool.submit(run, *item.module.command(**item.callspec.params)) for item in sorted(items, key=lambda item: item.originalname != "test_users")}
    pool.shutdown(cancel_futures=True)
