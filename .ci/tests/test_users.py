"The tests in `users`, each file in a process of its own, with what users install"
from pathlib import Path

import pytest

folder = Path(__file__).with_name("users")


def command(file):
    "What runs a file's tests, and where"
    return ["-m", "pytest", "-q", "-rs", file], folder


@pytest.mark.parametrize("file", sorted(path.name for path in folder.glob("test_*.py")))
def test_users(file, ends, request):
    done = ends[request.node.name].result()
    print(done.stdout)
    assert done.returncode == 0, "see above"
