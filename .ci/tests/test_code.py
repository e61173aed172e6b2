"What can be told of code without running it: names, types, line lengths, links between notebooks"
import json
import re
import subprocess
import sys

import environments
import pytest

root = environments.root
notebooks = sorted(path for path in root.glob("nbs/**/*.ipynb") if ".ipynb_checkpoints" not in path.parts)
LONGEST = 120  # characters


def sources(path, kind):
    "The cells of a notebook that are of a kind, as text"
    return ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def test_names():
    folders = "edgeml_dqn", "nbs", ".ci", "setup.py"
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--config", ".ci/tools/ruff.toml", *folders], cwd=root, capture_output=True, text=True)
    assert not done.returncode, done.stdout


def test_types(tmp_path):
    "What users write passes a type check: the public interface says what it takes and gives"
    flags = "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={tmp_path}"
    file = root / ".ci/tests/typed.py"
    done = subprocess.run([sys.executable, "-m", "mypy", *flags, file], cwd=root, capture_output=True, text=True)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("path", notebooks, ids=lambda path: path.stem)
def test_lines(path):
    "Directives are no code, and stand on one line whatever they say"
    lines = [line for source in sources(path, "code") for line in source.splitlines() if not line.startswith("#|")]
    assert not [line for line in lines if len(line) > LONGEST]


@pytest.mark.parametrize("path", notebooks, ids=lambda path: path.stem)
def test_links(path):
    "By their names in the repository, where numbers are part of them; the built site's own links are checked when it is built"
    links = re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", "\n".join(sources(path, "markdown")))
    assert not [link for link in links if not (path.parent / link).exists()]
