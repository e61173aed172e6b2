"What the page of promises says, in small: kills, mutated files, and every flag of every command out of its range"
import importlib
import inspect
import json
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import PYTHON, ROOT as root

from edgeml_dqn.commands import MODULES
from edgeml_dqn.flags import PUBLISHED, arguments, hyphens
from edgeml_dqn.planned import Resolution

config = ConfigParser(delimiters=["="])
config.read(root / "settings.ini")


def script(name, *words):
    "Standard output of a script beside this one, in a process of its own"
    done = subprocess.run([PYTHON, Path(__file__).with_name(name), *map(str, words)], capture_output=True, text=True)
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
    "edgeml-demo": {"iterations": ["0"], "seed": ["0"]},
    "edgeml-plan": {"rate": ["1.5"], "depth": ["1.5"], "spread": ["0"], "seed": ["0", "99999999999999999999"], "metric": [""]},
    "edgeml-train": {"rate": ["1.5"], "depth": ["1.5"], "arrival_history": ["0"], "layers": ["0"], "iterations": ["0"], "spread": ["0"], "seed": ["0"], "metric": [""], "network": [""]},
    "edgeml-simulate": {"arrival_history": ["0"], "network": [""]},  # as the run was trained
    "edgeml-sweep": {"rate": ["1.5"], "depth": ["1.5"], "spread": ["0"], "process": [""], "iterations": ["0", "99999999999999999999"], "metric_history": ["0"], "arrival_history": ["0"], "layers": ["0"], "network": [""], "seed": ["0", "99999999999999999999"], "streams": ["99999999999999999999"], "length": ["99999999999999999999"], "jobs": ["99999999999999999999"]},  # a cell that asks for too much fails alone
    "edgeml-metric": {"seed": ["0", "99999999999999999999"]},
    "edgeml-export": {"runtimes": [""], "network": [""]},  # all that can run it
    "edgeml-serve": {"rate": ["1.5"], "depth": ["1.5"], "port": ["0"], "max_bytes": ["99999999999999999999"], "timeout": ["inf", "1e308", "99999999999999999999", "1.5"], "connections": ["99999999999999999999"]},
    "edgeml-device": {"rate": ["1.5"], "depth": ["1.5"], "images": ["0"], "time_unit": ["1e308", "99999999999999999999", "1.5"], "deadline": ["1.5"], "bandwidth": ["inf", "1e308", "99999999999999999999", "1.5"], "delay": ["0", "1e308", "99999999999999999999", "1.5"], "audits": ["0"], "metrics": ["0"]},
}
PUBLISHED_FINE = {  # and one that the published scripts name may have
    "edgeml-plan": {"stype": ["0"], "itype": ["0"]},
    "edgeml-train": {"stype": ["0"], "itype": ["0"], "nhist1": ["0"], "nhist2": ["-1", "0"], "lr": ["0", "1.5"]},
    "edgeml-simulate": {"stype": ["0"], "itype": ["0"], "nhist2": ["-1"]},
    "edgeml-sweep": {"nhist1": ["-1", "0"], "nhist2": ["-1", "0"], "lr": ["0", "1.5"]},
}
FLAGS = {  # what else is typed, so that nothing is wrong but the flag
    "edgeml-demo": "--out new --iterations 0 --streams 2 --length 200",
    "edgeml-plan": "data.npz new",
    "edgeml-train": "data.npz new --iterations 0 --gradient-steps 2 --batch-size 32 --layers 1 --units 4 --metric-history 4",
    "edgeml-simulate": "data.npz run save --streams 2 --length 200",
    "edgeml-sweep": "none new --period-2 3 --iterations 1",
    "edgeml-metric": "answers.npz new",
    "edgeml-export": "data.npz run new --runtimes numpy",
    "edgeml-serve": "edgeml_dqn.digits:strong_model --rate 1 --depth 2",
    "edgeml-device": "device edgeml_dqn.digits:scene http://127.0.0.1:9",
}
def nothing_wrong(*_): raise SystemExit(0)


