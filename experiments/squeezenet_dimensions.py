"""SqueezeNet Table 1: the layers, their sizes, and what pruning leaves of them.

    python -m experiments.squeezenet_dimensions [--squeezenet_weights=FILE]

Counts; trains nothing; seconds on any machine. With the authors' compressed file, the
entries that it stores stand beside the printed ones. Source: arXiv 1602.07360, Table 1.
"""

from mobilenet_tf import authors_weights, build_squeezenet, cost
from mobilenet_tf.experiment import Table
from mobilenet_tf.experiment.flags import FLAGS
from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.published.squeezenet import (
    TABLE1,
    TABLE1_SLIPS,
    TABLE1_TOTAL,
)


def content() -> str:
    """Every layer: as printed, as built, and as the authors' file stores it."""
    model = build_squeezenet(border="valid")
    built = dict.fromkeys(TABLE1, 0)
    for layer in cost.per_layer(model):
        if layer.weights:
            built[_row_of(layer.name)] += layer.weights + layer.biases
    rows = []
    for name, ((side, depth), before, after, kept) in TABLE1.items():
        output = model.get_layer(name).output.shape[1:]
        shapes = (table.shape((side, side, depth)), table.shape(output))
        shares = " / ".join(f"{share} %" for share in kept)
        rows.append([name, *shapes, shares, *_counts(before, built[name], after)])
    before, after = TABLE1_TOTAL
    rows.append(["total", "", "", "", *_counts(before, sum(built.values()), after)])
    columns = ["Layer", "Paper output", "Output", "Kept", "Paper params", "Exact"]
    columns.append("Paper pruned")
    if FLAGS.squeezenet_weights:
        columns.append("Authors' file")
        stored = _stored(FLAGS.squeezenet_weights)
        counts = [*stored.values(), sum(stored.values())]
        for row, count in zip(rows, counts, strict=True):
            row += _counts(count)
    return table.render(columns, rows)


def _stored(path):
    """Entries and biases in the authors' file."""
    stored = dict.fromkeys(TABLE1, 0)
    for name, layer in authors_weights.read(path).items():
        stored[_row_of(name)] += len(layer.codes) + len(layer.bias)
    return stored


def _row_of(layer_name):
    return layer_name.partition("_")[0]


def _counts(*numbers):
    return [f"{number:,}" for number in numbers]


experiment = Table(
    name="squeezenet_dimensions",
    title="SqueezeNet Table 1: architectural dimensions",
    content=content,
    remark="\n".join(f"- {slip}" for slip in TABLE1_SLIPS)
    + "\n- The authors' file stores some zeros between distant weights too.",
)

if __name__ == "__main__":
    experiment()
