"""Three cameras by command: one plan for all, a bucket on a Redis server, and the checks of their logs"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from edgeml_dqn.data import write_npz
from edgeml_dqn.digits import digit_data
from edgeml_dqn.testing import RedisServer

CAMERAS = 3


def command(name, *words):
    "A command, as a process"
    code = f"from edgeml_dqn.commands import {name}; {name}()"
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words), "--json"], stdout=subprocess.PIPE, text=True, cwd=folder)


def answer(process):
    "What it prints"
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, process.returncode
    return json.loads(out)


with tempfile.TemporaryDirectory() as folder, RedisServer(folder) as bucket:
    write_npz(Path(folder, "digits.npz"), digit_data())
    answer(command("edgeml_plan", "digits.npz", "run", "--order", "reset"))
    made = answer(command("edgeml_export", "digits.npz", "run", "policy", "--rate", ".3", "--depth", 6, "--devices", CAMERAS))
    server = command("edgeml_serve", "edgeml_dqn.digits:strong_model", "--port", 0)
    url = json.loads(server.stdout.readline())["url"]
    devices = [
        command(
            "edgeml_device", "policy", "edgeml_dqn.digits:scene", url, "--images", 60, "--time_unit", .1, "--deadline", 5,
            "--bucket", f"{bucket.url}#uplink", "--log", f"camera_{camera}.jsonl") for camera in range(CAMERAS)]
    ran = [answer(device) for device in devices]
    server.terminate()
    server.wait()
    lines = [[json.loads(line) for line in Path(folder, f"camera_{camera}.jsonl").read_text().splitlines()] for camera in range(CAMERAS)]
    everyone = Path(folder, "all.jsonl")
    everyone.write_text("".join(Path(folder, f"camera_{camera}.jsonl").read_text() for camera in range(CAMERAS)))
    checked = answer(command("edgeml_replay", "all.jsonl", "policy"))
    heard = sum(event.get("devices") == CAMERAS and bool(event.get("others")) for each in lines for event in each)
    print(json.dumps(dict(
        policy=made["policy"], deciding=sorted({each["policy"] for each in ran}), offloaded=[each["offloaded"] for each in ran], heard=heard,
        **{name: checked[name] for name in ("sessions", "images", "differing", "lost", "excess", "remarks")})))