INSTEAD = {  # of what would take long, or for ever, when nothing is wrong
    "edgeml-demo": {"learn_outlook": nothing_wrong},
    "edgeml-plan": {"edgeml_dqn.cli_runs.DEFAULT": Resolution(states=8, bins=12, streams=32, sweeps=2)},
    "edgeml-sweep": {"edgeml_dqn.sweep.on_cores": nothing_wrong},
    "edgeml-serve": {"edgeml_dqn.server.make_server": lambda *_: SimpleNamespace(run=lambda sockets: sockets[0].close())},
    "edgeml-device": {"Tally": nothing_wrong},
}
TEXTS = {"data", "run_dir", "save_dir", "out", "grid", "scheduler", "table", "classifier", "host", "key_file", "certfile", "keyfile", "export_dir", "scene", "url", "model", "cafile", "log", "keep", "bucket", "tensorboard"}
SWITCHES = {"json", "saturate", "adaptive"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Where data.npz, a run on it, its export and answers.npz are"
    from edgeml_dqn.cli_learn import edgeml_train
    from edgeml_dqn.cli_export import edgeml_export
    from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
    folder, images = tmp_path_factory.mktemp("promises"), ilsvrc().train
    few = Images(*(column[::40] for column in (images.metric, images.loss_weak, images.loss_strong)))
    write_npz(folder / "data.npz", Dataset("data", few, few))
    edgeml_train(str(folder / "data.npz"), str(folder / "run"), iterations=0, gradient_steps=2, batch_size=32, layers=1, units=4, metric_history=4, json=True)
    edgeml_export(str(folder / "data.npz"), str(folder / "run"), str(folder / "device"), runtimes="numpy", json=True)
    rng = np.random.default_rng(0)
    np.savez(folder / "answers.npz", weak_logits=rng.normal(size=(400, 3)), strong_logits=rng.normal(size=(400, 3)), label=rng.integers(3, size=400))
    return folder


def called(function, words, capsys):
    "Exit status and standard error of a command line"
    try:
        function(**vars(arguments(function).parse_args(list(map(hyphens, words)))))
    except SystemExit as exit: status = exit.code
    else: status = 0
    return status, capsys.readouterr().err


@pytest.mark.parametrize("command", FLAGS)
def test_flags(command, folder, monkeypatch, capsys):
    "One sentence that names the flag, and exit status 2; or a value that is fine"
    name = command.replace("-", "_")
    module = f"edgeml_dqn.{MODULES[name]}"
    function = getattr(importlib.import_module(module), name)
    monkeypatch.chdir(folder)
    for what, stub in INSTEAD.get(command, {}).items(): monkeypatch.setattr(what if "." in what else f"{module}.{what}", stub)
    wrong, fine = [], {}
    flags = [name for name in inspect.signature(function).parameters if name not in TEXTS | SWITCHES]
    for flag in [*flags, *(PUBLISHED[name].name for name in flags if name in PUBLISHED)]:
        for value in NUMBERS:
            status, said = called(function, [*FLAGS[command].split(), f"--{flag}={value}"], capsys)
            if status == 0: fine.setdefault(flag, []).append(value)
            elif status != 2 or f"--{flag.replace('_', '-')}" not in said.splitlines()[-1] or "Traceback" in said: wrong.append((flag, value, status, said[-200:]))
            for made in ("new", "save"): shutil.rmtree(made, ignore_errors=True)
    assert not wrong
    same = {PUBLISHED[name].name: values for name, values in FINE[command].items() if name in PUBLISHED and not PUBLISHED[name].value}
    assert fine == FINE[command] | same | PUBLISHED_FINE.get(command, {})


def test_every_requirement_is_used():
    "What is installed with the package, or with one of its extras for users, is imported by it"
    code, names = "\n".join(path.read_text() for path in root.glob("edgeml_dqn/*.py")), {"scikit-learn": "sklearn", "dask": "distributed"}
    lines = [line for key, value in config["DEFAULT"].items() if key.endswith("requirements") and key not in ("dev_requirements", "test_requirements") for line in value.split()]
    wanted = [re.match(r"[\w-]+", line)[0] for line in lines]
    def used(name): return re.search(rf"\b(import|from) (\w+, )*{names.get(name, name.replace('-', '_'))}\b", code)
    unused = [name for name in wanted if not used(name)]
    assert not unused and len(wanted) > 10
