"""What the tests of the explorer's page share: fixtures of a browser and of pages."""

import json
import os
import random
import shutil
import threading
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from conftest import ROOT

import mobilenet_tf
from experiments.explorer import datafile, networks, server, site
from mobilenet_tf.models import keras_file

RESULTS = ROOT / "experiments" / "results"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WINDOW = {"width": 1360, "height": 900}
SIDE, CLASSES = 32, ("disc", "square", "triangle")
# Records whose knobs and costs are unlike each other; counting all takes longer.
TABLES = ("width_multiplier", "accuracy_tradeoffs", "fine_grained", "distillation")


def requirements():
    """The path of a Chromium; skip where the page cannot be made or shown."""
    pytest.importorskip("playwright", reason="needs playwright: pip install playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs a Chromium: one of {', '.join(BROWSERS)}")
    check_libraries()
    return path


def check_libraries():
    """Skip where the page's libraries are not installed."""
    try:
        site.libraries(site.SOURCE / "node_modules")
    except ValueError as error:
        pytest.skip(str(error))


def record_file(folder):
    """The committed records of some tables, as a file."""
    lines = (RESULTS / "imagenette112.jsonl").read_text().splitlines()
    chosen = [line for line in lines if json.loads(line)["experiment"] in TABLES]
    path = folder / "some.jsonl"
    path.write_text("\n".join(chosen))
    return path


def multiplied(data, count):
    """The data with so many networks: copies of its own, a bit better or worse."""
    generator = random.Random(0)
    entries = list(data["networks"])
    while len(entries) < count:
        network = json.loads(json.dumps(generator.choice(data["networks"])))
        factor = generator.uniform(0.5, 2)
        top1 = network["top1"][0] * generator.uniform(0.8, 1)
        entries.append(
            network
            | {
                "id": f"{len(entries):010x}",
                "seeds": [0, 1, 2],
                "top1": [top1, 0.99 * top1, 0.98 * top1],
                "costs": {k: round(v * factor) for k, v in network["costs"].items()},
                "knobs": network["knobs"] | {"epochs": generator.choice([5, 10, 40])},
            }
        )
    return data | {"networks": entries}


def network():
    """A small network, untrained, but decided."""
    keras.utils.set_random_seed(1)
    model = mobilenet_tf.build(
        0.25, base_resolution=SIDE, classes=len(CLASSES), blocks=[(32, 2), (64, 2)]
    )
    classifier = model.layers[-1]
    classifier.kernel.assign(20 * classifier.kernel)
    return model


def exported(folder):
    """Write two files of the network for a page; returns their manifest."""
    model = network()
    keras_file.set_training_info(model, keras_file.TrainingInfo(CLASSES))
    path = folder.parent / "small.keras"
    mobilenet_tf.save_model(model, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "_CALIBRATION_CROPS", 8)  # for the time it takes
        return networks.write(folder, list(networks.given([path])))


def integer_file():
    """The network as a LiteRT file of integers throughout, its output too."""
    from mobilenet_tf.export import images
    from mobilenet_tf.export.network import Network
    from mobilenet_tf.export.tflite import conversion

    calibration = images.resized(images.default_images(4), SIDE)
    return conversion.content(
        Network.of(network()), "int8", calibration, lanes=1, float_output=False
    )


def integers(content, pixels):
    """What Python's LiteRT gives for pixels: integers as they are in the file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


def classified(folder, file, picture):
    """What Python answers for an image file: the probabilities of the classes."""
    from mobilenet_tf.data.photographs import read_image
    from mobilenet_tf.export import images, tflite

    pixels = images.resized([read_image(folder / picture)], SIDE)
    return np.asarray(tflite.run(folder / file, pixels))[0]


@contextmanager
def served(folder):
    """The address at which a folder is served."""
    with server.create(folder) as running:
        serve = running.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        yield server.address(running)
        running.shutdown()


@contextmanager
def browser(path):
    """A headless Chromium with a camera; its sandbox does not work for root."""
    from playwright.sync_api import sync_playwright

    arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def chromium():
    """The browser of a module's tests."""
    with browser(requirements()) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def explorer_folder(tmp_path_factory):
    """The page of some records, without exported networks."""
    requirements()
    base = tmp_path_factory.mktemp("explorer")
    data, details = datafile.read([record_file(base)], RESULTS)
    empty = {"version": datafile.VERSION, "networks": [], "samples": []}
    contents = {"data.json": data, "details.json": details, "networks.json": empty}
    site.write(base / "page", contents)
    return base / "page"


@pytest.fixture(scope="module")
def explorer_address(explorer_folder):
    """Where that page is served."""
    with served(explorer_folder) as url:
        yield url


def watched(page):
    """The tab, with lists of its errors and of its requests on it."""
    page.problems, page.requests = [], []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on(
        "console",
        lambda message: message.type == "error" and page.problems.append(message.text),
    )
    page.on("request", lambda request: page.requests.append(request.url))
    return page


def errors(problems):
    """Errors of a page without the messages that LiteRT's C++ code writes as such."""
    return [text for text in problems if not text.startswith(("INFO: ", "WARNING: "))]


@pytest.fixture(scope="module")
def explorer_tab(chromium):
    """The tab that a module's tests share: to make one takes longer than most of them.

    Its content security policy is off, because waiting for functions needs `eval`.
    """
    context = chromium.new_context(viewport=WINDOW, bypass_csp=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield watched(context.new_page())
    context.close()


@pytest.fixture
def explorer_page(explorer_tab):
    """The shared tab, without errors and requests of earlier tests."""
    explorer_tab.problems.clear()
    explorer_tab.requests.clear()
    yield explorer_tab
    explorer_tab.unroute_all()
    explorer_tab.set_viewport_size(WINDOW)


# Until a change of the link is drawn: its event, and the frame that the page asks for.
_DRAWN = (
    "new Promise((d) => setTimeout(() => requestAnimationFrame(() => setTimeout(d))))"
)


def opened(page, address, link="#"):
    """The page at a link, once it is drawn; an open page is not loaded again."""
    page.goto(address + link)
    page.wait_for_selector("#page:not([hidden])")
    page.wait_for_selector("#command:not(:empty)")
    page.evaluate(_DRAWN)
    return page


def loaded(page, address, link=""):
    """The page, loaded anew."""
    page.goto("about:blank")
    page.requests.clear()
    return opened(page, address, link)


def task_seconds(session):
    """Seconds of the processor that a tab has used: other load must not count."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}["TaskDuration"]


def measured(page):
    """A session whose metrics are seconds of the processor."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session
