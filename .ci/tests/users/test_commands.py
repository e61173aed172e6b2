"The commands as programs: the demo, the published commands as written, and what is said of mistakes"
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import BIN



def call(command, folder, tensorflow=True):
    "A command line, run in `folder`, perhaps where importing TensorFlow is an error"
    program, *words = command.split()
    paths = [os.environ.get("PYTHONPATH", "")] if tensorflow else [str(folder / "without"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run([BIN / program, *words], cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))})


def answer(command, folder, tensorflow=True):
    "The JSON object that a command prints, which must be all that it prints"
    done = call(f"{command} --json", folder, tensorflow)
    assert done.returncode == 0, done.stderr
    line, = done.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "Where data.npz is, in the published format, and modules in place of TensorFlow and Keras"
    from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
    folder, images, rng = tmp_path_factory.mktemp("commands"), ilsvrc().train, np.random.default_rng(0)
    parts = [Images(m, (rng.random(len(m)) < .05 + m).astype(float), np.full(len(m), .05)) for m in (images.metric[::2], images.metric[1::2])]
    write_npz(folder / "data.npz", Dataset("data", *parts))
    (folder / "without").mkdir()
    for name in ("tensorflow", "keras"): (folder / f"without/{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    return folder


def test_demo(folder):
    "With a third of the training and of the streams: check values of the design, and the paper's curves (Fig. 6, r .1, b 4), within their tolerances"
    demo = answer("edgeml-demo --iterations 300 --streams 30", folder)
    loss = {name: row["loss"] for name, row in demo["table"].items()}
    assert abs(loss["MDP"] - .2602) <= .001 and loss["Planned"] <= .2555 and loss["DQN"] <= .2560
    assert demo["table"]["Planned"]["share"] > .96 and demo["table"]["DQN"]["share"] > .9
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
    assert answer("edgeml-metric table.npz fitted", folder, tensorflow=False)["training_images"] == 1000
    assert answer("edgeml-train fitted.npz own --iterations 2", folder)["iterations"] == 2
    np.savez(folder / "log.npz", timestamp=np.cumsum(rng.exponential(1, 2000)), score=score, reward=reward)
    assert answer("edgeml-plan log.npz logged --metric fitted.json --rate .1 --depth 4", folder, tensorflow=False)["policy"] == "Planned"
    assert "MDP" in answer("edgeml-simulate log.npz logged saved --rate 1/3", folder, tensorflow=False)["verdict"]


def test_sweep_of_plans(folder):
    "Without a network, and without its time: neither the sweep nor its workers import TensorFlow"
    assert answer("edgeml-sweep none swept --rate .1,.2 --streams 2 --length 1000 --jobs 2", folder, tensorflow=False) == dict(cells=2, failed=0, results="swept/results.parquet")


def test_export(folder):
    "A plan for a limit that it was not made for, and a DQN, each runtime checked in a process without TensorFlow"
    answer("edgeml-plan data.npz plan --order reset", folder)
    answer("edgeml-train data.npz dqn --order reset --gradient-steps 2 --batch_size 64 --layers 1 --units 16 --iterations 2 --every 2", folder)
    for command, runtimes in (("edgeml-export data.npz plan device --rate .2 --depth 2", {"numpy"}), ("edgeml-export data.npz dqn device2", {"numpy", "numba", "litert", "onnx"})):
        exported = answer(command, folder)["runtimes"]
        assert set(exported) == runtimes
        assert all(each["flipped"] == 0 and each["largest_difference"] <= 1e-5 for each in exported.values())


@pytest.mark.parametrize("command, said", {
    "edgeml-train data.npz wts --tb 3": "--depth/--tb 3.0 contradicts wts",
    "edgeml-train data.npz new --tr 0": "--rate/--tr is 0.0; expected more than 0",
    "edgeml-train data.npz new --tr nan": "argument --rate/--tr: 'nan'; expected a number such as 0.1 or 1/3",
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


TOLD = """from pathlib import Path
from tqdm import tqdm
from edgeml_dqn import training
from edgeml_dqn.network import Perceptron
scored = training.score_of

def tell(word):
    with open("told.txt", "a") as file: file.write(f"{word}\\n")

class Bar(tqdm):
    def update(self): tell("iterated")

def told_scored(*args):
    tell("scoring")
    return scored(*args)

def network(inputs):
    tell("built")
    return Perceptron((8,))(inputs)

training.tqdm, training.score_of = Bar, told_scored
"""  # a module of the user's own, which tells how far the command is
MOMENTS = {  # what is loaded or told, and within how many seconds of it Ctrl-C comes
    "numpy": 1, "libtensorflow": 2, "built": 3, "iterated": .5, "scoring": .05}


def test_interrupts(folder):
    "Ctrl-C at random moments: exit status 130, one sentence, and all iterations that were finished; the same command goes on from there"
    from edgeml_dqn.runs import load_run
    (folder / "told.py").write_text(TOLD)
    told, kept, rng = folder / "told.txt", 0, random.Random(0)
    for moment, seconds in MOMENTS.items():
        told.write_text("")
        words = "data.npz interrupted --network told:network --gradient-steps 2 --batch-size 32 --metric-history 8 --iterations 1000000 --every 50".split()
        process = subprocess.Popen([BIN / "edgeml-train", *words], cwd=folder, stderr=subprocess.PIPE, text=True)
        maps = Path(f"/proc/{process.pid}/maps")
        while moment not in told.read_text() + maps.read_text():
            assert process.poll() is None, process.stderr.read()
            time.sleep(.01)
        time.sleep(seconds * rng.random())
        finished, began = told.read_text().split().count("iterated"), time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        print(f"{moment}: {finished} iterations were finished; over after {time.monotonic() - began:.2f} s")
        assert (process.returncode, said) == (130, "edgeml-train: interrupted; what was saved is whole, and the same command goes on from there\n")
        before, kept = kept, load_run(folder / "interrupted").state.learner.iteration if (folder / "interrupted/checkpoint.npz").exists() else 0
        assert kept >= before + finished
