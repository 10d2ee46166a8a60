"""The explorer's page in a real browser: what it shows, and what controls do."""

import importlib
import json
import re
import shlex

from conftest import parse_flags
from explorer_browser import loaded, opened

pytest_plugins = ("explorer_browser",)


def test_loads_without_errors_and_foreign_requests(explorer_page, explorer_address):
    page = loaded(explorer_page, explorer_address)
    assert not page.problems
    assert page.requests
    assert all(url.startswith(explorer_address) for url in page.requests)
    assert not any("litert" in url or "networks" in url for url in page.requests)


def test_sliders_turn_knobs(explorer_page, explorer_address):
    page = opened(explorer_page, explorer_address)
    page.focus("#knob-alpha")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('#knob-alpha').value === '0'")
    small = page.inner_text("#numbers")
    assert page.inner_text("#chosen-label").startswith("0.25 MobileNet")
    assert page.get_attribute("#knob-alpha", "aria-valuetext") == "0.25"
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('#chosen-label').textContent.startsWith('1 ')"
    )
    assert page.inner_text("#numbers") != small
    assert page.locator("#ours [aria-checked=true]").count() == 1
    assert page.inner_text("#status").startswith("Chosen: 1 MobileNet")
    assert page.locator("#layer-rows tr").count() == 28


def test_limits_restrict_the_front(explorer_page, explorer_address):
    page = opened(explorer_page, explorer_address)
    everything = page.inner_text("#count")
    best = page.inner_text("#chosen-label")
    page.focus("#limit-mult_adds")
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "text => document.querySelector('#count').textContent !== text", arg=everything
    )
    limit = page.get_attribute("#limit-mult_adds", "aria-valuetext")
    most = float(limit.removesuffix(" M"))
    costs = page.locator("#front-rows td:last-child").all_inner_texts()
    assert costs and all(float(cost.removesuffix(" M")) <= most for cost in costs)
    assert page.locator("#ours .outside").count() > 0
    assert "Exceeds the limit of: Mult-adds" in page.inner_text("#verdict")
    page.click("#best")
    page.wait_for_function(
        "document.querySelector('#verdict').textContent.includes('Within')"
    )
    assert page.inner_text("#chosen-label") != best
    page.click("#reset")
    page.wait_for_function(
        "text => document.querySelector('#count').textContent === text", arg=everything
    )


def test_a_board_sets_two_limits(explorer_page, explorer_address, explorer_folder):
    page = opened(explorer_page, explorer_address)
    board = json.loads((explorer_folder / "data.json").read_text())["boards"][0]
    page.select_option("#board", board["name"])
    page.wait_for_function("location.hash.includes('limit.arena_bytes')")
    assert f"limit.flash_bytes={board['flash_bytes']}" in page.url


def test_a_link_holds_the_state(explorer_page, explorer_address):
    page = opened(explorer_page, explorer_address)
    page.select_option("#x", "file_bytes")
    page.focus("#knob-rho")
    page.keyboard.press("Home")
    page.wait_for_function("location.hash.includes('x=file_bytes')")
    label, link = page.inner_text("#chosen-label"), page.url
    opened(page, explorer_address)
    assert page.inner_text("#chosen-label") != label
    loaded(page, link)
    assert page.inner_text("#chosen-label") == label
    assert page.input_value("#x") == "file_bytes"


def test_milliseconds_follow_the_device(explorer_page, explorer_address):
    page = opened(explorer_page, explorer_address, "#x=milliseconds")
    before = page.inner_text("#numbers")
    page.select_option("#device", index=4)
    page.wait_for_function(
        "text => document.querySelector('#numbers').innerText !== text", arg=before
    )
    assert "estimate by mult-adds for" in page.inner_text("#numbers")


def test_pretrained_networks_are_compared_on_request(explorer_page, explorer_address):
    page = opened(explorer_page, explorer_address)
    points = page.locator("#ours [role=radio]")
    before = points.count()
    page.check("#pretrained")
    page.wait_for_function(
        "n => document.querySelectorAll('#ours [role=radio]').length > n", arg=before
    )


def test_copied_command_gives_the_shown_costs(
    explorer_page, explorer_address, experiment_flags
):
    page = opened(explorer_page, explorer_address)
    page.click("button[data-copies=command]")
    page.wait_for_function(
        "document.querySelector('#copied').textContent === 'Copied.'"
    )
    command = page.evaluate("navigator.clipboard.readText()")
    module = shlex.split(command)[2]
    parse_flags(*shlex.split(command)[3:])
    experiment = importlib.import_module(module).experiment
    config = experiment.config.from_flags(experiment_flags)
    (network,) = experiment.networks(config)
    costs = network.costs(10, config.base_resolution)
    shown = dict(
        re.findall(
            r"^(Mult-adds|Parameters)\s+([\d.]+ M)", page.inner_text("#numbers"), re.M
        )
    )
    for title, key in (("Mult-adds", "mult_adds"), ("Parameters", "parameters")):
        millions = float(f"{costs[key] / 1e6:.3g}")
        assert shown[title] == f"{millions:g} M"
