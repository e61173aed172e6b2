"TensorFlow says nothing and takes no GPU, set before anything imports it; and the users' environment"
import os
import sys
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
