"""Processes that share a bucket on a Redis server, which is killed, frozen and started again with what it had, with nothing, and with an old snapshot

python .ci/tools/environments.py shared.py 100000 --keep    (the outcome goes to nbs/reliability/shared.json and shared.csv)
"""
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from edgeml_dqn import shared_bucket
from edgeml_dqn.bucket import TokenBucket
from edgeml_dqn.controller import Controller
from edgeml_dqn.limit import threshold_limit
from edgeml_dqn.metric import ExpectedReward
from edgeml_dqn.outlook import Outlook
from edgeml_dqn.filter import Filter
from edgeml_dqn.replay import excess
from edgeml_dqn.runtime import DevicePolicy, policy_arrays
from edgeml_dqn.shared_tokens import SharedTokens

PROCESSES, DEADLINE = 8, .5  # seconds
UNIT = Fraction(1, 20)  # seconds; one token in each
spawn = get_context("spawn")


def greedy(bucket):
    "A policy that offloads whenever it may"
    two = np.full(2, .5, np.float32)
    flat = Filter(np.array([0.]), two, np.full((2, 2), .5, np.float32), np.full((2, 2), .5, np.float32))
    outlook = Outlook(np.linspace(0, 1, 100), np.array([1.]), np.array([1.]), flat, two)
    curve = ExpectedReward(np.array([0., 1.]), np.array([0., 1.]))
    return DevicePolicy(policy_arrays(threshold_limit("greedy", bucket, -np.inf), outlook, curve, (.5, .25)))


def device(url, depth, tries, trusting, done, going, answer):
    "What a process does: so many images, as fast as it can; what it got, and when"
    if trusting: shared_bucket.SCRIPT = shared_bucket.SCRIPT.replace("if kept[1] == run then", "if kept[1] then")
    bucket, sent, reasons, slowest, late = TokenBucket(1, depth), [], Counter(), 0, 0
    with (
        shared_bucket.SharedBucket(url, "uplink") as shared,
        Controller(
            greedy(bucket), lambda image: (0, .5), lambda image, seconds: 1, bucket, deadline=DEADLINE, time_unit=UNIT, in_flight=64,
            shared=shared) as controller,
    ):
        done.value = 0
        going.wait()
        while done.value < tries:
            before = time.time_ns()
            record = controller(None).record
            if record["offload"]:
                assert before <= 1000 * record["server_us"] + 1000 and 1000 * record["server_us"] <= time.time_ns()  # the server's clock is this machine's
                sent.append(record["server_us"])
            reasons[record["reason"]] += 1
            slowest = max(slowest, record["total_ms"])
            late += record["total_ms"] > 1e3 * DEADLINE
            done.value += 1
            if record["reason"] == "bucket away": time.sleep(.01)
    answer.put((sent, reasons, slowest, late))


def wait_for(devices, enough):
    "Until each device has done so many, or a device fails"
    while not all(done.value >= goal for (_, done), goal in zip(devices, enough)):
        assert all(process.is_alive() or process.exitcode == 0 for process, _ in devices)
        time.sleep(.005)


def mishaps(server, devices, tries, what):
    "Each at its part of the way; when it began and ended, by the clock of this machine"
    for part, name in enumerate(what, 1):
        wait_for(devices, [tries * part // (len(what) + 1)] * len(devices))
        began = time.time()
        if name == "frozen":
            server.freeze()
            wait_for(devices, [min(tries, done.value + 10) for _, done in devices])  # nobody hangs
            server.thaw()
        else:
            server.kill()
            if name == "nothing": server.snapshot.unlink()
            time.sleep(.5)
            if name == "old snapshot": server.snapshot.write_bytes(server.full)
            server.start()
        yield dict(what=name, began=began, ended=time.time())


def together(tries, depth, what, trusting=False):
    "Facts of one run, and the moments of all offloads"
    from edgeml_dqn.testing import RedisServer  # here, for a device does without what this needs
    with tempfile.TemporaryDirectory() as folder, RedisServer(folder) as server:
        answer, going = spawn.SimpleQueue(), spawn.Event()
        counts = [spawn.Value("q", -1) for _ in range(PROCESSES)]
        devices = [(spawn.Process(target=device, args=(server.url, depth, tries, trusting, done, going, answer)), done) for done in counts]
        for process, _ in devices: process.start()
        wait_for(devices, [0] * PROCESSES)
        with shared_bucket.SharedBucket(server.url, "uplink") as shared:
            tokens = SharedTokens(shared, TokenBucket(1, depth), UNIT * 10**9, "watching")
            while tokens.advance(0) < tokens.bucket.capacity: time.sleep(.1)
            shared.client.persist(shared.keys[1])  # a snapshot from which a full bucket comes back, however old it is
            shared.client.save()
        server.full = server.snapshot.read_bytes()
        began = time.time()
        going.set()
        events = list(mishaps(server, devices, tries, what))
        answers = [answer.get() for _ in devices]
        for process, _ in devices: process.join()
    sent = sorted(us for times, *_ in answers for us in times)
    reasons = sum((reasons for _, reasons, *_ in answers), Counter())
    most = excess([1000 * us for us in sent], TokenBucket(1, depth), UNIT * 10**9)
    facts = dict(
        processes=PROCESSES, tries=reasons.total(), offloads=len(sent), rate=float(1 / UNIT), depth=depth, seconds=round(time.time() - began, 1),
        excess=float(most), reasons=dict(reasons), deadline_ms=1e3 * DEADLINE, slowest_ms=round(max(slowest for *_, slowest, _ in answers), 1),
        late=sum(late for *_, late in answers))
    for event in events: event.update(began=round(event["began"] - began, 2), ended=round(event["ended"] - began, 2))
    return facts | dict(events=events), np.array(sent) / 1e6 - began


WHAT = "as it was", "nothing", "old snapshot", "frozen"

if __name__ == "__main__":
    tries = int(sys.argv[1])
    facts, sent = together(tries, 100, WHAT)
    caught, _ = together(min(tries, 2000), 100, ["old snapshot"], trusting=True)
    facts = dict(date=date.today().isoformat()) | facts | dict(excess_of_one_that_trusts_the_snapshot=caught["excess"])
    if "--keep" in sys.argv:
        folder = Path(__file__).parents[3] / "nbs/reliability"
        (folder / "shared.json").write_text(json.dumps(facts, indent=1) + "\n")
        counts, _ = np.histogram(sent, np.arange(0, facts["seconds"] + 1))
        rows = "".join(f"{second},{count}\n" for second, count in enumerate(counts))
        (folder / "shared.csv").write_text("second,offloads\n" + rows)
    print(json.dumps(facts))
