import csv

import pytest
from conftest import ROOT

from experiments import reproduce
from experiments.harness import Config, page
from experiments.published.mobilenets import FIGURE4, TABLE6
from experiments.report import comparison, conditions, document, figures, sheet
from experiments.trials.network import Network
from experiments.trials.row import Row, select
from mobilenet_tf.analysis import table
from mobilenet_tf.models.mobilenet import build
from mobilenet_tf.training.recipes import RECIPES


def network(alpha, rho=1.0):
    return Network(f"{alpha:g} MobileNet", build, {"alpha": alpha, "rho": rho})


def record(alpha, seed, top1, rho=1.0):
    return {
        "key": f"{alpha}-{rho}-{seed}",
        "network": network(alpha, rho).config,
        "network_key": network(alpha, rho).key,
        "seed": seed,
        "metrics": {"top1": top1},
        "cost": {"side": round(112 * rho), "mult_adds": 142e6, "parameters": 3.2e6},
        "data": {
            "name": "imagenette112",
            "version": "1.0.0",
            "evaluation_split": "validation",
            "evaluation_size": 3925,
            "class_names": ["x"] * 10,
            "side": 112,
            "base_resolution": 112,
        },
        "recipe": RECIPES["modern"].to_json(),
        "precision": "float32",
        "seconds": 600.0,
        "device": "2 cores of X",
        "commit": "0123456789",
    }


ROWS = tuple(Row(network(alpha), TABLE6[alpha]) for alpha in (1.0, 0.5, 0.25))
RESULTS = [
    record(1.0, 0, 0.871),
    record(1.0, 1, 0.865),
    record(0.5, 0, 0.84),
]


def test_table_as_a_literal():
    assert (
        comparison.accuracies(ROWS, RESULTS)
        == """\
| Network        | Paper top-1 % | Drop | Paper M mult-adds |  Exact | Paper M params \
| Exact | Trained at | Our top-1 % |   ± | Seeds | Drop |
|----------------|--------------:|-----:|------------------:|-------:|---------------:\
|------:|-----------:|------------:|----:|------:|-----:|
| 1 MobileNet    |          70.6 |  0.0 |               569 | 568.74 |            4.2 \
|  4.21 |     112 px |        86.8 | 0.4 |     2 |  0.0 |
| 0.5 MobileNet  |          63.7 |  6.9 |               149 | 149.50 |            1.3 \
|  1.32 |     112 px |        84.0 |   – |     1 |  2.8 |
| 0.25 MobileNet |          50.6 | 20.0 |                41 |  41.03 |            0.5 \
|  0.46 |          – |           – |   – |     0 |    – |"""
    )


def test_footnote_says_where_numbers_come_from():
    assert conditions.in_full(RESULTS) == (
        "Paper: ImageNet. Ours: imagenette112 1.0.0, validation split (3,925 images, "
        "10 classes), recipe `modern`, 30 epochs, float32; mean and sample standard "
        "deviation over the seeds. Exact: counted at the paper's resolution and number "
        "of classes. Trained on 2 cores of X in 30 minutes in all, commit 0123456."
    )


def test_conditions_in_short():
    said = "Trained on imagenette112 at 112 px, for 30 epochs, 1 to 2 seeds of each"
    assert conditions.in_short(ROWS, RESULTS) == f"{said} network."


def test_footnote_says_that_images_are_scaled_up():
    data = {**RESULTS[0]["data"], "side": 96}
    assert (
        "validation split (3,925 images of 96 px, scaled up to 112 px at rho 1, 10 "
        in conditions.in_full([{**RESULTS[0], "data": data}])
    )


def test_costs_table():
    assert (
        comparison.costs(ROWS[2:])
        == """\
| Network        |  Input | Paper M mult-adds | Exact | Paper M params | Exact |
|----------------|-------:|------------------:|------:|---------------:|------:|
| 0.25 MobileNet | 224 px |                41 | 41.03 |            0.5 |  0.46 |"""
    )


def test_select_sorts_by_seed():
    trained = Row(network(1.0))
    assert [r["seed"] for r in select(trained, RESULTS[::-1])] == [0, 1]


def test_rows_that_are_not_trained_have_no_records():
    assert select(Row(network(1.0), trained=False), RESULTS) == []


def test_numbers():
    assert table.percent(0.8654) == "86.5"
    assert table.millions(568_740_352) == "568.74"
    assert (table.percent(None), table.number(None)) == ("–", "–")
    assert table.spread([0.5]) is None
    assert table.mean([]) is None


