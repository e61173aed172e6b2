"Every flag of every command has an effect: two runs that differ in nothing but the flag come to different ends"
import hashlib
import importlib
import inspect
import re
import shutil
from functools import partial
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from edgeml_dqn import app, cli_learn, cli_runs, compiled, planned, remote, server, shared_bucket, training
from edgeml_dqn.bucket import TokenBucket
from edgeml_dqn.commands import MODULES
from edgeml_dqn.flags import arguments, hyphens
from edgeml_dqn.frameworks import frameworks
from edgeml_dqn.planned import Resolution

QUICK = Resolution(states=8, bins=12, streams=32, sweeps=2)
PROCESS = {
    "order": "independent", "arrivals": "periodic", "spread": ".4", "reset_prob": ".3", "period_1": "2", "period_2": "5",
    "switch_prob_1": ".4", "switch_prob_2": ".2"}
LEARNER = {
    "metric_history": "5", "arrival_history": "2", "discount": ".9", "layers": "2", "units": "5", "features": "filter",
    "network": "mine:network", "optimizer": "sgd"}
ALL = "--order reset --arrivals markov --spread .2 --reset-prob .1 --period-1 1 --period-2 3 --switch-prob-1 .2 --switch-prob-2 .1"  # so that every number of the process counts
SMALL = "--gradient-steps 2 --batch-size 32 --layers 1 --units 4 --metric-history 4 --every 1"
# What is typed anyhow, and another value of each flag, None for a switch; or what is typed instead, and the value
RUNS = {
    "edgeml-demo": ("--out new --iterations 1 --streams 2 --length 200", {"out": "save", "iterations": "0", "streams": "3", "length": "300", "seed": "1", "adaptive": None}),
    "edgeml-plan": (f"data.npz new {ALL}", PROCESS | {"rate": ".2", "depth": "2", "discount": ".9", "fine": None, "seed": "1", "metric": ("log.npz new --metric one_fit.json", "two_fit.json")}),
    "edgeml-train": (f"data.npz new --iterations 2 {SMALL} {ALL}", PROCESS | LEARNER | {
        "rate": ".2", "depth": "2", "gradient_steps": "3", "batch_size": "48", "learning_rate": ".1", "iterations": "3", "every": "2", "tensorboard": "save", "seed": "1",
        "metric": (f"log.npz new --iterations 2 {SMALL} --metric one_fit.json", "two_fit.json")}),
    "edgeml-train, gone on": (f"data.npz run --iterations 6 {SMALL}", {"learning_rate": ".1", "iterations": "5", "every": "3"}),
    "edgeml-train, interrupted": (f"data.npz stopped {SMALL}", {"learning_rate": ".1"}),
    "edgeml-simulate": ("data.npz plan save --streams 2 --length 200", {"rate": ".2", "depth": "2", "streams": "3", "length": "300", "adaptive": None}),
    "edgeml-simulate, as trained": ("data.npz run save --streams 2 --length 200", PROCESS | LEARNER | {
        "order": "reset", "arrivals": "markov", "rate": ".2", "depth": "2"}),  # refused
    "edgeml-sweep": ("none new --iterations 1", {name: values for name, values in PROCESS.items() if name not in ("order", "arrivals")} | {
        "data": "data.npz", "rate": ".2", "depth": "2", "process": "walk:.1:.01", "iterations": "0", "metric_history": "5", "arrival_history": "2",
        "network": "mine:network", "optimizer": "sgd", "learning_rate": ".1", "layers": "2", "units": "5", "seed": "1", "streams": "3", "length": "300", "adaptive": None,
        "jobs": "3", "scheduler": "tcp://127.0.0.1:9"}),
    "edgeml-metric": ("one.npz new", {"loss": "top2", "fit": "isotonic", "test_share": ".3", "folds": "3", "seed": "1"}),
    "edgeml-export": ("data.npz plan new", {"rate": ".2", "depth": "2", "devices": "2", "beside": "1/30,3"}),
    "edgeml-export, of a network": ("data.npz run new --runtimes numpy", {"runtimes": "numba", "network": "mine:network", "optimizer": "sgd"}),
    "edgeml-serve": ("edgeml_dqn.digits:strong_model --key-file one.key", {
        "host": "localhost", "port": "8001", "key_file": "two.key", "certfile": "one.key", "keyfile": "one.key", "max_bytes": "5000000", "timeout": "11", "connections": "101",
        "rate": ("edgeml_dqn.digits:strong_model --rate 1 --depth 2", "1/3"), "depth": ("edgeml_dqn.digits:strong_model --rate 1 --depth 2", "3")}),
    "edgeml-device": ("device edgeml_dqn.digits:scene http://127.0.0.1:9 --images 2 --time-unit .001 --start full", {
        "model": "other", "rate": ".2", "depth": "2", "runtime": "numba", "images": "3", "time_unit": ".002", "deadline": ".2", "saturate": None,
        "bandwidth": "9", "delay": "1", "key_file": "one.key", "cafile": "one.key", "log": "save.jsonl", "audits": ".1", "metrics": "save.prom", "adaptive": None,
        "keep": "save", "start": "empty",
        "bucket": ("device edgeml_dqn.digits:scene http://127.0.0.1:9 --images 2 --time-unit .001", "redis://127.0.0.1:9/0#uplink"),
        "cost": "mine:cost", "beside": "1/3,2",
        "shares": ("device edgeml_dqn.digits:scene http://127.0.0.1:9 --images 2 --time-unit .001 --start full --beside .2,2", ".25,.75")}),
    "edgeml-replay": ("log.jsonl device", {"runtime": "numba", "plot": "save.png"}),
}
NUMBER = re.compile(r"[\d.]+(e[+-]\d+)?")
MINE = """import numpy as np
from edgeml_dqn.network import Perceptron
def network(inputs): return Perceptron((6,))(inputs)
def cost(image): return 9
"""


