"A device needs NumPy: what runs there, in a virtual environment that has NumPy and this package and nothing else"
import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution, files
from pathlib import Path

import numpy as np
import pytest
from conftest import PYTHON

DEVICE = """import json, sys, time
from edgeml_dqn.bucket import TokenBucket
from edgeml_dqn.calibration import read_metric
from edgeml_dqn.controller import Controller
from edgeml_dqn.decisions import read_decisions
from edgeml_dqn.exported import load_policy
from edgeml_dqn.live import read_state
from edgeml_dqn.metric import ExpectedReward
from edgeml_dqn.replay import check
import numpy as np
folder, found = sys.argv[1], {}
metric, logits = read_metric(f"{folder}/metric.json"), np.load(f"{folder}/logits.npy")
def weak(logits): return int(logits.argmax()), float(metric(logits[None])[0])
for name in ("plan", "network"):
    policy, log = load_policy(f"{folder}/{name}"), f"{folder}/{name}.jsonl"
    with Controller(policy, weak, lambda logits, seconds: 1, TokenBucket(.1, 4), deadline=5, time_unit=.01, log=log) as device:
        began = device.policy_name
        for image in logits: device(image)
        device.retarget(TokenBucket(.25, 2))
        while device.policy_name != "Planned": time.sleep(.01)
        for image in logits: device(image)
    session, = read_decisions(log)
    checked = check(session, policy)
    limits = [event["policy"] for event in session.events if event["event"] == "limit"]
    found[name] = dict(began=began, limits=limits, images=checked.images, differ=checked.differ, excess=checked.excess)
curve, events, kept = ExpectedReward(np.arange(2.), np.arange(2.)), [], f"{folder}/kept"
def learning(): return Controller(
    curve, weak, lambda logits, seconds: 1, TokenBucket(.1, 4), deadline=5, time_unit=.01, watch=events.append, adaptive=True, keep=kept)
with learning() as device:
    for image in [*logits, *logits]:
        device(image)
        while device.study.time.is_set(): time.sleep(.01)
with learning(): pass
decided = [event["policy"] for event in events if event["event"] in ("start", "learned")]
found["learned"] = dict(decided=decided, images=read_state(f"{kept}/learned.npz").images)
print(json.dumps(found | dict(modules=sorted(sys.modules))))
"""


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    "An interpreter with NumPy, as it is installed here, and the package"
    folder = tmp_path_factory.mktemp("device") / "env"
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    packages = Path(sysconfig.get_path("purelib", vars=dict(base=folder, platbase=folder)))
    for name in {path.parts[0] for path in files("numpy")} - {".."}: shutil.copytree(distribution("numpy").locate_file(name), packages / name)
    subprocess.run([PYTHON, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    return python


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    "A plan and a network for rate .1, depth 4, the metric of a classifier, and some of its logits"
    from edgeml_dqn.bucket import TokenBucket
    from edgeml_dqn.calibration import fit_metric, write_metric
    from edgeml_dqn.data import Dataset, Images
    from edgeml_dqn.dqn import acting_policy
    from edgeml_dqn.learner import q_iteration, start_learner
    from edgeml_dqn.problem import Settings, make_problem
    from edgeml_dqn.export import export_policy
    from edgeml_dqn.features import History
    from edgeml_dqn.metric import populations
    from edgeml_dqn.network import Perceptron
    from edgeml_dqn.planned import DEFAULT, Planned, learn_outlook
    from edgeml_dqn.sequences import LocationReset, Source
    folder, rng, bucket = tmp_path_factory.mktemp("exports"), np.random.default_rng(0), TokenBucket(.1, 4)
    logits = rng.normal(0, 1, (2000, 5)) * rng.exponential(2, (2000, 1))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    wrong = (logits.argmax(1) != labels).astype(float)
    metric = fit_metric(logits, labels, wrong)
    write_metric(folder / "metric.json", metric)
    np.save(folder / "logits.npy", logits[:300])
    images = Images(metric(logits), wrong, np.zeros(2000))
    source = Source(populations(Dataset("made up", images, images))[0], LocationReset(.1, .1))
    outlook = learn_outlook(source, resolution=DEFAULT._replace(states=8, streams=32))
    problem = make_problem(source, bucket, History(8), Settings(1, 32), Perceptron((8,)))
    network = acting_policy(q_iteration(start_learner(problem), problem, 1e-3), problem)
    for name, policy in dict(plan=Planned(outlook, bucket), network=network).items(): export_policy(folder / name, policy, source, ("numpy",), outlook)
    return folder


def test_device_needs_numpy(python, exports):
    "Policies of both kinds, a limit that changes, the check of the log, and one that learns; what was imported is this package, NumPy and Python's own"
    done = subprocess.run([python, "-c", DEVICE, exports], capture_output=True, text=True, cwd=exports, env={})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    packages = {name.partition(".")[0] for name in found["modules"]} - sys.stdlib_module_names
    own = {name for name in packages if name.startswith(("_cython", "cython_runtime"))}  # NumPy's random numbers register these
    assert packages - own == {"__main__", "edgeml_dqn", "numpy"}, packages
    for name, began in (("plan", "Planned"), ("network", "DQN")):
        assert found[name] == dict(began=began, limits=["Baseline", "MDP", "Planned"], images=600, differ=[], excess=found[name]["excess"])
        assert found[name]["excess"] <= 0
    began, *learned, again = found["learned"]["decided"]
    assert began == "Dual" and learned and again == learned[-1] and found["learned"]["images"] == 600
