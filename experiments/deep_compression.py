"""SqueezeNet Table 2: SqueezeNet against compressed AlexNets.

    python -m experiments.deep_compression --dataset=imagenette112 --data_dir=DIR \
        --recipe=plain

trains AlexNet and SqueezeNet and compresses both; the images of the embedded data set
are too small for AlexNet. The paper's conclusion: a small architecture, compressed, is
far smaller than a large one that is compressed, at the same accuracy.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1602.07360, section 4 and Table 2.
"""

import dataclasses

from mobilenet_tf import build_squeezenet
from mobilenet_tf.baselines import alexnet
from mobilenet_tf.compression import cluster, low_rank, prune
from mobilenet_tf.experiment import Conclusion, Experiment, Network, Row, Step
from mobilenet_tf.reporting import sizes
from mobilenet_tf.reporting.conclusion import loses_at_most, smaller_at
from mobilenet_tf.reporting.published.squeezenet import TABLE2
from mobilenet_tf.training.recipes import PLAIN

# Half of the rate that these networks are trained with: at a tenth of it, the weights
# that are left do not make up for those that go.
RETRAIN = dataclasses.replace(
    PLAIN,
    name="plain_retrain",
    learning_rate=PLAIN.learning_rate / 2,
    epochs=8,
    warmup_epochs=0.0,
    side_steps=(1.0,),
)
SHARE = dataclasses.replace(
    RETRAIN, name="plain_share", learning_rate=PLAIN.learning_rate / 10, epochs=3
)

# Deep Compression keeps 11 % of AlexNet's weights and 33 % of SqueezeNet's.
PRUNE_89 = Step(prune, {"sparsity": 0.89}, RETRAIN)
PRUNE_67 = Step(prune, {"sparsity": 0.67}, RETRAIN)
SVD = Step(low_rank, {"fraction": 0.2}, RETRAIN)
STEPS = {
    ("AlexNet", "none"): (),
    ("AlexNet", "SVD"): (SVD,),
    ("AlexNet", "pruning"): (PRUNE_89,),
    ("AlexNet", "Deep Compression"): (
        PRUNE_89,
        Step(cluster, {"clusters": 32}, SHARE),
    ),
    ("SqueezeNet", "none"): (),
    ("SqueezeNet", "Deep Compression, 8 bit"): (
        PRUNE_67,
        Step(cluster, {"clusters": 256}, SHARE),
    ),
    ("SqueezeNet", "Deep Compression, 6 bit"): (
        PRUNE_67,
        Step(cluster, {"clusters": 64}, SHARE),
    ),
}
BUILDERS = {"AlexNet": alexnet, "SqueezeNet": build_squeezenet}

experiment = Experiment(
    name="deep_compression",
    title="SqueezeNet Table 2: SqueezeNet against compressed AlexNets",
    rows=tuple(
        Row(
            Network(
                f"{name}, {approach}",
                BUILDERS[name],
                {"version": "1.0", "bypass": "none"} if name == "SqueezeNet" else {},
                resolution=227,
                steps=steps,
            ),
            TABLE2[name, approach],
        )
        for (name, approach), steps in STEPS.items()
    ),
    metrics=("top1",),
    body=sizes.compressed,
    conclusions=(
        Conclusion(
            "SqueezeNet is as accurate as AlexNet, to half a point",
            loses_at_most(0.5),
            about=", none$",
        ),
        Conclusion(
            "SqueezeNet loses at most half a point in 8 and in 6 bit",
            loses_at_most(0.5),
            about="^SqueezeNet",
        ),
        Conclusion(
            "SqueezeNet fits a file 10 times smaller at a loss of at most half a point",
            smaller_at(10, 0.5),
            about="^SqueezeNet",
        ),
    ),
    remark="Our sizes are those of files of `mobilenet_tf.compression.codec`, in 10**6 "
    "bytes; the paper's 240 MB are so too, its 4.8, 0.66 and 0.47 are 2**20. "
    "AlexNet's size depends on the input side, because its first fully connected layer "
    "takes every place of the last feature map; for the same reason it is trained at "
    "one side throughout.",
)

if __name__ == "__main__":
    experiment()
