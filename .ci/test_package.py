"What a user installs: the wheel, made from the source distribution, works away from the sources"
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from zipfile import ZipFile

root = Path(__file__).parents[1]


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
