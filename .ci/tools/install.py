"""Install the package as users do, in bare virtual environments, and run its commands there; the outcome goes to nbs/reliability/install.csv

python .ci/tools/install.py PYTHON ...    (interpreters, such as python3.10; takes some minutes for each)
"""
import csv
import re
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from environments import build, root, settings

small = "--iterations 4 --every 2 --gradient-steps 4 --layers 1 --units 8 --metric-history 8"
commands = [f"edgeml-train ilsvrc run {small} --json", "edgeml-simulate ilsvrc run save --streams 2 --length 2000 --json"]
with_extras = ["edgeml-export ilsvrc run device --json"]  # for every runtime
helps = [f"{line.partition('=')[0]} --help" for line in settings["console_scripts"].split()]


def lowest():
    "Every lower bound of the requirements, as the version itself"
    lines = [line for key, value in settings.items() if key.endswith("requirements") and key not in ("dev_requirements", "test_requirements") for line in value.split()]
    return [re.sub(r"\[.*?\]", "", line).replace(">=", "==") for line in lines if ">=" in line]


def attempt(python, package, bounds, extras, folder):
    "Install and run; None, or what went wrong"
    def call(*words): return subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True)
    call(python, "-m", "venv", folder / "env")
    bounded = folder / "bounds.txt"
    bounded.write_text("\n".join(lowest() if bounds == "lowest" else []))
    done = call(folder / "env/bin/pip", "install", "-q", "--prefer-binary", "-c", bounded, f"{package}[{extras}]" if extras else package)
    if done.returncode: return "not installed: " + done.stderr.strip().splitlines()[-1]
    for command in [*helps, *commands, *(with_extras if extras else ())]:
        program, *words = command.split()
        done = call(folder / "env/bin" / program, *words)
        if done.returncode: return f"{command}: {(done.stderr.strip() or 'nothing said').splitlines()[-1]}"
    done = call(folder / "env/bin/pip", "check")
    return done.stdout.strip() if done.returncode else None


def main(pythons):
    path = root / "nbs/reliability/install.csv"
    rows = {(row["python"], row["package"], row["versions"]): row for row in csv.DictReader(path.open())} if path.exists() else {}
    with tempfile.TemporaryDirectory() as built:
        packages = build(Path(built) / "package")
        for python in pythons:
            version = subprocess.run([python, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True, check=True).stdout.strip()
            tried = [("wheel", "newest", ""), ("sdist", "newest", "cluster,export,gym,redis,serve")]
            if version.startswith(settings["min_python"] + "."): tried.append(("wheel", "lowest", "cluster,export,gym,redis,serve"))  # later ones cannot have them all
            for package, bounds, extras in tried:
                with tempfile.TemporaryDirectory() as folder: wrong = attempt(python, packages[package], bounds, extras, Path(folder))
                row = rows[version, package, bounds] = dict(date=date.today().isoformat(), python=version, package=package, versions=bounds, extras=extras, outcome=wrong or "passed")
                print(*row.values(), flush=True)
                with open(path, "w", newline="") as file:
                    table = csv.DictWriter(file, row)
                    table.writeheader()
                    table.writerows(rows.values())


if __name__ == "__main__": main(sys.argv[1:])
