"The notebooks are clean, and the library and README are what they generate"
import shutil
import subprocess
import sys
from pathlib import Path

root = Path(__file__).parents[2]
commands = {
    "nbdev_clean": "from nbdev.clean import nbdev_clean; nbdev_clean()",
    "nbdev_export": "from nbdev.doclinks import nbdev_export; nbdev_export()",
    "python .ci/tools/readme.py": "import runpy; runpy.run_path('.ci/tools/readme.py')",
}


def files(folder):
    "Contents by path of notebooks, library and README"
    paths = [*folder.glob("nbs/**/*.ipynb"), *folder.glob("edgeml_dqn/*.py"), folder / "README.md"]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths if ".ipynb_checkpoints" not in p.parts}


def test_generated(tmp_path):
    ignore = shutil.ignore_patterns("*.py", "__pycache__", ".ipynb_checkpoints", ".hypothesis")
    for folder in ("nbs", "edgeml_dqn"): shutil.copytree(root / folder, tmp_path / folder, symlinks=True, ignore=ignore)
    shutil.copytree(root / ".ci", tmp_path / ".ci")
    shutil.copy(root / "settings.ini", tmp_path)
    for code in commands.values(): subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    old, new = files(root), files(tmp_path)
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    assert not changed, f"run {', '.join(commands)} and commit"


def test_sidebar():
    assert (root / "_quarto.yml").read_bytes() == (root / "nbs/_quarto.yml").read_bytes(), "copy nbs/_quarto.yml"
