"""Server and device for a long time: twenty minutes at the paper's rate and five at saturation, and what became of images and memory

    python .ci/tools/environments.py service.py                     # half an hour; writes nbs/reliability/service.json
    python .ci/tools/environments.py service.py --minutes .2 --saturated .1 --out service.json
"""
import datetime
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from conftest import BIN, ROOT
from fastcore.script import call_parse

from edgeml_dqn.bucket import TokenBucket
from edgeml_dqn.digits import digit_data
from edgeml_dqn.export import export_policy
from edgeml_dqn.metric import populations
from edgeml_dqn.planned import Planned, learn_outlook
from edgeml_dqn.sequences import LocationReset, Source

page = os.sysconf("SC_PAGE_SIZE")
phases = {  # flags of edgeml-device; a rate of one image a millisecond binds nobody, so that every image of some worth is sent
    "paper": "--rate .1 --depth 4 --time-unit .1 --deadline .1 --bandwidth 30 --delay 1",
    "saturated": "--rate 1 --depth 1 --time-unit .001 --deadline .1 --saturate"}


def command(line, folder):
    "A command, as a process of its own"
    program, *words = line.split()
    return subprocess.Popen([BIN / program, *words, "--json"], cwd=folder, stdout=subprocess.PIPE, text=True)


def megabytes(process): return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * page / 1e6


def watched(server, device, log, seconds):
    "Resident megabytes of both, ten times a minute or more, from the first image until the device is told to stop"
    while not log.exists() or log.read_bytes().count(b"\n") < 20: time.sleep(.1)
    seen, began = [], time.monotonic()
    while time.monotonic() - began < seconds:
        seen.append([megabytes(process) for process in (server, device)])
        time.sleep(min(6, seconds / 50))
    device.send_signal(signal.SIGINT)
    return seen


def growth(megabytes):
    "From the end of the first tenth to the end"
    return round(megabytes[-1] - megabytes[len(megabytes) // 10], 2)


def run(phase, folder, server, url, minutes):
    "What the device says, and how memory grew"
    log = folder / f"{phase}.jsonl"
    device = command(f"edgeml-device policy edgeml_dqn.digits:scene {url} --key-file key.txt --log {log.name} {phases[phase]}", folder)
    server_mb, device_mb = zip(*watched(server, device, log, 60 * minutes))
    said = json.loads(device.communicate(timeout=600)[0])
    decided = sum(json.loads(line)["event"] == "image" for line in log.read_text().splitlines())
    return dict(minutes=minutes, lost=decided - said["images"], server_growth_mb=growth(server_mb), device_growth_mb=growth(device_mb), server_mb=round(server_mb[-1], 1), device_mb=round(device_mb[-1], 1)) | said


@call_parse
def main(
    minutes: float = 20,  # at the paper's rate
    saturated: float = 5,  # minutes
    out: str = str(ROOT / "nbs/reliability/service.json"),  # gets the results
):
    "Run both phases on one server"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        source = Source(populations(digit_data())[0], LocationReset(.1, .1))
        export_policy(folder / "policy", Planned(learn_outlook(source), TokenBucket(.1, 4)), source)
        (folder / "key.txt").write_text("open-sesame")
        server = command("edgeml-serve edgeml_dqn.digits:strong_model --port 0 --key-file key.txt", folder)
        try:
            url = json.loads(server.stdout.readline())["url"]
            results = {phase: run(phase, folder, server, url, length) for phase, length in (("paper", minutes), ("saturated", saturated))}
        finally: server.terminate()
        results |= dict(date=str(datetime.date.today()), server_status=server.wait(), load=os.getloadavg()[1], cores=os.cpu_count())
    Path(out).write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))