def test_figures(tmp_path):
    rows = [
        Row(network(alpha, side / 224), published)
        for (alpha, side), published in FIGURE4.items()
        if side in (224, 128)
    ]
    results = [
        record(row.network.arguments["alpha"], seed, 0.7 + 0.01 * seed, rho=rho)
        for row in rows
        for rho in [row.network.arguments["rho"]]
        for seed in (0, 1)
    ]
    (figure,) = figures.accuracy_over_mult_adds(rows, results, tmp_path / "figure")
    assert figure.shows == (
        "Top-1 accuracy over million mult-adds: the paper's networks on ImageNet, and "
        "ours on imagenette112"
    )
    assert figure.png.read_bytes().startswith(b"\x89PNG")
    svg = figure.svg.read_text()
    assert "95 % error of images and seeds" in svg
    figures.accuracy_over_mult_adds(rows, results, tmp_path / "figure")
    assert figure.svg.read_text() == svg  # the same records, the same file

    (other,) = figures.accuracy_over_parameters(rows, results[::2], tmp_path / "figure")
    assert "95 % error of images -->" in other.svg.read_text()  # of one seed
    assert {file.name for file in tmp_path.iterdir()} == {
        "figure-mult_adds.png",
        "figure-mult_adds.svg",
        "figure-parameters.png",
        "figure-parameters.svg",
    }


def test_document_block(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("a\n<!-- begin t -->\nold\n<!-- end t -->\nb\n")
    document.replace_blocks(path, {"t": "| \\1 |", "u": "nowhere"})
    assert path.read_text() == ("a\n<!-- begin t -->\n\n| \\1 |\n\n<!-- end t -->\nb\n")
    assert document.block(path.read_text(), "t") == "| \\1 |"
    with pytest.raises(ValueError, match="no block between <!-- begin u -->"):
        document.block(path.read_text(), "u")


def test_tolerance_grows_with_the_spread():
    results = [record(1.0, 0, 0.80), record(1.0, 1, 0.90)]
    tolerance = 100 * 3 * 0.4 * 0.85 * (1 - 0.85)
    assert f"± {tolerance:.1f}" in comparison.expectations(ROWS, results, 0.4)


def test_expectations():
    assert (
        comparison.expectations(ROWS, RESULTS, 0.005)
        == """\
| Network       | Top-1 % | Tolerance | Minutes |       Device |
|---------------|--------:|----------:|--------:|-------------:|
| 1 MobileNet   |    86.8 |     ± 2.0 |    10.0 | 2 cores of X |
| 0.5 MobileNet |    84.0 |     ± 2.0 |    10.0 | 2 cores of X |"""
    )


def test_interval_is_wilsons():
    low, high = table.interval(0.5, 100)
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)
    assert table.interval(0.0, 10)[0] == pytest.approx(0.0, abs=1e-12)


def test_rows_without_a_paper_have_no_columns_for_it():
    rows = [Row(network(0.25)), Row(network(0.5), trained=False)]
    header, _, first, second = comparison.accuracies(rows, []).splitlines()
    assert "Paper" not in header
    assert "Drop" not in header
    assert first.split("|")[-2].strip() == "0"
    assert second.split("|")[-2].strip() == "–"


def test_csv_is_for_programs():
    columns = ("Layer", "Paper M", "Exact", "Paper params", "Exact")
    shown = sheet.Sheet(columns, [("a, b", "1,234.5", "–", 12, None)])
    assert shown.csv() == (
        'Layer,Paper M,"Paper M, Exact",Paper params,"Paper params, Exact"\n'
        '"a, b",1234.5,,12,\n'
    )
    assert "| a, b  | 1,234.5 |     – |" in str(shown)


def test_the_csv_of_trained_networks_is_not_rounded():
    rows = list(csv.DictReader(sheet.measured(ROWS, RESULTS, 0.005).csv().splitlines()))
    assert [row["network"] for row in rows] == [row.network.label for row in ROWS]
    first, _, last = rows
    assert float(first["top1_mean"]) == pytest.approx(0.868)
    assert first["top1_per_seed"] == "0.871 0.865"
    assert (first["mult_adds"], first["paper_mult_adds_millions"]) == (
        "568740352",
        "569",
    )
    assert first["top1_tolerance"] == "0.02"
    assert (last["seeds"], last["top1_mean"], last["minutes"]) == ("0", "", "")


def test_a_command_names_what_changes_the_result():
    assert Config(workdir="elsewhere", workers=2).command("x") == (
        "python -m experiments.x"
    )
    config = Config(dataset="y", data_dir="/data", only="^0.25", to_rgb=True)
    assert config.command("x") == (
        "python -m experiments.x --dataset=y --data_dir=DIR --only='^0.25' --to_rgb"
    )


def test_reproduce_shows_two_tables_then_claims_then_files(tmp_path, capsys):
    """From the committed records of the embedded data set."""
    config = Config(
        render=True,
        workdir=str(tmp_path / "runs"),
        results=str(ROOT / "experiments/results"),
    )
    page.check_output(config)
    pages = reproduce.experiment.pages(config)
    page.publish(pages, config)
    output = capsys.readouterr().out
    sentences = [sentence for shown in pages for sentence in shown.claims]
    order = [
        output.index("**MobileNets Table 6"),
        output.index("**MobileNets Table 7"),
        *(output.rindex(sentence) for sentence in sentences),  # again below the tables
        output.index("written: "),
        output.index("records: "),
    ]
    assert len(sentences) == 2 and order == sorted(order)
    (figure,) = pages[-1].figures
    assert figure.png.exists() and figure.svg.exists()
