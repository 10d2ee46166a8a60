"""What the page of updates over the air says, from records."""

import pytest

pytest.importorskip("constriction")

from experiments.updates import findings, measurement, tables


def record(training="classifier", ours=50, **changes):
    """A record of an update, as far as the page reads it."""
    seconds = {"diff_seconds": 2.0, "apply_seconds": 0.5}
    return {
        "network": "mobilenet_0.25",
        "form": "32 values",
        "training": training,
        "story": "a class is added",
        "top1": 0.5,
        "file_bytes": 900,
        "ways": {
            "bsdiff4": {"bytes": 100, **seconds},
            "codec.delta": {"bytes": ours, **seconds},
        },
        "config": {"first": {}},
        "device": "2 cores",
        **changes,
    }


def test_seconds_are_medians_over_the_updates_of_a_file():
    slow = {"bytes": 50, "diff_seconds": 9.0, "apply_seconds": 3.0}
    updates = [record(), record(), record()]
    for one, factor in zip(updates, (1, 2, 3), strict=True):
        one["ways"]["codec.delta"] = {
            key: factor * value for key, value in slow.items()
        }
    other = record(form=None, file="codec")
    sheet = tables.seconds([*updates, other])
    place = ("mobilenet 0.25", "32 values", 3)
    assert sheet.rows[0] == (*place, "2.000", "0.5000", "18.000", "6.0000")
    assert sheet.rows[1][1:3] == ("codec, float32 to 8 bits", 1)
    assert "codec.delta applied" in sheet.columns
    assert "on the device of its record (2 cores)" in findings.measured_on(updates)


def test_which_updates_miss_a_target():
    updates = [record("normalization", ours=33), record("normalization", ours=34)]
    title, sentence = findings.targets(updates, [])
    assert title == "Targets of `codec.delta`:"
    assert sentence == (
        "Trained again: at most 33 % of the smallest other way in 1 of 2 updates; they "
        "take 33.0 to 34.0 %. Not in: mobilenet 0.25, 32 values, normalization, a "
        "class is added (34.0 %)."
    )
    assert "Not in" not in findings.targets(updates[:1], [])[1]


def test_where_another_way_takes_fewer_bytes():
    small, large = record(), record(ours=101)
    assert findings.larger([small, large]) == (
        "`codec.delta` is larger than the smallest other way in 1 of 2 updates: "
        "mobilenet 0.25, 32 values, classifier, a class is added (101 and 100 bytes)."
    )
    assert findings.larger([small]).endswith("in 0 of 1 updates.")


def test_budgets_that_change_nothing():
    free, tenth, few = (
        name for name in measurement.TRAININGS if "old" in name or "%" in name
    )
    updates = [record(free), record(tenth), record(few, top1=0.4)]
    updates += [record(name, form="8 bits") for name in (free, tenth)]
    updates[-1]["ways"] = record(ours=49)["ways"]
    (text,) = findings.budgets(updates)
    assert text == (
        "A budget changes nothing where the training brings fewer weights than it "
        "allows to another value of their kernel, and 32 values are far apart. The "
        "update is the same as without a budget with 32 values, 10 % of the weights: "
        "in 1 of 1 updates."
    )
    assert findings.budgets(updates[:1]) == []
