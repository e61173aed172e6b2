"What a user installs: the wheel, made from the source distribution, works away from the sources"
import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from zipfile import ZipFile

import pytest

root = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    "Built from a copy without what earlier builds left behind, which setuptools would pick up"
    tmp = tmp_path_factory.mktemp("package")
    for name in ("settings.ini", "setup.py", "README.md", "LICENSE"): shutil.copy(root / name, tmp)
    shutil.copytree(root / "edgeml_dqn", tmp / "edgeml_dqn")
    subprocess.run([sys.executable, "-m", "build", tmp], check=True, stdout=subprocess.DEVNULL)  # sdist, then the wheel from it
    return next(tmp.glob("dist/*.whl"))


def test_wheel_has_tables(wheel):
    tables = {str(path.relative_to(root)) for path in root.glob("edgeml_dqn/**/*.csv")}
    assert tables and tables <= {*ZipFile(wheel).namelist()}


def test_wheel_works_alone(wheel, tmp_path):
    "It reads its tables, and TensorFlow is for its tests alone"
    ZipFile(wheel).extractall(tmp_path)
    code = """import sys, edgeml_dqn.cli, edgeml_dqn.data
assert edgeml_dqn.__file__.startswith(sys.argv[1])
assert len(edgeml_dqn.data.read_data("ilsvrc").train.metric) == 3334
assert "tensorflow" not in sys.modules"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})


def test_commands():
    commands = [command for command in entry_points(group="console_scripts") if command.value.startswith("edgeml_dqn.")]
    assert commands and all(callable(command.load()) for command in commands)
