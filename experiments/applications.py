"""MobileNets Tables 11 to 14: what can be counted of the tasks on private data.

    python -m experiments.applications

Paper: arXiv 1704.04861, sections 4.5 to 4.7. The accuracies are the paper's: the
photographs of PlaNet, the face attributes and the faces of FaceNet are not public, and
the detectors of Table 13 are not described closely enough.
Time: seconds; it counts and trains nothing.
"""

import mobilenet_tf
from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published import applications as paper
from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import cost, table
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import baselines

CONVOLUTIONS = ("Paper M mult-adds", "Exact", "Paper M params", "Exact")


def planet() -> list[Sheet]:
    """Table 11: PlaNet on either body, convolutions alone."""
    bodies = (
        baselines.inception_v3(include_top=False),
        mobilenet_tf.build(include_top=False),
    )
    rows = [
        (name, *_costs(mult_adds, parameters, body))
        for (name, (parameters, mult_adds)), body in zip(
            paper.PLANET.items(), bodies, strict=True
        )
    ]
    scales = [
        (scale, *(f"{value:.1f}" for value in values))
        for scale, *values in paper.TABLE11
    ]
    columns = ("Paper: % located", "Im2GPS", "PlaNet", "PlaNet MobileNet")
    return [
        Sheet(columns, scales, "table11"),
        Sheet(("Network", *CONVOLUTIONS), rows, "table11-costs"),
    ]


def face_attributes() -> Sheet:
    """Table 12: convolutions alone."""
    rows = [
        (
            f"{alpha:g} MobileNet-{side}",
            f"{accuracy:.1f}",
            *_body(alpha, side, *printed),
        )
        for (alpha, side), (accuracy, *printed) in paper.TABLE12.items()
    ]
    accuracy, mult_adds, parameters = paper.TABLE12_BASELINE
    rows.append(("Baseline", f"{accuracy:.1f}", *_costs(mult_adds, parameters)))
    return Sheet(("Network", "Paper mean AP %", *CONVOLUTIONS), rows, "table12")


def detection() -> Sheet:
    """Table 13, as printed."""
    rows = [
        (f"{framework}, {network}", *map(str, cells))
        for framework, network, *cells in paper.TABLE13
    ]
    columns = ("Detector", "Paper mAP %", "Paper G mult-adds", "Paper M params")
    return Sheet(columns, rows, "table13")


def face_embedding() -> Sheet:
    """Table 14: convolutions alone."""
    rows = [
        (_meant(name, size), table.number(accuracy), *_body(*size, *printed))
        if size
        else (name, table.number(accuracy), *_costs(*printed))
        for name, size, accuracy, *printed in paper.TABLE14
    ]
    return Sheet(("Network", "Paper accuracy %", *CONVOLUTIONS), rows, "table14")


def _meant(name, size):
    """The printed name, and the side in pixels where it is a slip."""
    return name if name.endswith(f"-{size[1]}") else f"{name} (means {size[1]})"


def _body(alpha, side, mult_adds, parameters):
    body = mobilenet_tf.build(alpha, side / 224, include_top=False)
    return _costs(mult_adds, parameters, body)


def _costs(mult_adds, parameters, model=None):
    exact = (None, None)
    if model is not None:
        exact = cost.mult_adds(model, False), cost.parameters(model)
    return (
        table.number(mult_adds),
        table.millions(exact[0]),
        table.number(parameters),
        table.millions(exact[1]),
    )


def content(config: Config) -> list[Part]:
    """The four tables, one below the other."""
    return without_weights(_tables)


def _tables():
    return [
        "Table 11, PlaNet: where a photograph was taken",
        *planet(),
        "Table 12, face attributes",
        face_attributes(),
        "Table 13, object detection on COCO",
        detection(),
        "Table 14, face embedding distilled from FaceNet",
        face_embedding(),
    ]


experiment = Table(
    name="applications",
    title="MobileNets Tables 11 to 14: applications",
    content=content,
    remark="""\
- The accuracies are the paper's alone: the data of Tables 11, 12 and 14 is not public,
  and the detectors of Table 13 are not described closely enough to be built.
- Table 11: the text gives PlaNet MobileNet "0.58 million" mult-adds; it must be
  billion. Convolutions alone: 3 million weights of MobileNet's body, as the text says,
  and 567.7 million mult-adds; a final layer adds 10 million of each, which makes 13 and
  577.7. The final layers of the larger PlaNet are not described.
- Table 12: convolutions alone. The rows of alpha 0.25 exceed the standard network, as
  if no layer had fewer than 16 channels: 45.99 and 15.02 million. 48 is 48.65, cut
  off. The text gives the baseline 75 million parameters, the table 7.5.
- Table 13: as printed, Faster-RCNN with Inception V2 costs almost the same at 300 as at
  600 pixels.
- Table 14: convolutions alone. The first "0.75 MobileNet-128" is printed with the cost
  of a side of 160, and is counted as that. 286 and 108 are neither the convolutions'
  289.65 and 106.00 nor those with any classifier that the paper mentions. The
  parameters include an embedding that is not described.""",
)

if __name__ == "__main__":
    run(experiment)
