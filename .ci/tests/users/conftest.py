"Where the commands are that users install"
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
USERS = Path(sys.prefix).parent  # this Python's environment lies in the users' own, which it sees
BIN = USERS / "bin"
PYTHON = BIN / "python"


@pytest.fixture(scope="session")
def wheel():
    "What was installed"
    return next(ROOT.glob("build/users/dist/*.whl"))
