"""The environments in which tests run what users run; the one that builds notebooks and site, and that pytest starts in, is the README's

`.venv-users` has what `pip install 'edgeml_dqn[cluster,export,gym,redis,serve]'` brings, in its newest versions, and nothing else: commands, fuzzing and kills
run there. `.venv-users/tests` has that and, without another version of any of it, what the notebooks' tests import besides.

python .ci/tools/environments.py kills.py 200 --keep             (a script beside the tests, in .ci/tests/users)
python .ci/tools/environments.py -m pytest -q test_promises.py

Each call installs the package as it is now; all else is installed when requirements change, or when the folder was removed."""
import os
import shutil
import subprocess
import sys
import venv
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).parents[2]
users = root / ".venv-users"
config = ConfigParser(delimiters=["="])
config.read(root / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]
QUIET = dict(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="-1")  # TensorFlow says nothing and takes no GPU
# Figures are drawn, but not shown, and no path leads to the sources
environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | QUIET | dict(MPLBACKEND="Agg")


def build(folder):
    "The source distribution, and the wheel made from it, without what earlier builds left behind, which setuptools would pick up"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("settings.ini", "setup.py", "README.md", "LICENSE"): shutil.copy(root / name, folder)
    shutil.copytree(root / "edgeml_dqn", folder / "edgeml_dqn", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "build", folder], check=True, stdout=subprocess.DEVNULL)
    return {"sdist": next(folder.glob("dist/*.tar.gz")), "wheel": next(folder.glob("dist/*.whl"))}


def pip(python, *words):
    "What pip says"
    done = subprocess.run([python, "-m", "pip", *words], capture_output=True, text=True, env=environment)
    if done.returncode: raise SystemExit(f"pip {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def packages(folder):
    "Where an environment keeps what is installed"
    return next(folder.glob("lib/python*/site-packages"))


def install():
    "Both environments, with the package as it is now; the second one's Python"
    wheel = build(root / "build/users")["wheel"]
    python, tests, made = users / "bin/python", users / "tests/bin/python", users / "made.txt"
    wanted = "\n".join(value for name, value in settings.items() if name.endswith("requirements") and name != "dev_requirements")
    if made.exists() and made.read_text() == wanted: pip(python, "install", "-q", "--no-deps", "--force-reinstall", wheel)
    else:
        shutil.rmtree(users, ignore_errors=True)
        venv.create(users, with_pip=True)
        pip(python, "install", "-q", f"{wheel}[cluster,export,gym,redis,serve]")
        versions = users / "versions.txt"
        versions.write_text(pip(python, "list", "--format=freeze", "--exclude", settings["lib_name"]))
        venv.create(users / "tests", with_pip=True)
        (packages(users / "tests") / "users.pth").write_text(f"{packages(users)}\n")
        pip(tests, "install", "-q", "-c", versions, *settings["test_requirements"].split())
        made.write_text(wanted)
    return tests


if __name__ == "__main__": sys.exit(subprocess.run([install(), *sys.argv[1:]], cwd=root / ".ci/tests/users", env=environment).returncode)
