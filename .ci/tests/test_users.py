"The tests in `users`, each file in a process of its own, with what users install"
import subprocess
from pathlib import Path

import environments
import pytest

folder = Path(__file__).with_name("users")


@pytest.mark.parametrize("file", sorted(path.name for path in folder.glob("test_*.py")))
def test_users(file, users):
    done = subprocess.run([users, "-m", "pytest", "-q", "-rs", file], cwd=folder, env=environments.environment)
    assert done.returncode == 0, "see the summary above"
