"What a user installs: the wheel, made from the source distribution, works away from the sources, and with less than all extras"
import os
import subprocess
from importlib.metadata import distribution, distributions, requires
from zipfile import ZipFile

import pytest
from conftest import BIN, PYTHON, ROOT, USERS

from edgeml_dqn.commands import extra_of

COMMANDS = sorted(point.name for point in distribution("edgeml_dqn").entry_points if point.group == "console_scripts")


def test_wheel_has_tables(wheel):
    tables = {str(path.relative_to(ROOT)) for path in ROOT.glob("edgeml_dqn/**/*.csv")}
    assert tables and tables <= {*ZipFile(wheel).namelist()}


def test_wheel_works_alone(wheel, tmp_path):
    "It reads its tables, and its modules import no TensorFlow until they need it"
    ZipFile(wheel).extractall(tmp_path)
    code = """import sys, edgeml_dqn.data, edgeml_dqn.policies
from importlib import import_module
from edgeml_dqn.commands import MODULES
for name in MODULES.values(): import_module(f"edgeml_dqn.{name}")
assert edgeml_dqn.__file__.startswith(sys.argv[1])
assert len(edgeml_dqn.data.read_data("ilsvrc").train.metric) == 3334
assert not {"tensorflow", "keras"} & sys.modules.keys()"""
    subprocess.run([PYTHON, "-c", code, tmp_path], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})


def test_environments():
    "What users install fits together, and the tests' packages take the place of none of it"
    subprocess.run([PYTHON, "-m", "pip", "check"], check=True)
    def names(folder): return {found.name for found in distributions(path=list(map(str, folder.glob("lib/python*/site-packages"))))}
    assert names(USERS) & names(USERS / "tests") <= {"pip", "setuptools"} and "edgeml_dqn" in names(USERS)


def bare(command, folder):
    "A command where no extra is installed: each of their modules is not found"
    modules = {found for found in distribution_modules() if extra_of(found, requires("edgeml_dqn"))}
    for module in modules: (folder / f"{module}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\", name='{module}')")
    assert {"fastapi", "httpx", "pydantic", "distributed", "onnx", "tf2onnx", "ai_edge_litert"} <= modules
    program, *words = command.split()
    return subprocess.run([BIN / program, *words], cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(folder)})


def distribution_modules():
    "The modules that can be imported here, by their first names"
    return {path.parts[0] for found in distributions() for path in found.files or () if path.name == "__init__.py" and len(path.parts) == 2}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_without_extras(command, tmp_path):
    done = bare(f"{command} --help", tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith(f"usage: {command} [-h]")


@pytest.mark.parametrize("command, brings", {
    "edgeml-serve edgeml_dqn.digits:strong_model": "'edgeml_dqn[serve]'",
    "edgeml-device device edgeml_dqn.digits:scene http://127.0.0.1:9": "'edgeml_dqn[serve]'",
    "edgeml-sweep none swept --rate .1 --streams 2 --length 100 --scheduler tcp://127.0.0.1:9": "'edgeml_dqn[cluster]'",
    "edgeml-export ilsvrc run device": "'edgeml_dqn[export]'",
    "edgeml-export ilsvrc run device --runtimes litert": "ai-edge-litert",
}.items())
def test_missing_extra(command, brings, tmp_path):
    "One sentence with the line that installs it, and exit status 2"
    small = "--iterations 0 --gradient-steps 2 --batch-size 32 --layers 1 --units 4 --metric-history 4"
    if "run" in command: subprocess.run([BIN / "edgeml-train", "ilsvrc", "run", *small.split()], cwd=tmp_path, check=True, capture_output=True)
    done = bare(command, tmp_path)
    assert done.returncode == 2 and f"pip install {brings}" in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
