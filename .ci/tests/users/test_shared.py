"What the page of promises says of a shared bucket, in small"
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PYTHON


@pytest.mark.skipif(not shutil.which("redis-server"), reason="NO REDIS: redis-server is not installed")
def test_shared():
    "Eight processes, and a server that is killed and frozen: nothing beyond the limit, nobody hangs, and one that trusts an old snapshot is found out"
    done = subprocess.run([PYTHON, Path(__file__).with_name("shared.py"), "1500"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["tries"] == 8 * 1500 and facts["excess"] <= 0 < facts["excess_of_one_that_trusts_the_snapshot"], facts
    assert facts["offloads"] > facts["depth"] and facts["reasons"]["bucket away"] > 0, facts
