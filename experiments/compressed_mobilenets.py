"""MobileNets in few bytes: pruning, clustering, int8 and their combinations.

    python -m experiments.compressed_mobilenets

MobileNet at alpha 1 and 0.25 is trained and compressed; a step that removes weights
fine-tunes for four epochs, one that rounds them for two. Sizes are those of files of
`mobilenet_tf.codec`, which hold everything that is needed to run the network.
Expected: a 16 times smaller file at a loss of at most a point at alpha 1.
Time and accuracies of the committed records: experiments/results.
"""

import dataclasses

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, Step, run
from experiments.report import figures, sizes
from experiments.report.claims import smaller_at
from mobilenet_tf.compression import cluster, prune, quantize, remove_channels
from mobilenet_tf.training.recipes import COMPRESS

REMOVE = dataclasses.replace(COMPRESS, name="remove", epochs=4)
ROUND = dataclasses.replace(COMPRESS, name="round", epochs=2)

PRUNE_50, PRUNE_75, PRUNE_90 = (
    Step(prune, {"sparsity": sparsity}, REMOVE) for sparsity in (0.5, 0.75, 0.9)
)
CLUSTER_12, CLUSTER_16, CLUSTER_32 = (
    Step(cluster, {"clusters": clusters}, ROUND) for clusters in (12, 16, 32)
)
INT8 = Step(quantize, {}, ROUND)
NARROW = Step(remove_channels, {"fraction": 0.25}, REMOVE)

CHAINS = {
    "float32": (),
    "prune 50 %": (PRUNE_50,),
    "prune 75 %": (PRUNE_75,),
    "prune 90 %": (PRUNE_90,),
    "cluster 32": (CLUSTER_32,),
    "cluster 16": (CLUSTER_16,),
    "int8": (INT8,),
    "prune 75 %, cluster 32": (PRUNE_75, CLUSTER_32),
    "prune 75 %, cluster 16": (PRUNE_75, CLUSTER_16),
    "prune 75 %, cluster 12": (PRUNE_75, CLUSTER_12),
    "prune 90 %, cluster 16": (PRUNE_90, CLUSTER_16),
    "prune 75 %, cluster 32, int8": (PRUNE_75, CLUSTER_32, INT8),
}
# With 90 % zeros its first 1x1 convolution has fewer values than clusters.
CLUSTER_16_OTHERS = Step(cluster, {"clusters": 16, "skip": ["block1_pointwise"]}, ROUND)
# A narrower alpha 1 is what a smaller alpha is.
SMALL_CHAINS = CHAINS | {
    "prune 90 %, cluster 16": (PRUNE_90, CLUSTER_16_OTHERS),
    "25 % fewer channels": (NARROW,),
    "25 % fewer channels, int8": (NARROW, INT8),
}


def rows(alpha: float, chains: dict[str, tuple[Step, ...]]) -> tuple[Row, ...]:
    """A row for each chain of steps at one alpha."""
    return tuple(
        Row(
            Network(
                f"alpha {alpha:g}, {name}",
                mobilenet_tf.build,
                {"alpha": alpha},
                steps=steps,
            )
        )
        for name, steps in chains.items()
    )


LARGE, SMALL = rows(1.0, CHAINS), rows(0.25, SMALL_CHAINS)

experiment = Experiment(
    name="compressed_mobilenets",
    title="MobileNets in few bytes: accuracy against the size of the file",
    rows=LARGE + SMALL,
    body=sizes.compressed,
    figures=(figures.accuracy_over_bytes,),
    claims=(
        Claim(
            "alpha 1 fits a file 16 times smaller at a loss of at most a point",
            smaller_at(16, 1),
            LARGE,
        ),
    ),
    paper_data=None,
    remark="Before: the accuracy of the network that the steps begin with. Pruning "
    "leaves depthwise kernels out; clustering and int8 take all kernels, but for the "
    "first 1x1 convolution of alpha 0.25, which keeps its 14 values at 90 %. Biases "
    "and batch normalisation stay float32.",
)

if __name__ == "__main__":
    run(experiment)
