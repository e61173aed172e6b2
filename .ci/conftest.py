"TensorFlow says nothing and takes no GPU, set before anything imports it; and the wheel that tests install"
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="-1")
root = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    "Built from a copy without what earlier builds left behind, which setuptools would pick up"
    tmp = tmp_path_factory.mktemp("package")
    for name in ("settings.ini", "setup.py", "README.md", "LICENSE"): shutil.copy(root / name, tmp)
    shutil.copytree(root / "edgeml_dqn", tmp / "edgeml_dqn")
    subprocess.run([sys.executable, "-m", "build", tmp], check=True, stdout=subprocess.DEVNULL)  # sdist, then the wheel from it
    return next(tmp.glob("dist/*.whl"))
