"""MobileNets, arXiv 1704.04861, Tables 11 to 14: tasks on data that is not public.

The accuracies cannot be reproduced; the costs of the plain networks can be counted.
"""

# Table 11: percent of the Im2GPS test set located within a distance.
TABLE11 = (
    ("Continent (2500 km)", 51.9, 77.6, 79.3),
    ("Country (750 km)", 35.4, 64.0, 60.3),
    ("Region (200 km)", 32.1, 51.1, 45.2),
    ("City (25 km)", 21.9, 31.7, 31.7),
    ("Street (1 km)", 2.5, 11.0, 11.4),
)
# The text: million parameters, million mult-adds as they must be meant.
PLANET = {"PlaNet (Inception V3)": (52, 5740), "PlaNet MobileNet": (13, 580)}

# Table 12: (alpha, side) -> mean average precision, million mult-adds, million
# parameters; convolutions only.
TABLE12 = {
    (1.0, 224): (88.7, 568, 3.2),
    (0.5, 224): (88.1, 149, 0.8),
    (0.25, 224): (87.2, 45, 0.2),
    (1.0, 128): (88.1, 185, 3.2),
    (0.5, 128): (87.7, 48, 0.8),
    (0.25, 128): (86.4, 15, 0.2),
}
TABLE12_BASELINE = (86.9, 1600, 7.5)

# Table 13: framework, network, mean average precision, billion mult-adds, million
# parameters.
TABLE13 = (
    ("SSD 300", "deeplab-VGG", 21.1, 34.9, 33.1),
    ("SSD 300", "Inception V2", 22.0, 3.8, 13.7),
    ("SSD 300", "MobileNet", 19.3, 1.2, 6.8),
    ("Faster-RCNN 300", "VGG", 22.9, 64.3, 138.5),
    ("Faster-RCNN 300", "Inception V2", 15.4, 118.2, 13.3),
    ("Faster-RCNN 300", "MobileNet", 16.4, 25.2, 6.1),
    ("Faster-RCNN 600", "VGG", 25.7, 149.6, 138.5),
    ("Faster-RCNN 600", "Inception V2", 21.9, 129.6, 13.3),
    ("Faster-RCNN 600", "MobileNet", 19.8, 30.5, 6.1),
)

# Table 14: network, (alpha, side) as meant, accuracy at a false accept rate of 1e-4,
# million mult-adds, million parameters.
TABLE14 = (
    ("FaceNet", None, 83, 1600, 7.5),
    ("1.0 MobileNet-160", (1.0, 160), 79.4, 286, 4.9),
    ("1.0 MobileNet-128", (1.0, 128), 78.3, 185, 5.5),
    ("0.75 MobileNet-128", (0.75, 160), 75.2, 166, 3.4),
    ("0.75 MobileNet-128", (0.75, 128), 72.5, 108, 3.8),
)
