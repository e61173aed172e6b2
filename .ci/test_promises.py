"What the page of promises says, in small: kills, mutated files, and every flag of every command out of its range"
import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from fastcore.script import anno_parser

root = Path(__file__).parents[1]
config = ConfigParser(delimiters=["="])
config.read(root / "settings.ini")
commands = dict(line.split("=") for line in config["DEFAULT"]["console_scripts"].split())


def script(name, *words):
    "Standard output of a script beside this one, in a process of its own"
    done = subprocess.run([sys.executable, root / ".ci" / name, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kills():
    facts = json.loads(script("kills.py", 6))
    assert facts["kills"] == 6 and facts["lost"] <= facts["save_interval"] and facts["left_over"] == 0


def test_mutated_files():
    for line in script("fuzz.py", 60).splitlines():
        assert line.startswith("{") and json.loads(line)["wrong"] == 0, line


NUMBERS = ["nan", "inf", "-inf", "-1", "0", "1e308", "-1e308", "99999999999999999999", "-99999999999999999999", "1.5", "x", ""]
FINE = {  # values that a flag may well have
    "edgeml-train": {"tr": ["1.5"], "tb": ["1.5"], "stype": ["0"], "itype": ["0"], "nhist1": ["0"], "nhist2": ["-1", "0", "-99999999999999999999"], "nlayers": ["0"], "lr": ["0", "1.5"], "maxiter": ["0"], "spread": ["0"], "seed": ["0"], "metric": [""]},
    "edgeml-simulate": {"stype": ["0"], "itype": ["0"], "nhist2": ["-1"]},  # as the run was trained
}
FLAGS = {  # what else is typed, so that nothing is wrong but the flag
    "edgeml-train": "data.npz new --maxiter 0 --ngdup 2 --gbsz 32 --nlayers 1 --nhidden 4 --nhist1 3",
    "edgeml-simulate": "data.npz run save --streams 2 --length 200",
}
TEXTS = ("data", "run_dir", "save_dir")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Where data.npz and a run are"
    from edgeml_dqn.cli import edgeml_train
    from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
    folder, images = tmp_path_factory.mktemp("promises"), ilsvrc().train
    few = Images(*(column[::40] for column in (images.metric, images.loss_weak, images.loss_strong)))
    write_npz(folder / "data.npz", Dataset("data", few, few))
    edgeml_train.__wrapped__(str(folder / "data.npz"), str(folder / "run"), maxiter=0, ngdup=2, gbsz=32, nlayers=1, nhidden=4, nhist1=3, json=True)
    return folder


def called(function, words, capsys):
    "Exit status and standard error of a command line"
    try:
        arguments = vars(anno_parser(function).parse_args(words))
        function(**{name: value for name, value in arguments.items() if name in inspect.signature(function).parameters})
    except SystemExit as exit: status = exit.code
    else: status = 0
    return status, capsys.readouterr().err


@pytest.mark.parametrize("command", FLAGS)
def test_flags(command, folder, monkeypatch, capsys):
    "One sentence that names the flag, and exit status 2; or a value that is fine"
    module, name = commands[command].split(":")
    function = getattr(importlib.import_module(module), name).__wrapped__
    monkeypatch.chdir(folder)
    wrong, fine = [], {}
    for flag in inspect.signature(function).parameters:
        if flag in (*TEXTS, "json"): continue
        for value in NUMBERS:
            status, said = called(function, [*FLAGS[command].split(), f"--{flag}={value}"], capsys)
            if status == 0: fine.setdefault(flag, []).append(value)
            elif status != 2 or f"--{flag}" not in said or "Traceback" in said: wrong.append((flag, value, status, said[-200:]))
            for made in ("new", "save"): shutil.rmtree(made, ignore_errors=True)
    assert not wrong
    assert fine == FINE[command]


def test_every_requirement_is_used():
    "What is installed with the package, or with one of its extras for users, is imported by it"
    code, names = "\n".join(path.read_text() for path in root.glob("edgeml_dqn/*.py")), {"scikit-learn": "sklearn", "dask": "distributed"}
    lines = [line for key, value in config["DEFAULT"].items() if key.endswith("requirements") and key != "dev_requirements" for line in value.split()]
    wanted = [re.match(r"[\w-]+", line)[0] for line in lines]
    unused = [name for name in wanted if not re.search(rf"\b(import|from) {names.get(name, name.replace('-', '_'))}\b", code)]
    assert not unused and len(wanted) > 10
