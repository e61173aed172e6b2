"""Kill a training run at random moments, fill its disk, close its directory, and see that nothing is lost

python .ci/tools/environments.py kills.py 200 --keep    (the outcome goes to nbs/reliability/kills.json)
"""
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from functools import partial
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from edgeml_dqn import cli_learn, files, training
from edgeml_dqn.data import Dataset, Images, ilsvrc, write_npz
from edgeml_dqn.runs import checkpoint, load_run

EVERY, STOP = 3, 30  # iterations between saves, and in all
KEPT = {"checkpoint.npz", "network.keras", "learning.png"}  # all that a finished run leaves
spawn = get_context("spawn")  # TensorFlow forbids to fork


def data(folder):
    "A small data set"
    images, path = ilsvrc().train, folder / "data.npz"
    few = Images(images.metric[::10], images.loss_weak[::10], images.loss_strong[::10])
    write_npz(path, Dataset("small", few, few))
    return path


def command(images, run):
    "edgeml-train; what it says on standard error, and its exit status"
    from edgeml_dqn import commands
    commands.edgeml_train  # from when on Ctrl-C ends it in order
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said:
        try: cli_learn.edgeml_train(
            str(images), str(run), order="reset", gradient_steps=4, batch_size=64, layers=1, units=32, metric_history=8, iterations=STOP,
            every=EVERY, json=True)
        except SystemExit as exit: return said.getvalue(), exit.code
    return said.getvalue(), 0


def observed(done, writing, answer, before, args):
    "What a process of its own does: the command, telling how far it is and when it writes"
    iterate, sync = training.q_iteration, files.fsync

    def counted(*args):
        learner = iterate(*args)
        done.value = learner.iteration
        return learner

    def synced(descriptor):
        writing.value += 1
        sync(descriptor)

    training.q_iteration, files.fsync = counted, synced
    cli_learn.make_validation = partial(training.make_validation, streams=2, length=500)  # scores are taken in no time: what is killed is the rest
    before()
    answer.put(command(*args))


def nothing(): pass


class Child:
    "edgeml-train in a process of its own"

    def __init__(self, *args, before=nothing):
        self.done, self.writing, self.answer = spawn.Value("q", 0), spawn.Value("q", 0), spawn.SimpleQueue()
        self.process = spawn.Process(target=observed, args=(self.done, self.writing, self.answer, before, args))
        self.process.start()

    def iterate(self, count):
        "Waits until it has done an iteration, for which it imports and compiles, and so many more"
        while not self.done.value and self.process.is_alive(): time.sleep(.0005)
        enough = self.done.value + count
        while self.done.value < enough and self.process.is_alive(): time.sleep(.0005)

    def kill(self, seconds, in_write):
        "SIGKILL after so many seconds, or, within milliseconds of it, in a write after them; whether it still ran"
        self.process.join(seconds)
        if in_write:
            writes, patience = self.writing.value, time.monotonic() + 60
            while self.writing.value == writes and self.process.is_alive() and time.monotonic() < patience: time.sleep(.0005)
            time.sleep(random.random() * .002)
        ran = self.process.is_alive()
        if ran: os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        return ran

    def result(self):
        self.process.join()
        assert not self.answer.empty(), f"it ended with {self.process.exitcode} and said nothing"
        return self.answer.get()


def arrays(run):
    "All arrays of the checkpoint"
    with np.load(checkpoint(run)) as file: return dict(file)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def kills(folder, count, seed=0):
    "So many kills over as many runs as they take, each of which is finished in the end"
    images, facts = data(folder), dict(kills=0, before_iterating=0, runs=0, checkpoints=0, lost=0, left_over=0)
    random.seed(seed)
    began, whole = time.monotonic(), Child(images, folder / "whole")
    whole.iterate(0)
    start_up = time.monotonic() - began
    assert whole.result() == ("", 0)
    undisturbed = arrays(folder / "whole")
    while facts["kills"] < count:
        run, ended = folder / f"run{facts['runs']}", False
        while not ended:
            child = Child(images, run)
            if facts["kills"] < count and killed(child, start_up, facts["kills"] % 2):
                facts["kills"] += 1
                facts["before_iterating"] += child.done.value == 0
                if checkpoint(run).exists():
                    state = load_run(run).state
                    facts["checkpoints"] += 1
                    facts["lost"] = max(facts["lost"], child.done.value - state.learner.iteration)
                if (run / "network.keras").exists(): assert ZipFile(run / "network.keras").testzip() is None
            else:
                said, status = child.result()
                assert status == 0, said
                ended = True
        facts["runs"] += 1
        assert same(arrays(run), undisturbed), "other weights than an undisturbed run's"
        facts["left_over"] += len({file.name for file in run.iterdir()} ^ KEPT)
    assert facts["lost"] <= EVERY, facts
    return facts | dict(save_interval=EVERY)


def killed(child, start_up, in_write):
    "One child in four while it starts, the others after some iterations, so that a run is killed several times; whether it still ran"
    if random.random() < .25: return child.kill(random.random() * start_up, in_write)
    child.iterate(random.randrange(2 * EVERY))
    return child.kill(random.random() * .02, in_write)


def full_disk(folder, images, undisturbed):
    "A save that does not fit: one sentence, the save before it whole, and the run goes on when there is room"
    run, room = folder / "full", checkpoint(folder / "whole").stat().st_size - 100  # the last save is the largest
    said, status = Child(images, run, before=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))).result()
    assert status == 2 and said.count("\n") == 1 and str(checkpoint(run)) in said, said
    saved = load_run(run).state.learner.iteration
    assert 0 < saved < STOP and {file.name for file in run.iterdir()} == {"checkpoint.npz", "network.keras"}
    assert Child(images, run).result()[1] == 0 and same(arrays(run), undisturbed)
    return dict(said=said.strip().replace(str(folder), ""), saved=saved)


def become_nobody():
    "Who may not write: root may everything"
    if os.getuid() == 0: os.setuid(65534)


def closed_directory(folder, images):
    "A directory that may not be written to: one sentence, before any time is spent"
    shut = folder / "shut"
    shut.mkdir(mode=0o555)
    folder.chmod(0o755)
    said, status = Child(images, shut / "run", before=become_nobody).result()
    assert status == 2 and said.count("\n") == 1 and "Permission denied" in said, said
    return said.strip().replace(str(folder), "")


def two_at_once(folder, images, undisturbed):
    "A second process in the same directory is refused by name, and the first one is not disturbed"
    run, there = folder / "shared", spawn.Event()
    first, second = Child(images, run), Child(images, run, before=there.wait)
    while not checkpoint(run).exists(): time.sleep(.01)
    there.set()
    said, status = second.result()
    assert status == 2 and "in use by another process" in said and str(run) in said and said.count("\n") == 1, said
    assert first.result()[1] == 0 and same(arrays(run), undisturbed)
    return said.strip().replace(str(folder), "")


def everything(count):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = kills(folder, count)
        images, undisturbed = folder / "data.npz", arrays(folder / "whole")
        return facts | dict(full_disk=full_disk(folder, images, undisturbed), closed_directory=closed_directory(folder, images), two_at_once=two_at_once(folder, images, undisturbed))


if __name__ == "__main__":
    facts = dict(date=date.today().isoformat()) | everything(int(sys.argv[1]))
    if "--keep" in sys.argv: Path(__file__).parents[3].joinpath("nbs/reliability/kills.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(json.dumps(facts))
