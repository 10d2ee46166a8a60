"""MobileNets, arXiv 1704.04861: the tables and figures about classification.

Accuracies are ImageNet top-1 in percent unless the table says otherwise, mult-adds and
parameters are in millions, as printed.
"""

import dataclasses

from experiments.published.row import PublishedRow, rows

# The keys are alpha, and the input side in pixels.
TABLE6 = dict(
    zip(
        (1.0, 0.75, 0.5, 0.25),
        rows(
            "MobileNets Table 6",
            ("1.0 MobileNet-224", 70.6, 569, 4.2),
            ("0.75 MobileNet-224", 68.4, 325, 2.6),
            ("0.5 MobileNet-224", 63.7, 149, 1.3),
            ("0.25 MobileNet-224", 50.6, 41, 0.5),
        ),
        strict=True,
    )
)
TABLE7 = dict(
    zip(
        (224, 192, 160, 128),
        rows(
            "MobileNets Table 7",
            ("1.0 MobileNet-224", 70.6, 569, 4.2),
            ("1.0 MobileNet-192", 69.1, 418, 4.2),
            (
                "1.0 MobileNet-160",
                67.2,
                290,
                4.2,
                True,
                "290.675 with the classifier would print as 291",
            ),
            ("1.0 MobileNet-128", 64.4, 186, 4.2),
        ),
        strict=True,
    )
)
TABLE4 = rows(
    "MobileNets Table 4",
    (
        "Conv MobileNet",
        71.7,
        4866,
        29.3,
        False,
        "4866 leaves out the classifier, unlike the 569 below it",
    ),
    ("MobileNet", 70.6, 569, 4.2),
)
TABLE5 = rows(
    "MobileNets Table 5",
    ("0.75 MobileNet", 68.4, 325, 2.6),
    ("Shallow MobileNet", 65.3, 307, 2.9),
)
TABLE8 = rows(
    "MobileNets Table 8",
    ("1.0 MobileNet-224", 70.6, 569, 4.2),
    (
        "GoogleNet",
        69.8,
        1550,
        6.8,
        True,
        "6.99 million weights are 6,826 times 1024, which may be the printed 6.8; the "
        "1550 million mult-adds are lower than what its layers need",
    ),
    ("VGG 16", 71.5, 15300, 138, False, "15300 is a rounded figure"),
)
TABLE9 = rows(
    "MobileNets Table 9",
    ("0.50 MobileNet-160", 60.2, 76, 1.32, False, "76 leaves out the classifier"),
    (
        "Squeezenet",
        57.5,
        1700,
        1.25,
        True,
        "1700 counts multiplications and additions apart",
        80.3,
        None,
        True,
    ),
    (
        "AlexNet",
        57.2,
        720,
        60,
        True,
        "60 is 60.97 cut off; 720 is 724 rounded",
        80.3,
        None,
        True,
    ),
)
# Stanford Dogs; parameters with a classifier of 120 classes, mult-adds with 1000.
TABLE10 = tuple(
    dataclasses.replace(row, parameter_classes=120)
    for row in rows(
        "MobileNets Table 10",
        (
            "Inception V3",
            84,
            5000,
            23.2,
            True,
            "5000 is its paper's 'five billion'; the text on PlaNet has 5.74 billion; "
            "23.2 is neither the network of 120 classes, 22.0, nor of 1000, 23.8",
        ),
        ("1.0 MobileNet-224", 83.3, 569, 3.3),
        ("0.75 MobileNet-224", 81.9, 325, 1.9),
        ("1.0 MobileNet-192", 81.9, 418, 3.3),
        ("0.75 MobileNet-192", 80.5, 239, 1.9),
    )
)

# Table 1 at alpha 1, 224 px: (kind, filter shape, input shape) of every layer.
TABLE1 = (
    ("conv", (3, 3, 3, 32), (224, 224, 3)),
    ("dw", (3, 3, 32), (112, 112, 32)),
    ("conv", (1, 1, 32, 64), (112, 112, 32)),
    ("dw", (3, 3, 64), (112, 112, 64)),
    ("conv", (1, 1, 64, 128), (56, 56, 64)),
    ("dw", (3, 3, 128), (56, 56, 128)),
    ("conv", (1, 1, 128, 128), (56, 56, 128)),
    ("dw", (3, 3, 128), (56, 56, 128)),
    ("conv", (1, 1, 128, 256), (28, 28, 128)),
    ("dw", (3, 3, 256), (28, 28, 256)),
    ("conv", (1, 1, 256, 256), (28, 28, 256)),
    ("dw", (3, 3, 256), (28, 28, 256)),
    ("conv", (1, 1, 256, 512), (14, 14, 256)),
    *(("dw", (3, 3, 512), (14, 14, 512)), ("conv", (1, 1, 512, 512), (14, 14, 512)))
    * 5,
    ("dw", (3, 3, 512), (14, 14, 512)),
    ("conv", (1, 1, 512, 1024), (7, 7, 512)),
    ("dw", (3, 3, 1024), (7, 7, 1024)),
    ("conv", (1, 1, 1024, 1024), (7, 7, 1024)),
    ("fc", (1024, 1000), (1, 1, 1024)),
)

# Table 2: kind of layer -> (percent of mult-adds, percent of parameters). The printed
# 1.19 of the first convolution is a slip for 1.91: the column then adds up to 100.
TABLE2 = {
    "Conv 1x1": (94.86, 74.59),
    "Conv DW 3x3": (3.06, 1.06),
    "Conv 3x3": (1.19, 0.02),
    "Fully Connected": (0.18, 24.33),
}
TABLE2_SLIPS = {"Conv 3x3": (1.91, 0.02)}

# Table 3: one layer, 3x3, 512 to 512 channels, 14x14, cumulative changes:
# (change, million mult-adds, million parameters).
TABLE3 = (
    ("Convolution", 462, 2.36),
    ("Depthwise Separable Conv", 52.3, 0.27),
    ("alpha = 0.75", 29.6, 0.15),
    ("rho = 0.714", 15.1, 0.15),
)

# Figures 4 and 5: (alpha, side) -> accuracy. Eight are printed in Tables 6, 7 and 9;
# the others were digitised from the figures and are good to 0.1 points.
_FIGURE4_TOP1 = {
    (1.0, 224): 70.6,
    (1.0, 192): 69.1,
    (1.0, 160): 67.2,
    (1.0, 128): 64.4,
    (0.75, 224): 68.4,
    (0.75, 192): 67.3,
    (0.75, 160): 64.7,
    (0.75, 128): 62.2,
    (0.5, 224): 63.7,
    (0.5, 192): 62.5,
    (0.5, 160): 60.2,
    (0.5, 128): 55.8,
    (0.25, 224): 50.6,
    (0.25, 192): 47.6,
    (0.25, 160): 45.3,
    (0.25, 128): 42.9,
}
_PRINTED = {
    **{(1.0, side): row for side, row in TABLE7.items()},
    **{(alpha, 224): row for alpha, row in TABLE6.items()},
    (0.5, 160): TABLE9[0],
}
FIGURE4 = {
    key: _PRINTED.get(key)
    or PublishedRow(
        "MobileNets Figure 4",
        f"{key[0]:g} MobileNet-{key[1]}",
        top1,
        None,
        None,
        note="digitised from the figure",
    )
    for key, top1 in _FIGURE4_TOP1.items()
}
