"""SqueezeNet Table 1: the layers, their sizes, and what pruning leaves of them.

    python -m experiments.squeezenet_dimensions [--squeezenet_weights=FILE]

Paper: arXiv 1602.07360, Table 1. With the authors' compressed file, the entries that it
stores stand beside the printed ones.
Time: seconds; it counts and trains nothing.
"""

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published.squeezenet import (
    TABLE1,
    TABLE1_BITS,
    TABLE1_FILTERS,
    TABLE1_POOLS,
    TABLE1_SLIPS,
    TABLE1_TOTAL,
)
from experiments.report.sheet import Sheet
from mobilenet_tf import build_squeezenet
from mobilenet_tf.analysis import cost, table
from mobilenet_tf.models import squeezenet_release, weight_loading


def content(config: Config) -> list[Part]:
    """Every layer: as printed, as built, and as the authors' file stores it."""
    path = config.squeezenet_weights
    stored = _stored(path) if path else None
    model = build_squeezenet(border="valid")
    built = dict.fromkeys(TABLE1, 0)
    for layer in cost.per_layer(model):
        if layer.weights:
            built[_row_of(layer.name)] += layer.weights + layer.biases
    rows = []
    for name, ((side, depth), before, after, kept) in TABLE1.items():
        output = table.shape(model.get_layer(name).output.shape[1:])
        shapes = (table.shape((side, side, depth)), output)
        shares = " / ".join(f"{share} %" for share in kept)
        counts = _counts(before, built[name], after)
        bits = str(TABLE1_BITS)
        rows.append([name, TABLE1_FILTERS[name], *shapes, shares, bits, *counts])
        if stored:
            rows[-1] += _counts(stored[name])
        if name in TABLE1_POOLS:
            rows.append(_pool_row(model, name, len(rows[-1])))
    before, after = TABLE1_TOTAL
    rows.append(["total", *[""] * 5, *_counts(before, sum(built.values()), after)])
    columns = ["Layer", "Paper filters", "Paper output", "Output", "Kept", "Bits"]
    columns += ["Paper params", "Exact", "Paper pruned"]
    if stored:
        columns.append("Authors' file")
        rows[-1] += _counts(sum(stored.values()))
    note = "The authors' file stores some zeros between distant weights too."
    return [Sheet(columns, rows), *([note] if stored else [])]


def _pool_row(model, before, width):
    """The pooling layer after another one; it has no parameters."""
    name, printed, size = TABLE1_POOLS[before]
    layers = [layer for layer in model.layers if "Pooling" in type(layer).__name__]
    layer = layers[list(TABLE1_POOLS).index(before)]
    output = layer.output.shape[1:]
    output = table.shape((1, 1, *output) if len(output) == 1 else output)
    row = [name, size, printed, output]
    return row + [""] * (width - len(row))


def _stored(path):
    """Entries and biases in the authors' file."""
    weight_loading.check(path, (".net",))
    stored = dict.fromkeys(TABLE1, 0)
    for name, layer in squeezenet_release.read(path).items():
        stored[_row_of(name)] += len(layer.indices) + len(layer.bias)
    return stored


def _row_of(layer_name):
    return layer_name.partition("_")[0]


def _counts(*numbers):
    return [f"{number:,}" for number in numbers]


experiment = Table(
    name="squeezenet_dimensions",
    title="SqueezeNet Table 1: architectural dimensions",
    content=content,
    remark="\n".join(f"- {slip}" for slip in TABLE1_SLIPS),
)

if __name__ == "__main__":
    run(experiment)