@pytest.fixture(scope="module", autouse=True)
def graphs():
    "Networks as graphs of operations, which are not compiled anew for each run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "XlaOrGraph", frameworks()[0].function)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "What the command lines name"
    from edgeml_dqn import cli_export, cli_metric
    from edgeml_dqn.controller import Controller
    from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
    from edgeml_dqn.exported import load_policy
    folder, images, rng = tmp_path_factory.mktemp("effects"), ilsvrc().train, np.random.default_rng(0)
    few = Images(*(column[::40] for column in (images.metric, images.loss_weak, images.loss_strong)))
    def at(name): return str(folder / name)
    write_npz(folder / "data.npz", Dataset("data", few, few))
    small = dict(every=1, gradient_steps=2, batch_size=32, layers=1, units=4, metric_history=4, json=True)
    cli_learn.edgeml_train(at("data.npz"), at("run"), iterations=3, **small)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch)
        with pytest.raises(SystemExit): cli_learn.edgeml_train(at("data.npz"), at("stopped"), **small)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli_runs, "DEFAULT", QUICK)
        cli_learn.edgeml_plan(at("data.npz"), at("plan"), json=True)
        for run, out in (("run", "device"), ("plan", "planned")): cli_export.edgeml_export(at("data.npz"), at(run), at(out), runtimes="numpy", json=True)
    logits = rng.normal(size=(1000, 6)) * 2
    labels = dict(one=rng.integers(6, size=1000), two=(logits + rng.gumbel(size=logits.shape)).argmax(1))
    for name, label in labels.items():
        np.savez(folder / f"{name}.npz", weak_logits=logits, strong_logits=rng.normal(size=(1000, 6)), label=label)
        cli_metric.edgeml_metric(at(f"{name}.npz"), at(f"{name}_fit"), json=True)
    np.savez(folder / "log.npz", timestamp=np.cumsum(rng.exponential(1, 1000)), weak_logits=logits, reward=rng.integers(-1, 2, 1000))
    with Controller(load_policy(at("device")), lambda image: (0, image / 9), lambda image, seconds: 1, TokenBucket(.1, 4), log=at("log.jsonl"), start="full") as controller:
        for image in range(9): controller(image)
    for key in ("one", "two"): (folder / f"{key}.key").write_text(f"key-{key}")
    (folder / "mine.py").write_text(MINE)
    return folder


def interrupt(monkeypatch, iterations=3):
    "Ctrl-C after so many iterations"
    iterate, left = training.q_iteration, iter(range(iterations))
    def counted(*args):
        if next(left, None) is None: raise KeyboardInterrupt
        return iterate(*args)
    monkeypatch.setattr(training, "q_iteration", counted)


def noted(notes, answer):
    "A function that writes down what it is called with, and answers"
    def call(*args, **kwargs):
        notes.append([arg for arg in (*args, *kwargs.values()) if isinstance(arg, (str, int, float, tuple, list, dict, TokenBucket))])
        return answer(*args, **kwargs)
    return call


