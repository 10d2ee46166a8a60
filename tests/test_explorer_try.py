"""Networks that run in the page: the same answers as in Python, and failures."""

import json

import explorer_browser
import numpy as np
import pytest

from experiments.explorer import datafile, networks, site

jsonschema = pytest.importorskip("jsonschema")
pytest.importorskip("ai_edge_litert")
pytest_plugins = ("explorer_browser",)

SCHEMA = json.loads((site.SOURCE / "schema.json").read_text())
PORTRAIT = "networks/samples/grace_hopper.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with one record, whose networks are a small one in two formats."""
    explorer_browser.requirements()
    base = tmp_path_factory.mktemp("try")
    line = explorer_browser.record_file(base).read_text().splitlines()[0]
    (base / "some.jsonl").write_text(line)
    data, details = datafile.read([base / "some.jsonl"], base)
    site.write(base / "page", {"data.json": data, "details.json": details})
    manifest = explorer_browser.exported(base / "page")
    (base / "page" / "networks.json").write_text(json.dumps(manifest))
    return base / "page"


@pytest.fixture(scope="module")
def address(folder):
    with explorer_browser.served(folder) as url:
        yield url


@pytest.fixture
def page(chromium, address):
    """The view under its content security policy: no errors, no foreign requests."""
    page = chromium.new_page()
    errors, foreign = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda r: r.url.startswith(address) or foreign.append(r.url))
    page.goto(address + "#view=try")
    page.wait_for_selector("#try-page:not([hidden])")
    yield page
    assert not errors
    assert not [url for url in foreign if not url.startswith(("data:", "blob:"))]
    page.close()


@pytest.fixture(scope="module")
def files(folder):
    return json.loads((folder / "networks.json").read_text())["networks"][0]["files"]


def answered(page, files):
    """Wait until every file has an answer."""
    page.locator(".card table").nth(len(files) - 1).wait_for()


def test_classifies_a_photograph_as_python_does(page, folder, files):
    picture = PORTRAIT
    page.set_input_files("#file", folder / picture)
    answered(page, files)
    for file in files:
        expected = explorer_browser.classified(folder, file["file"], picture)
        card = page.locator(f"[data-file='{file['file']}']")
        label, share = card.locator("tr").first.inner_text().split("\t")
        best = int(np.argmax(expected))
        assert label == explorer_browser.CLASSES[best]
        assert float(share.removesuffix(" %")) == pytest.approx(
            100 * expected[best], abs=0.1
        )
        assert " ms, p90 " in card.inner_text()
    page.click(".sample")
    page.wait_for_selector("#preview[aria-label='grace hopper']")
    answered(page, files)


def test_files_are_exported_once(folder):
    target = folder / "networks"
    before = {path: path.stat().st_mtime_ns for path in target.glob("*.tflite")}
    (target / "stale.tflite").touch()
    sources = list(networks.given([folder.parent / "small.keras"]))
    manifest = networks.write(folder, sources)
    jsonschema.validate(manifest, {**SCHEMA, "$ref": "#/$defs/manifest"})
    assert manifest == json.loads((folder / "networks.json").read_text())
    after = {path: path.stat().st_mtime_ns for path in target.glob("*.tflite")}
    assert after == before
    assert len(before) == 2


# The output for given pixels, and for an image file as the page prepares it.
_RUN = """async ([file, pixels, picture, side]) => {
  const { load, run } = await import("./src/try/runtime.js");
  const { decode, resized } = await import("./src/try/image.js");
  const model = await load(file);
  const blob = await (await fetch(picture)).blob();
  return [
    await run(model, Float32Array.from(pixels)),
    await run(model, resized(await decode(blob, picture), side)),
  ];
}"""


def test_outputs_equal_pythons_on_the_same_pixels(page, folder, files):
    from mobilenet_tf.export import tflite

    side, picture = explorer_browser.SIDE, PORTRAIT
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3))
    pixels = pixels.astype("float32")
    for file in files:
        given, prepared = page.evaluate(
            _RUN, [file, pixels.ravel().tolist(), picture, side]
        )
        expected = np.asarray(tflite.run(folder / file["file"], pixels))[0]
        assert expected.max() - expected.min() > 0.05  # not the same for all classes
        np.testing.assert_allclose(given, expected, atol=1e-4)
        from_file = explorer_browser.classified(folder, file["file"], picture)
        # int8: a pixel that lies between two integers may be rounded either way.
        tolerance = 1e-4 if file["format"] == "float32" else 2e-2
        np.testing.assert_allclose(prepared, from_file, atol=tolerance)


def test_a_broken_image(page, tmp_path):
    path = tmp_path / "broken.png"
    path.write_text("no image")
    page.set_input_files("#file", path)
    page.wait_for_selector("#try-message:not(:empty)")
    message = page.inner_text("#try-message")
    assert (
        message
        == "broken.png is no image that this browser can read, or it is damaged."
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "is missing on the server (404)"),
        (200, "is another file than the page was"),
    ],
)
def test_a_network_that_is_missing_or_another(page, folder, files, status, message):
    name = files[0]["file"]
    page.route(f"**/{name}", lambda route: route.fulfill(status=status, body="other"))
    page.set_input_files("#file", folder / PORTRAIT)
    card = page.locator(f"[data-file='{name}'] .bad")
    assert f"{name} {message}" in card.inner_text()


def test_without_a_camera(page):
    page.click("#camera")
    page.wait_for_selector("#try-message:not(:empty)")
    assert "camera" in page.inner_text("#try-message").lower()


def test_without_webassembly(chromium, address, folder):
    page = chromium.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(address + "#view=try")
    page.wait_for_selector("#try-page:not([hidden])")
    page.set_input_files("#file", folder / PORTRAIT)
    message = page.locator(".card .bad").first.inner_text()
    assert message == ("This browser has no WebAssembly, which running networks needs.")
    page.close()
