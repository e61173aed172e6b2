"""Mutate files of every kind that the package reads, and see that each is refused in one sentence or read exactly

python .ci/tools/environments.py fuzz.py 10000 [KIND ...] --keep    (of each kind; the outcome goes to nbs/reliability/fuzz.csv)
"""
import csv
import hashlib
import io
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from edgeml_dqn import cli_runs, decisions, logs, run_flags, times
from edgeml_dqn.calibration import OffloadingMetric, read_metric, write_metric
from edgeml_dqn.columns import known_name
from edgeml_dqn.data import read_npz
from edgeml_dqn.metric import ExpectedReward
from edgeml_dqn.reading import read_columns
from edgeml_dqn.exported import load_policy
from edgeml_dqn.simulate import decide
from edgeml_dqn.grids import read_cells, read_grids

try: import tomllib
except ModuleNotFoundError: import tomli as tomllib  # Python 3.10

MEMORY, SECONDS, PART = 2**30, 20, 250  # that reading one file may take, and files that one process reads
spawn = get_context("spawn")  # TensorFlow forbids to fork
INTERESTING = [bytes(n) for n in (1, 4, 8)] + [b"\xff" * n for n in (1, 4, 8)] + [b"\x7f", b"\x80", (2**31).to_bytes(4, "little"), (2**62).to_bytes(8, "little"), b"\x00\x00\x00\x00\x00\x00\xf8\x7f", b"-1", b"nan", b"1e999", b"9" * 30, b"'", b'"', b"{", b"[" * 2000, b",", b"\n", b"\xc3\x28"]


def mutated(whole, rng):
    "Bytes with one to four changes: flipped, overwritten, cut out, doubled, put in, or cut off"
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, kind = rng.randrange(len(data) + 1), rng.randrange(6)
        length = rng.choice((1, 2, 4, 8, 16, 100))
        if kind == 0 and at < len(data): data[at] ^= 1 << rng.randrange(8)
        elif kind == 1: word = rng.choice(INTERESTING); data[at:at + len(word)] = word
        elif kind == 2: del data[at:at + length]
        elif kind == 3: data[at:at] = data[at:at + length]
        elif kind == 4: data[at:at] = rng.choice(INTERESTING)
        elif at: del data[at:]
    return bytes(data)


def inside(whole, rng):
    "An archive of which one member is mutated, with the right checksum"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive: members = {name: archive.read(name) for name in archive.namelist()}
    name, changed = rng.choice(sorted(members)), io.BytesIO()
    members[name] = mutated(members[name], rng)
    with zipfile.ZipFile(changed, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in members.items(): archive.writestr(name, data)
    return changed.getvalue()


def of_archive(whole, rng): return rng.choice((mutated, inside))(whole, rng)


def saved(**arrays):
    "The bytes of an npz file"
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def plain(value):
    "A value that == compares in full, NaN being equal to itself"
    if isinstance(value, dict): return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)): return [plain(part) for part in value]
    array = np.asarray(value)
    return (array.shape, [repr(part) for part in array.ravel().tolist()])


# What is read, and by whom else

rng0 = np.random.default_rng(0)
columns = {f"{name}_{part}": rng0.random(20).round(3) for name in ("metric", "wcost", "scost") for part in ("tr", "ts")}


def data(path):
    images = read_npz(path)
    return plain({f"{name}_{part}": getattr(side, ours) for part, side in (("tr", images.train), ("ts", images.test)) for name, ours in (("metric", "metric"), ("wcost", "loss_weak"), ("scost", "loss_strong"))})


def data_otherwise(path):
    with np.load(path, allow_pickle=False) as file: return plain({name: file[name].astype(float) for name in columns})


def table(path): return plain(read(path))


def read(path): return {name: column for name, column in read_columns(path).items() if column is not None}


def known(columns): return {known_name(name): column for name, column in columns.items() if known_name(name)}


def npz_otherwise(path):
    with np.load(path, allow_pickle=False) as file: return plain(dict(file))


def npz_table_otherwise(path):
    with np.load(path, allow_pickle=False) as file: return plain(known({name: file[name] for name in file.files if known_name(name)}))


def parquet_otherwise(path):
    parts = [part.to_pydict() for part in parquet.ParquetFile(path).iter_batches(7)]
    return plain(known({name: np.array([float("nan") if value is None else value for part in parts for value in part[name]]) for name in parts[0]}))


def csv_otherwise(path):
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file: header, *rows = [row for row in csv.reader(file) if row]
    assert all(len(row) == len(header) for row in rows), "uneven rows"
    return known({name: [Text(row[i]) for row in rows] for i, name in enumerate(header)})


class Text(str):
    "A field of a CSV file, which equals the number, the truth or the text that it stands for"

    def __eq__(self, value):
        if isinstance(value, bool): return self.lower() in ("1", "true") if value else self.lower() in ("0", "false")
        if isinstance(value, str): return str(self) == value
        if value != value: return self.strip(" \t").lower() in MISSING
        return float(self) == value


MISSING = {"", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "n/a", "na", "null", "nan"}


def csv_table(path): return {name: column.tolist() for name, column in read(path).items()}


