"The server as a process, and requests of all kinds, made from its own description: none crashes it, and its log keeps quiet about them"
import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from conftest import BIN, ROOT

KEY = "open-sesame-7c1f"


@pytest.fixture
def server(tmp_path):
    "A process of edgeml-serve, its URL, and the file that it logs to"
    (tmp_path / "key.txt").write_text(KEY)
    words = "edgeml_dqn.digits:strong_model --port 0 --key-file key.txt --timeout 2 --json".split()
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([BIN / "edgeml-serve", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=log)
        yield process, json.loads(process.stdout.readline())["url"], tmp_path / "log"
        process.terminate()
        process.communicate()


def test_described_requests(server, tmp_path):
    "Schemathesis: no answer that the description does not have, no bad request accepted, none let in without the key (the description cannot say which tensors fit, so good form may still be refused)"
    process, url, log = server
    words = f"run {url}/openapi.json --phases examples,coverage,fuzzing --checks all --exclude-checks positive_data_acceptance --max-examples 100 --seed 1 --no-color".split()
    run = subprocess.run([Path(sysconfig.get_path("scripts")) / "schemathesis", *words, "--header", f"Authorization: Bearer {KEY}"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert "10 selected / 10 total" in run.stdout and "Unresolvable" not in run.stdout
    metrics = urlopen(Request(f"{url}/metrics", headers={"Authorization": f"Bearer {KEY}"})).read().decode()
    counts = {line.split('"')[1]: float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("edgeml_infer_requests_total")}
    assert counts["400"] > 50 and counts["401"] > 0 and not any(status.startswith("5") for status in counts)
    assert process.poll() is None and KEY not in log.read_text() and len(log.read_text().splitlines()) < 20


def test_service(tmp_path):
    "A quarter of a minute of each phase: no image is lost, and memory stands still"
    flags = ["--minutes", ".25", "--saturated", ".25", "--out", tmp_path / "service.json"]
    subprocess.run([sys.executable, Path(__file__).with_name("service.py"), *map(str, flags)], check=True, stdout=subprocess.DEVNULL)
    check(json.loads((tmp_path / "service.json").read_text()))


def test_service_in_full():
    "What the full run found"
    results = json.loads((ROOT / "nbs/reliability/service.json").read_text())
    assert (results["paper"]["minutes"], results["saturated"]["minutes"]) == (20, 5)
    check(results)


def check(results):
    for phase in ("paper", "saturated"):
        assert results[phase]["lost"] == 0 and results[phase]["images"] > 20 and results[phase]["answered_by_strong"] > 0
        assert max(results[phase]["server_growth_mb"], results[phase]["device_growth_mb"]) < 5
