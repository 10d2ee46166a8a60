"""MLPerf Tiny's visual wake words: the published file, and results of its submissions.

The network is MobileNet 0.25 at 96 px with two classes. Results are medians of the
files `results.txt` in github.com/mlcommons/tiny_results_v1.2 at commit b448c5c and
tiny_results_v1.3 at commit eae9ef9, read on 2026-11-24.
"""

import dataclasses

# vww_96_int8.tflite of github.com/mlcommons/tiny; its arena as tflite-micro allocates
# it, of which 29,952 bytes are persistent.
FILE_BYTES = 333_288
ARENA_BYTES, ACTIVATION_BYTES = 103_680, 73_728
TARGET_TOP1 = 0.80

# Mult-adds of the benchmark's image classification network, ResNet-8 at 32 px, counted
# as in `mobilenet_tf.analysis.cost`: convolutions and the dense layer.
RESNET8_MULT_ADDS = 12_501_632


@dataclasses.dataclass(frozen=True)
class Submission:
    """What one submission reports for one board.

    Attributes:
        board: As in `boards.BOARDS`.
        version: Of MLPerf Tiny.
        path: The folder of the results.
        visual_wake_words: Inferences per second.
        microjoules: Per inference of visual wake words; None where not submitted.
        image_classification: Inferences per second of ResNet-8; None where not read.
    """

    board: str
    version: str
    path: str
    visual_wake_words: float
    microjoules: float | None = None
    image_classification: float | None = None

    @property
    def milliseconds(self) -> float:
        """Per inference of visual wake words."""
        return 1000 / self.visual_wake_words


_ST, _BOSCH = "closed/STMicroelectronics/results", "closed/bosch/results"
_RENESAS = "closed/Renesas/results"
SUBMISSIONS = (
    Submission(
        "NUCLEO-G0B1RE", "1.2", f"{_BOSCH}/NUCLEO_G0B1RE_int8", 0.707, None, 0.657
    ),
    Submission(
        "NUCLEO-L4R5ZI", "1.2", f"{_BOSCH}/NUCLEO_L4R5ZI_int8", 5.540, None, 5.539
    ),
    Submission(
        "CY8CPROTO-062-4343W", "1.2", f"{_BOSCH}/CY8CPROTO_062_4343W_int8", 6.465
    ),
    Submission(
        "NUCLEO-U385RG-Q", "1.3", f"{_ST}/NUCLEO_U385RG_Q", 10.128, 518.9761, 5.481
    ),
    Submission(
        "NUCLEO-L4R5ZI", "1.3", f"{_ST}/NUCLEO_L4R5ZI-P", 11.181, 3029.7521, 6.036
    ),
    Submission("NUCLEO-L4R5ZI", "1.2", f"{_ST}/NUCLEO_L4R5ZI", 11.245, 3894.566, 6.056),
    Submission(
        "NUCLEO-U575ZI-Q", "1.2", f"{_ST}/NUCLEO_U575ZI_Q", 16.870, 1354.685, 9.003
    ),
    Submission(
        "NUCLEO-U575ZI-Q", "1.3", f"{_ST}/NUCLEO_U575ZI_Q", 16.873, 1372.1684, 9.133
    ),
    Submission(
        "32F746GDISCOVERY", "1.2", f"{_BOSCH}/DISCO_F746NG_int8", 17.468, None, 15.986
    ),
    Submission("NUCLEO-H7A3ZI-Q", "1.2", f"{_BOSCH}/NUCLEO_H7A3ZI_int8", 22.850),
    Submission(
        "NUCLEO-H7A3ZI-Q", "1.2", f"{_ST}/NUCLEO_H7A3ZI_Q", 42.009, 2965.461, 24.483
    ),
    Submission("EK-RA8D1", "1.2", f"{_RENESAS}/EK-RA8D1", 74.665, None, 117.948),
)
