"""MLPerf Tiny's visual wake words: is there a person in the photograph?

    python -m experiments.visual_wake_words --dataset=visual_wake_words --data_dir=DIR \
        --base_resolution=96

The benchmark's network is MobileNet 0.25 at 96 px with two classes, its target 80 %
top-1 of the int8 file. The data set, made from COCO, is not in TFDS: prepare it as a
TFDS data set of two classes below DIR. `wake_vision`, which is in TFDS, asks the same
question. `python -m experiments.microcontrollers` shows what the network needs and how
fast it is on boards.
"""

import mobilenet_tf
from experiments.harness import Experiment, Network, Row, run
from experiments.published.row import PublishedRow
from experiments.published.tinyml import TARGET_TOP1

experiment = Experiment(
    name="visual_wake_words",
    title="MLPerf Tiny: visual wake words",
    rows=(
        Row(
            Network(
                "0.25 MobileNet", mobilenet_tf.build, {"alpha": 0.25}, resolution=96
            ),
            PublishedRow("MLPerf Tiny", "target", 100 * TARGET_TOP1),
        ),
    ),
    costs=(),  # tables count them for 1000 classes
    paper_data="visual wake words, made from COCO",
)

if __name__ == "__main__":
    run(experiment)
