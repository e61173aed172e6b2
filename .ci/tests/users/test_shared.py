"What the page of promises says of a shared bucket, in small"
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PYTHON


pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="NO REDIS: redis-server is not installed")


def facts_of(script, *words):
    "What a script beside this one prints"
    done = subprocess.run([PYTHON, Path(__file__).with_name(script), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_shared():
    "Eight processes, and a server that is killed and frozen: nothing beyond the limit, nobody hangs, and one that trusts an old snapshot is found out"
    facts = facts_of("shared.py", "1500")
    assert facts["tries"] == 8 * 1500 and facts["excess"] <= 0 < facts["excess_of_one_that_trusts_the_snapshot"], facts
    assert facts["offloads"] > facts["depth"] and facts["reasons"]["bucket away"] > 0, facts


def test_fleet():
    "Cameras by command: planned for together, each hears the others, and all that they decided is decided again from their logs"
    facts = facts_of("fleet.py")
    assert (facts["policy"], facts["deciding"], facts["sessions"]) == ("First order", ["First order"], 3), facts
    assert (facts["images"], facts["differing"], facts["lost"], facts["remarks"]) == (180, 0, 0, []), facts
    assert facts["heard"] > 90 and facts["excess"] <= 0, facts
