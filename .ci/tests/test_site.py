"The website, built by its one command, and opened in headless Chromium"
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

root = Path(__file__).parents[2]
chromium = shutil.which("chromium")
quiet = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync"
look = """() => {
    const text = document.body.cloneNode(true)
    text.querySelectorAll('pre, code, script, .katex').forEach(element => element.remove())
    return {formulas: document.querySelectorAll('.math:has(.katex)').length, raw: /\\$|\\\\[(\\[]/.test(text.textContent),
            errors: document.querySelectorAll('.katex-error').length, sideways: [document.documentElement, document.querySelector('main')].some(element => element.scrollWidth > element.clientWidth)}
}"""


@pytest.fixture(scope="module")
def site():
    "The built site; the build itself fails on broken links, requests to other hosts, figures without alt text and unlisted pages"
    pytest.importorskip("smalldocs", reason="NO SITE: smalldocs is not installed (it needs Python 3.11)")
    build = subprocess.run([sys.executable, root / ".ci/tools/docs.py"], cwd=root, stderr=subprocess.PIPE, text=True)
    if build.returncode: pytest.fail(build.stderr, pytrace=False)
    return root / "_docs"


@pytest.fixture(scope="module")
def browser():
    if not chromium: pytest.skip("NO BROWSER: the site was not looked at (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright: yield playwright.chromium.launch(executable_path=chromium, args=[f"--{flag}" for flag in quiet.split()])


@pytest.fixture(scope="module")
def url(site):
    "Where the site is served"
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def visits(site, url, browser):
    "Every page as a phone shows it, by name: what `look` sees, the errors on the console, and the requests"
    seen = {}
    for file in sorted(site.rglob("*.html")):
        page = browser.new_page(viewport={"width": 390, "height": 844})
        errors, requests = [], []
        page.on("console", lambda message, errors=errors: message.type == "error" and errors.append(message.text))
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.on("request", lambda request, requests=requests: requests.append(request.url))
        name = file.relative_to(site).as_posix()
        page.goto(url + name, wait_until="networkidle")
        seen[name] = SimpleNamespace(**page.evaluate(look), console=errors, requests=requests)
        page.close()
    return seen


def test_builds(site): assert (site / "index.html").is_file()


def test_maths(visits):
    assert sum(page.formulas for page in visits.values()) > 0
    assert not {name for name, page in visits.items() if page.errors or page.raw}


def test_fits_a_phone(visits): assert not {name for name, page in visits.items() if page.sideways}


def test_no_console_error(visits): assert not {name: page.console for name, page in visits.items() if page.console}


def test_no_request_outside(visits, url):
    assert not {request for page in visits.values() for request in page.requests if not request.startswith((url, "data:"))}


def test_search_finds_a_function(url, browser):
    page = browser.new_page()
    page.goto(url)
    page.get_by_role("searchbox").fill("read_data")
    page.locator(".search-result", has_text="read_data").first.click()
    page.wait_for_url("**/api/data.html#read_data")


def test_faults(tmp_path):
    "The build's checks do find what they look for"
    docs = pytest.importorskip("docs")
    (tmp_path / "index.html").write_text("""<nav id="quarto-sidebar"><a href="index.html">Home</a></nav> <a href="https://example.com">fine</a>
        <a href="gone.html">x</a> <a href="#gone">x</a> <a href="index.html#gone">x</a> <img src="index.html"> <script src="https://example.com/x.js"></script>""")
    (tmp_path / "lost.html").write_text("")
    assert len(list(docs.faults(tmp_path))) == 6
