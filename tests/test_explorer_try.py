"""Networks that run in the page: the same answers as in Python, and failures."""

import base64
import hashlib
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


def shown(page, address):
    """The tab, once it shows the view."""
    page.goto(address + "#view=try")
    page.wait_for_selector("#try-page:not([hidden])")
    return page


@pytest.fixture(scope="module")
def tab(chromium, address):
    """The tab that the tests share, for its runtime and networks stay loaded."""
    page = chromium.new_page(permissions=["camera"])
    yield shown(explorer_browser.watched(page), address)
    page.close()


@pytest.fixture
def page(tab, address):
    """The view under its content security policy: no errors, no foreign requests."""
    tab.problems.clear()
    tab.requests.clear()
    yield tab
    assert not explorer_browser.errors(tab.problems)
    allowed = (address, "data:", "blob:")
    assert not [url for url in tab.requests if not url.startswith(allowed)]


@pytest.fixture(scope="module")
def files(folder):
    return json.loads((folder / "networks.json").read_text())["networks"][0]["files"]


def answered(page, files):
    """Wait until every file has an answer."""
    page.locator(".card table").nth(len(files) - 1).wait_for()


def check_answers(page, folder, files, picture):
    """Every card shows what Python answers for an image file of the folder."""
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


def test_classifies_a_photograph_as_python_does(page, folder, files):
    page.set_input_files("#file", folder / PORTRAIT)
    check_answers(page, folder, files, PORTRAIT)
    page.click(".sample")
    page.wait_for_selector("#preview[aria-label='grace hopper']")
    answered(page, files)


def test_classifies_a_photograph_that_is_dropped(page, folder, files):
    content = base64.b64encode((folder / PORTRAIT).read_bytes()).decode()
    dropped = page.evaluate_handle(
        """(content) => {
          const bytes = Uint8Array.from(atob(content), (byte) => byte.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
          return transfer;
        }""",
        content,
    )
    page.dispatch_event("#drop", "dragover", {"dataTransfer": dropped})
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    page.wait_for_selector("#preview[aria-label='dropped.jpg']")
    check_answers(page, folder, files, PORTRAIT)


def test_classifies_a_frame_of_the_camera(page, folder, files):
    page.click("#camera")
    page.wait_for_selector("#video:not([hidden])")
    page.get_by_role("button", name="Take the photograph").click()
    page.wait_for_selector('#preview[aria-label="the camera\'s photograph"]')
    shown = page.evaluate("document.querySelector('#preview').toDataURL()")
    (folder / "frame.png").write_bytes(base64.b64decode(shown.partition(",")[2]))
    check_answers(page, folder, files, "frame.png")
    assert page.evaluate("document.querySelector('#video').srcObject") is None


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


def test_integers_equal_pythons(page, folder):
    """A file of integers throughout: LiteRT.js has uint8, but no int8, outputs."""
    content = explorer_browser.integer_file()
    path = folder / "networks" / "integers.tflite"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = {"file": f"networks/{path.name}", "sha256": digest}
    side = explorer_browser.SIDE
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (1, side, side, 3))
        given, _ = page.evaluate(_RUN, [file, pixels.ravel().tolist(), PORTRAIT, side])
        expected = explorer_browser.integers(content, pixels.astype("uint8"))
        assert len(set(expected)) > 1
        np.testing.assert_array_equal(given, expected)


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
def test_a_network_that_is_missing_or_another(
    chromium, address, folder, files, status, message
):
    page = shown(chromium.new_page(), address)  # which has not loaded the networks
    name = files[0]["file"]
    page.locator(f"[id='run-{files[1]['file']}']").uncheck()
    page.route(f"**/{name}", lambda route: route.fulfill(status=status, body="other"))
    page.set_input_files("#file", folder / PORTRAIT)
    page.get_by_text(f"{name} {message}").wait_for()
    page.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NotAllowedError", "The camera was not allowed."),
        ("NotFoundError", "There is no camera to use."),
    ],
)
def test_without_a_camera(page, name, message):
    page.evaluate(
        """(name) => {
          navigator.mediaDevices.getUserMedia = async () => {
            throw new DOMException("", name);
          };
        }""",
        name,
    )
    page.click("#camera")
    page.locator("#try-message", has_text=message).wait_for()
    page.evaluate("delete navigator.mediaDevices.getUserMedia")


def test_without_webassembly(chromium, address, folder):
    page = chromium.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    shown(page, address)
    page.set_input_files("#file", folder / PORTRAIT)
    message = page.locator(".card .bad").first.inner_text()
    assert message == ("This browser has no WebAssembly, which running networks needs.")
    page.close()