def stand_ins(command, module, monkeypatch, notes):
    "Of what takes long, is outside, or goes on for ever: it is noted what they are called with"
    def instead(name, answer, module=module): monkeypatch.setattr(module, name, noted(notes, answer))
    for name, resolution in dict(DEFAULT=QUICK, FINE=QUICK._replace(states=9)).items(): monkeypatch.setattr(cli_runs, name, resolution)
    for name, value in dict(RECORDED=QUICK, STATES=(1, 4)).items(): monkeypatch.setattr(planned, name, value)
    if command == "edgeml-demo":
        read, learn = module.read_data, module.learn_outlook
        monkeypatch.setattr(module, "read_data", lambda name: read("data.npz"))
        monkeypatch.setattr(module, "learn_outlook", lambda source, seed: learn(source, seed, QUICK))
    if command == "edgeml-sweep":
        monkeypatch.setattr(module, "read_data", str)
        instead("sweep", lambda cells, *rest: (notes.append(repr(cells)), {}))
    if command == "edgeml-serve":
        def listening(address, **_): return SimpleNamespace(getsockname=lambda: address)
        instead("make_app", lambda *_: None, app)
        instead("make_server", lambda *_: SimpleNamespace(run=lambda sockets: None), server)
        monkeypatch.setattr(module, "socket", SimpleNamespace(AF_INET=0, AF_INET6=0, create_server=listening))
    if command == "edgeml-replay": instead("load_policy", module.load_policy)
    if command == "edgeml-device":
        monkeypatch.setattr(remote.Remote, "trouble", lambda *_: "nobody is there")
        instead("Remote", remote.Remote, remote)
        instead("named_bucket", shared_bucket.named_bucket, shared_bucket)
        instead("Controller", partial(module.Controller, clock=count(step=1000).__next__))  # nanoseconds: the same on a busy machine
        for name in ("replay", "load_policy", "shaped"): instead(name, getattr(module, name))


def outcome(case, line, flags, folder, tmp_path, monkeypatch, capsys):
    "Exit status, what is printed, what was noted, and all files; without what takes time"
    command = case.partition(",")[0]
    name = command.replace("-", "_")
    module, here, notes = importlib.import_module(f"edgeml_dqn.{MODULES[name]}"), tmp_path / "here", []
    function = inspect.unwrap(getattr(module, name))
    shutil.copytree(folder, here)
    with monkeypatch.context() as patch:
        patch.chdir(here)
        stand_ins(command, module, patch, notes)
        if case.endswith("interrupted"): interrupt(patch)
        try: status = function(**vars(arguments(function).parse_args([hyphens(word) for word in (*line.split(), *flags)])))
        except SystemExit as end: status = end.code
    printed, said = (re.sub(r"(.*_seconds|.*_ms|late) .*", "", text) for text in capsys.readouterr())
    if command == "edgeml-export": printed = NUMBER.sub("", printed).split()  # which times its policies
    files = {str(path.relative_to(here)): _digest(path) for path in here.rglob("*") if path.is_file() and path.suffix not in (".keras", ".pyc", ".lock")}
    shutil.rmtree(here)
    return status, printed, said.splitlines()[-1:] if status else [], notes, files


def _digest(path):
    "Of what a file holds; but for the flags that a run was made with, and for numbers in JSON, which tell times"
    if path.name == "checkpoint.npz":
        with np.load(path) as arrays: text = b"".join(name.encode() + array.tobytes() for name, array in arrays.items() if name != "config")
    else: text = NUMBER.sub("", path.read_text()).encode() if path.suffix == ".json" else path.read_bytes()
    return hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("case", RUNS)
def test_effects(case, folder, tmp_path, monkeypatch, capsys):
    "The same line twice comes to the same end; with the flag, or another value of it, to another"
    line, others = RUNS[case]
    def end(line, *flags): return outcome(case, line, flags, folder, tmp_path, monkeypatch, capsys)
    usual, idle = end(line), []
    assert usual[0] in (None, 130), usual[2]
    assert end(line) == usual
    for flag, value in others.items():
        base, value = value if isinstance(value, tuple) else (line, value)
        flags, otherwise = [f"--{flag}"] if value is None else [f"--{flag}", value], usual if base == line else end(base)
        assert otherwise[0] == usual[0], otherwise[2]
        if end(base, *flags) == otherwise: idle.append(flag)
    assert not idle


def test_every_flag_is_tried():
    for name, module in MODULES.items():
        command, function = name.replace("_", "-"), inspect.unwrap(getattr(importlib.import_module(f"edgeml_dqn.{module}"), name))
        flags = {flag for flag, about in inspect.signature(function).parameters.items() if about.default is not inspect.Parameter.empty}
        tried = {flag for case, (_, others) in RUNS.items() if case.partition(",")[0] == command for flag in others}
        assert flags - tried <= {"json"}, command
