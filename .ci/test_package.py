"What a user installs: the wheel, made from the source distribution, works away from the sources"
import os
import signal
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
    "It reads its tables, and its modules import no TensorFlow until they need it"
    ZipFile(wheel).extractall(tmp_path)
    code = """import sys, edgeml_dqn.data, edgeml_dqn.policies
from edgeml_dqn import cli, cli_export, cli_metric, cli_serve, cli_sweep
assert edgeml_dqn.__file__.startswith(sys.argv[1])
assert len(edgeml_dqn.data.read_data("ilsvrc").train.metric) == 3334
assert not {"tensorflow", "keras"} & sys.modules.keys()"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})


def test_commands():
    "Each is there; to load one is to have its answer to Ctrl-C, which is taken back here"
    commands, ours = [command for command in entry_points(group="console_scripts") if command.value.startswith("edgeml_dqn.")], signal.getsignal(signal.SIGINT)
    try: assert commands and all(callable(command.load()) for command in commands)
    finally: signal.signal(signal.SIGINT, ours)
