"""Write README.md from nbs/index.ipynb, without Quarto.

Text and code are kept as they are, and text outputs are indented. Paths of notebooks and images are relative to nbs/, so they
get that prefix. A figure must be an image file, `![alt text](images/name.png)`: Markdown has no place for a cell's picture."""
import re

from execnb.nbio import read_nb
from nbdev.config import get_config
from nbdev.process import extract_directives

cfg = get_config()


def output(out):
    "A cell's output as an indented block"
    data = out.get("data", {})
    if any(kind.startswith("image/") for kind in data): raise SystemExit("index.ipynb: save the figure under nbs/images and refer to it in Markdown")
    return re.sub("^(?=.)", "    ", "".join(out.get("text") or data.get("text/plain", "")).rstrip(), flags=re.M)


def blocks(cell):
    "The Markdown blocks of one cell"
    if cell.cell_type == "markdown": return [re.sub(r"\]\((?=[\w./-]+\.(ipynb|png|svg)[)#])", f"]({cfg.nbs_path.name}/", cell.source)]
    if "hide" in extract_directives(cell, remove=False, lang="python"): return []
    code = re.sub(r"^#\|.*\n", "", cell.source, flags=re.M).strip()
    return [f"```python\n{code}\n```", *map(output, cell.outputs)]


title, *cells = read_nb(cfg.nbs_path / cfg.readme_nb).cells
parts = [title.source, "<!-- Made from nbs/index.ipynb by .ci/tools/readme.py: do not edit -->", *sum(map(blocks, cells), [])]
(cfg.config_path / "README.md").write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