MAKE = """import sys
from pathlib import Path
from edgeml_dqn.bucket import TokenBucket
from edgeml_dqn.cli_learn import edgeml_plan, edgeml_train
from edgeml_dqn.cli_export import edgeml_export
from edgeml_dqn.controller import Controller
from edgeml_dqn.exported import load_policy
folder = Path(sys.argv[1])
edgeml_plan('ilsvrc', str(folder / 'planned'), rate=.1, depth=4, order='reset')
edgeml_train('ilsvrc', str(folder / 'dqn'), rate=.1, depth=4, order='reset', gradient_steps=2, batch_size=32, layers=1, units=4, metric_history=4, iterations=2, every=1)
for run in ('planned', 'dqn'): edgeml_export('ilsvrc', str(folder / run), str(folder / f'{run}_policy'), runtimes='numpy')
with Controller(load_policy(folder / 'dqn_policy'), lambda image: (0, image / 9), lambda image, seconds: 1, TokenBucket(.1, 4), log=folder / 'log.jsonl', start='full') as controller:
    for image in range(9): controller(image)
"""


def made(folder):
    "Runs and exports of both kinds, made in a process of their own, for TensorFlow takes memory and threads"
    subprocess.run([sys.executable, "-c", MAKE, folder], check=True, capture_output=True)


def policy(path):
    "As a device reads an export: to the first decision, and with the right sum for arrays that were mutated"
    about = json.loads((path.parent / "policy.json").read_text())
    about["files"]["policy.npz"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / "policy.json").write_text(json.dumps(about))
    loaded = load_policy(path.parent)
    loaded.observe(.3)
    loaded.prices()
    with np.load(path) as file: return plain(dict(file))


def description(path):
    load_policy(path.parent)
    return json.loads(path.read_text())


def json_otherwise(path): return json.loads(path.read_text())


def metric(path):
    kept = read_metric(path)
    kept(np.array([.1, .5]))
    return dict(temperature=kept.temperature, score=kept.curve.metric.tolist(), expected_reward=kept.curve.reward.tolist())


def metric_otherwise(path):
    kept = json.loads(path.read_text())
    return {name: kept[name] for name in ("temperature", "score", "expected_reward")}


def grid(path):
    read_cells(path)
    return dict(grid=read_grids(path))


def grid_otherwise(path):
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.suffix == ".toml" else json.loads(path.read_text())
    return dict(grid=content.get("grid", [content]))


def log(path):
    read = [[session.start, *session.events] for session in decisions.read_decisions(path)]
    return dict(events=sorted(json.dumps(event) for session in read for event in session))


def log_otherwise(path):
    "All lines that are JSON, of which the package may leave out some, as lost"
    lines = set()
    for line in path.read_text(errors="replace").splitlines():
        try: lines.add(json.dumps(json.loads(line)))
        except (ValueError, RecursionError): pass
    return dict(events=[event for event in log(path)["events"] if event in lines])


def trace(path):
    read = logs.read_log(path)
    return dict(seconds=[float(x) for x in read.elapsed / times.RESOLUTION + first_time(path)])


def first_time(path): return float(read_columns(path)["timestamp"][0])


def trace_otherwise(path): return dict(seconds=[Near(text) for text in csv_otherwise(path)["timestamp"]])


class Near(Text):
    "A time in a CSV file, which a log keeps to the millionth"

    def __eq__(self, value): return abs(float(self) - value) <= 1e-6 * max(1, abs(value))


def checkpoint(path):
    "As edgeml-simulate opens a run: to the first decisions"
    opened = cli_runs.open_run("ilsvrc", str(path.parent), {})
    decide(opened.policy, opened.task.train.sample(2, 50, 0), 0)
    with np.load(path) as file: return plain(dict(file))


def equal(one, other):
    if isinstance(one, dict): return isinstance(other, dict) and one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list): return isinstance(other, list) and len(one) == len(other) and all(map(equal, one, other))
    return other == one or one != one and other != other


