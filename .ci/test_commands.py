"The commands as programs: the demo in full, the published commands as written, and what is said of mistakes"
import json
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest

BIN = Path(sysconfig.get_path("scripts"))


def call(command, folder):
    "A command line, run in `folder`"
    program, *words = command.split()
    return subprocess.run([BIN / program, *words], cwd=folder, capture_output=True, text=True)


def answer(command, folder):
    "The JSON object that a command prints, which must be all that it prints"
    done = call(f"{command} --json", folder)
    assert done.returncode == 0, done.stderr
    line, = done.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Where data.npz is, in the published format"
    from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
    folder, images, rng = tmp_path_factory.mktemp("commands"), ilsvrc().train, np.random.default_rng(0)
    parts = [Images(m, (rng.random(len(m)) < .05 + m).astype(float), np.full(len(m), .05)) for m in (images.metric[::2], images.metric[1::2])]
    write_npz(folder / "data.npz", Dataset("data", *parts))
    return folder


def test_demo(folder):
    "Check values of the design, and the paper's curves (Fig. 6, r .1, b 4) within their tolerances"
    demo = answer("edgeml-demo", folder)
    loss = {name: row["loss"] for name, row in demo["table"].items()}
    assert abs(loss["MDP"] - .2602) <= .001 and loss["Planned"] <= .2555 and loss["DQN"] <= .2560
    assert demo["table"]["Planned"]["share"] > .96 and demo["table"]["DQN"]["share"] > .85
    for name, published, tolerance in (("Lower Bound", .24091, .001), ("Baseline", .27225, .003), ("MDP", .26154, .003)):
        assert abs(loss[name] - published) <= tolerance, name
    assert all((folder / plot).stat().st_size > 10_000 for plot in demo["plots"])


def test_published_commands(folder):
    "Train, resume at a lower learning rate, simulate: fewer iterations and streams than published, all else as typed"
    flags = "--tr 0.25 --tb 2 --stype 1 --itype 1"
    assert answer(f"edgeml-train data.npz wts {flags} --lr 3 --maxiter 30", folder)["iterations"] == 30
    assert answer(f"edgeml-train data.npz wts {flags} --lr 4 --maxiter 40", folder)["iterations"] == 40
    losses = answer(f"edgeml-simulate data.npz wts save {flags} --streams 10 --length 10000", folder)
    with np.load(folder / "save/result.npz") as result:
        for name in ("weak", "strong", "lower_bound", "baseline", "mdp", "dqn"): assert result[name].shape == () and float(result[name]) == losses[name]
    assert losses["weak"] > losses["baseline"] > losses["mdp"] > losses["dqn"] > losses["strong"]


def test_own_table_and_log(folder):
    "A table of scores and rewards becomes a data set; a log is learned from and tested as it is"
    rng = np.random.default_rng(0)
    score = rng.random(2000)
    reward = (rng.random(2000) < score).astype(float)
    np.savez(folder / "table.npz", score=score, reward=reward)
    assert answer("edgeml-metric table.npz fitted", folder)["training_images"] == 1000
    assert answer("edgeml-train fitted.npz own --maxiter 2", folder)["iterations"] == 2
    np.savez(folder / "log.npz", timestamp=np.cumsum(rng.exponential(1, 2000)), score=score, reward=reward)
    assert answer("edgeml-plan log.npz logged --metric fitted.json --tr .1 --tb 4", folder)["policy"] == "Planned"
    assert "MDP" in answer("edgeml-simulate log.npz logged saved --tr 1/3", folder)["verdict"]


def test_export(folder):
    "A plan for a limit that it was not made for, and a DQN, each runtime checked in a process without TensorFlow"
    answer("edgeml-plan data.npz plan --stype 1", folder)
    answer("edgeml-train data.npz dqn --stype 1 --ngdup 2 --gbsz 64 --nlayers 1 --nhidden 16 --maxiter 2 --sfreq 2", folder)
    for command, runtimes in (("edgeml-export data.npz plan device --tr .2 --tb 2", {"numpy"}), ("edgeml-export data.npz dqn device2", {"numpy", "numba", "litert", "onnx"})):
        exported = answer(command, folder)["runtimes"]
        assert set(exported) == runtimes
        assert all(each["flipped"] == 0 and each["largest_difference"] <= 1e-5 for each in exported.values())


@pytest.mark.parametrize("command, said", {
    "edgeml-train data.npz wts --tb 3": "--tb 3.0 contradicts wts",
    "edgeml-train data.npz new --tr 0": "--tr: rate is 0.0; expected more than 0",
    "edgeml-train data.npz new --tr nan": "argument --tr: 'nan'; expected a number such as 0.1 or 1/3",
    "edgeml-train data.npz new --tr .1:.25": "edgeml-plan makes a run for every limit, and needs no range",
    "edgeml-plan data.npz wts": "wts holds a DQN run; expected a Planned run",
    "edgeml-train wts new": "wts",
    "edgeml-simulate data.npz new save": "new has no checkpoint.npz",
    "edgeml-export data.npz new device2": "new has no checkpoint.npz",
    "edgeml-replay data.npz new": "data.npz has no line that starts a session",
}.items())
def test_mistakes(folder, command, said):
    "One sentence, exit status 2, nothing made"
    (folder / "wts").mkdir(exist_ok=True)
    before = sorted(folder.rglob("*"))
    done = call(command, folder)
    assert done.returncode == 2 and said in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr and not done.stdout
    assert sorted(folder.rglob("*")) == before
