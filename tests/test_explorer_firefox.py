"""The explorer's page in Firefox: it loads, a slider chooses, a file runs."""

import json

import explorer_browser
import firefox
import numpy as np
import pytest

from experiments.explorer import datafile, site

pytest.importorskip("ai_edge_litert")
HOME = "\ue011"  # the key, in WebDriver's code
PORTRAIT = "networks/samples/grace_hopper.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page of some records, with a small network in two formats."""
    explorer_browser.check_libraries()
    base = tmp_path_factory.mktemp("firefox")
    data, details = datafile.read([explorer_browser.record_file(base)], base)
    site.write(base / "page", {"data.json": data, "details.json": details})
    manifest = explorer_browser.exported(base / "page")
    (base / "page" / "networks.json").write_text(json.dumps(manifest))
    return base / "page"


def test_firefox(folder, tmp_path):
    with (
        firefox.running(tmp_path) as browser,
        explorer_browser.served(folder) as address,
    ):
        browser.goto(address)
        browser.wait_for("document.querySelector('#command').textContent !== ''")
        before = browser.evaluate("document.querySelector('#chosen-label').textContent")
        assert before
        browser.evaluate("document.querySelector('#knob-alpha').focus()")
        browser.press(HOME)
        browser.wait_for(
            "document.querySelector('#chosen-label').textContent.startsWith('0.25 ')"
        )
        assert not before.startswith("0.25 ")

        browser.evaluate("document.querySelector('#show-try').click()")
        browser.wait_for("!document.querySelector('#try-page').hidden")
        browser.choose_file("#file", folder / PORTRAIT)
        browser.wait_for("document.querySelectorAll('.card table').length === 2")
        manifest = json.loads((folder / "networks.json").read_text())
        for index, file in enumerate(manifest["networks"][0]["files"]):
            row = f"document.querySelectorAll('.card')[{index}].querySelector('tr')"
            label, share = browser.evaluate(f"{row}.innerText").split("\t")
            expected = explorer_browser.classified(folder, file["file"], PORTRAIT)
            best = int(np.argmax(expected))
            assert label == explorer_browser.CLASSES[best]
            percent = float(share.removesuffix(" %"))
            # Browsers decode a JPEG within a step or two of the same pixels.
            assert percent == pytest.approx(100 * expected[best], abs=1)
        assert not explorer_browser.errors(browser.problems)
        page = [url for url in browser.requests if url.startswith("http")]
        assert page and all(url.startswith(address) for url in page)
