"""What the records say of microcontrollers, and what the script says of the records."""

import csv
import dataclasses
import io
import json

import pytest
from conftest import ROOT

from experiments import microcontrollers as script
from experiments.harness import program
from experiments.harness.page import joined
from experiments.published import latencies, tinyml
from experiments.published.boards import BOARDS, KIB, MIB
from experiments.report import arena_savings, arenas, microcontrollers

RESULTS = ROOT / "experiments" / "results"
FOOTPRINTS = arenas.read(RESULTS)


def configured(**flags):
    return script.MicrocontrollerConfig(results=str(RESULTS), **flags)


def test_visual_wake_words_needs_less_than_the_published_file():
    (footprint,) = (f for f in FOOTPRINTS if f.classes == 2)
    assert (footprint.size, footprint.side) == (0.25, 96)
    assert footprint.arena_bytes <= tinyml.ARENA_BYTES
    assert footprint.arena_bytes <= 0.9 * footprint.plain_bytes
    assert footprint.flash_bytes < tinyml.FILE_BYTES


@pytest.mark.parametrize(
    "footprint", FOOTPRINTS, ids=lambda f: f"{f.label}-{f.classes}"
)
def test_estimates_are_close(footprint):
    assert footprint.estimated_bytes == pytest.approx(footprint.planned_bytes, rel=0.1)
    assert footprint.arena_bytes <= footprint.planned_bytes <= footprint.plain_bytes


def test_no_step_makes_an_arena_larger():
    file = arena_savings.path(RESULTS)
    networks = json.loads(file.read_text(encoding="utf-8"))["networks"]
    assert len(networks) == len(arena_savings.POINTS)
    for network in networks:
        sizes = list(network["arena_bytes"].values())
        assert sizes == sorted(sizes, reverse=True)
        # Parts and plan, with outputs that were compared.
        assert sizes[4] <= 0.9 * sizes[1]
    sheet = arena_savings.savings(RESULTS)
    assert [row[0] for row in sheet.rows] == list(arena_savings.STEPS)
    first, *_ = csv.DictReader(io.StringIO(sheet.csv()))
    assert first["0.25 MobileNet, 96 px, 2 classes"] == "103792"


def test_boards():
    names = [board.name for board in BOARDS]
    assert len(set(names)) == len(names)
    assert all(board.source for board in BOARDS)
    assert [board.sram_bytes for board in BOARDS] == sorted(
        board.sram_bytes for board in BOARDS
    )
    assert {submission.board for submission in tinyml.SUBMISSIONS} <= set(names)


def test_latencies():
    rows = {row[:3]: row[3:] for row in latencies.LATENCIES}
    assert len(rows) == len(latencies.LATENCIES) == 157
    assert len({device for device, _, _ in rows}) == 66
    # As the source prints them.
    device = "Qualcomm MSM8994 Snapdragon 810"
    assert rows[device, "CPU", 8] == (27.69, 25.18, 34.44, 25.46)
    assert rows["Raspberry Pi 4 Model B", "CPU", 1] == (73.96, 69.42, 124.32, 84.82)
    assert rows["HiSilicon Hi3519V101", "CPU", 1] == (274.85, 201.74, 481.64, None)
    assert rows["NVIDIA RTX2060 of Notebook", "GPU", 1] == (2.26, None, 2.22, None)
    # No network is a hundred times as fast as the other, and threads do not hurt much.
    for float_squeezenet, _, float_mobilenet, _ in rows.values():
        assert 0.3 < float_mobilenet / float_squeezenet < 3.1


def test_recommendation_is_the_best_that_fits():
    text = joined(*script.recommendation(configured(sram="128k", flash="1m")))
    results = arenas.read(RESULTS)
    ranking = script.ranked(results, RESULTS, 128 * KIB, MIB)
    best = ranking[0][2]
    assert text.startswith(
        "Most accurate on this chip (131,072 bytes of SRAM, 1,048,576 of flash): "
        f"{best.label}\n"
    )
    assert best.arena_bytes + microcontrollers.PROGRAM_SRAM <= 128 * KIB
    larger = script.ranked(results, RESULTS, 8 * MIB, 64 * MIB)
    fitting = [f for _, _, f in larger if microcontrollers.fits(f, 128 * KIB, MIB)]
    assert fitting[0] == best
    assert [top1 for top1, *_ in larger] == sorted(
        (top1 for top1, *_ in larger), reverse=True
    )
    (text,) = script.recommendation(configured(sram="8k", flash="64k"))
    assert text.startswith("No network of the records fits")


def test_latency_of_another_point_is_an_estimate():
    text = joined(*script.recommendation(configured(board="nucleo-l4r5zi")))
    assert "Estimate by mult-adds: " in text and "MLPerf Tiny v1.2" in text
    assert "Its error for ResNet-8 is +67%." in text
    (reference,) = (f for f in FOOTPRINTS if f.classes == 2)
    twice = dataclasses.replace(reference, mult_adds=2 * reference.mult_adds)
    (sentence,) = microcontrollers.estimated_latencies("EK-RA8D1", twice, reference)
    assert sentence.startswith("Estimate by mult-adds: 27 ms, from 13.4 ms")


def test_sizes():
    assert microcontrollers.parse_bytes("sram", "256k") == 256 * KIB
    assert microcontrollers.parse_bytes("sram", "1.5M") == 1536 * KIB
    assert microcontrollers.parse_bytes("sram", "4096") == 4096


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"board": "Cray-1"}, "board must be one of micro:bit v2, .* got 'Cray-1'"),
        ({"sram": "256k"}, "sram and flash must be given together"),
        ({"sram": "much", "flash": "1m"}, "sram must be a size such as 256k .* 'much'"),
        ({"sram": "-1k", "flash": "1m"}, "sram must be a size such as 256k"),
        ({"board": "EK-RA8D1", "sram": "1m"}, "choose either board= or sram="),
    ],
)
def test_bad_flags(flags, message):
    with pytest.raises(ValueError, match=message):
        script.recommendation(configured(**flags))


def test_a_question_about_one_board_is_answered_alone(tmp_path, capsys):
    config = configured(board="EK-RA8D1", tables_dir=str(tmp_path / "tables"))
    program.main(script.experiment, config)
    printed = capsys.readouterr().out
    assert printed.startswith("Most accurate on EK-RA8D1 (1,048,576 bytes of SRAM")
    assert "SqueezeNet's parts" not in printed and "written:" not in printed
    assert not (tmp_path / "tables").exists()


def test_missing_records(tmp_path):
    with pytest.raises(ValueError, match=r"microcontrollers/arenas\.json"):
        arenas.read(tmp_path)
    with pytest.raises(ValueError, match=r"microcontrollers/savings\.json"):
        arena_savings.savings(tmp_path)