def kinds(folder):
    "Name: the file's name, its bytes, how it is mutated, how the package reads it, and how it is read otherwise"
    frame = pd.DataFrame({"timestamp": np.arange(30.) / 4, "metric": rng0.random(30), "reward": rng0.integers(-1, 2, 30), "weak_logits": list(rng0.random((30, 3)))})
    packed = io.BytesIO()
    def kept(name): return (folder / name).read_bytes()
    made(folder)
    write_metric(folder / "metric.json", OffloadingMetric(None, ExpectedReward(np.array([0., .5, 1.]), np.array([-.1, .2, .9]))), loss="top1")
    frame.to_parquet(packed)
    return {
        "data.npz": ("data.npz", saved(**columns), of_archive, data, data_otherwise),
        "table.npz": ("table.npz", saved(metric=rng0.random(30), weak_logits=rng0.random((30, 3)), labels=rng0.integers(9, size=30)), of_archive, table, npz_table_otherwise),
        "table.parquet": ("table.parquet", packed.getvalue(), mutated, table, parquet_otherwise),
        "table.csv": ("table.csv", frame.drop(columns="weak_logits").to_csv(index=False).encode(), mutated, csv_table, csv_otherwise),
        "dqn/checkpoint.npz": ("dqn/checkpoint.npz", kept("dqn/checkpoint.npz"), of_archive, checkpoint, npz_otherwise),
        "planned/checkpoint.npz": ("planned/checkpoint.npz", kept("planned/checkpoint.npz"), of_archive, checkpoint, npz_otherwise),
        "dqn/policy.npz": ("dqn_policy/policy.npz", kept("dqn_policy/policy.npz"), inside, policy, npz_otherwise),
        "planned/policy.npz": ("planned_policy/policy.npz", kept("planned_policy/policy.npz"), inside, policy, npz_otherwise),
        "policy.json": ("dqn_policy/policy.json", kept("dqn_policy/policy.json"), mutated, description, json_otherwise),
        "metric.json": ("metric.json", (folder / "metric.json").read_bytes(), mutated, metric, metric_otherwise),
        "grid.toml": ("grid.toml", b'spread = [0.1, 0.2]\nrate = [0.1, 0.25]\ndepth = 4\nstreams = 2\nlength = 1000\niterations = 0\n', mutated, grid, grid_otherwise),
        "grid.json": ("grid.json", b'{"grid": [{"spread": [0.1, 0.2], "rate": 0.1, "depth": [4, 5.5]}, {"spread": 0.2, "seed": [0, 1]}]}', mutated, grid, grid_otherwise),
        "log.jsonl": ("log.jsonl", kept("log.jsonl"), mutated, log, log_otherwise),
        "trace.csv": ("trace.csv", frame.drop(columns="weak_logits").to_csv(index=False).encode(), mutated, trace, trace_otherwise),
    }


def judge(path, read, otherwise):
    "refused, exact, or what is wrong"
    try: value = read(path)
    except (ValueError, OSError) as error:
        said = str(error)
        if "\n" in said: return f"says more than a line: {said!r:.300}"
        return "refused" if path.name in said or path.parent.name in said or said.startswith(tuple(run_flags.DEFAULTS["DQN"])) else f"does not name the file: {said:.300}"
    except BaseException as error: return f"{type(error).__name__}: {error}"[:300]
    try: other = otherwise(path)
    except Exception as error: return f"read, though {type(error).__name__}: {error}"[:300]
    return "exact" if equal(value, other) else "read, but not exactly"


def part(folder, kind, seeds, answers):
    "Mutants of these seeds, in a process of their own"
    name, whole, mutate, read, otherwise = kind
    sys.stderr = io.StringIO()
    (folder / name).write_bytes(whole)
    unharmed = judge(folder / name, read, otherwise)  # from when on all that reading needs is imported
    if unharmed != "exact": answers.put((seeds[0], f"without a change: {unharmed}"))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for seed in seeds:
        (folder / name).write_bytes(mutate(whole, random.Random(seed)))
        answers.put((seed, None))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of computing: another machine's load is no fault of the file
        signal.alarm(100 * SECONDS)  # both end the process
        answer = judge(folder / name, read, otherwise)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        answers.put((seed, answer))
    answers.put(None)


def fuzz(kind, count, folder, first=0):
    "Outcomes, counted, and the first seed of each that is wrong"
    name, whole, *_ = kind
    seeds, outcomes, wrong = list(range(first, first + count)), Counter(), {}
    while seeds:
        answers, batch = spawn.SimpleQueue(), seeds[:PART]
        child = spawn.Process(target=part, args=(folder, kind, batch, answers))
        child.start()
        tried = None
        while True:
            if answers._reader.poll(1): item = answers.get()
            elif child.is_alive(): continue
            elif answers._reader.poll(0): continue
            else: item = (tried, f"ended the process with {child.exitcode}")
            if item is None: seeds = seeds[len(batch):]; break
            tried, answer = item
            if answer is None: continue
            outcome = answer if answer in ("refused", "exact") else "wrong"
            outcomes[outcome] += 1
            if outcome == "wrong": wrong.setdefault(answer, tried)
            if answer.startswith("ended"): seeds = seeds[seeds.index(tried) + 1:]; break
        child.join()
    (folder / name).write_bytes(whole)
    return outcomes, wrong


def main(count, *names):
    keep, names = "--keep" in names, [name for name in names if name != "--keep"]
    path = Path(__file__).parents[3] / "nbs/reliability/fuzz.csv"
    rows = {row["kind"]: row for row in csv.DictReader(path.open())} if path.exists() else {}
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        for name, kind in kinds(Path(folder)).items():
            if names and name not in names: continue
            outcomes, wrong = fuzz(kind, int(count), Path(folder))
            rows[name] = dict(date=date.today().isoformat(), kind=name, mutations=sum(outcomes.values()), refused=outcomes["refused"], exact=outcomes["exact"], wrong=outcomes["wrong"])
            print(json.dumps(rows[name]), *(f"\n  seed {seed}: {what}" for what, seed in wrong.items()), flush=True)
            if not keep: continue
            with open(path, "w", newline="") as file:
                out = csv.DictWriter(file, rows[name])
                out.writeheader()
                out.writerows(rows.values())


if __name__ == "__main__": main(*sys.argv[1:])
