"""Latencies of MobileNet and SqueezeNet on phones and boards, measured by others.

Source: benchmark/README.md of github.com/Tencent/ncnn at commit 08c2dac, read on
2026-11-24. Average milliseconds per image on the processor, without a GPU. The networks
are MobileNet 1.0 at 224 px and SqueezeNet 1.1 at 227 px, in float32 and int8. The file
does not date its measurements; they are of different versions of ncnn.
"""

from typing import NamedTuple

SOURCE = "github.com/Tencent/ncnn, benchmark/README.md at commit 08c2dac"


class Latency(NamedTuple):
    """Milliseconds per image on a device; None where not measured."""

    device: str
    threads: int
    mobilenet: float
    mobilenet_int8: float | None
    squeezenet: float
    squeezenet_int8: float | None


LATENCIES = (
    Latency("Snapdragon 855+", 4, 5.99, 5.12, 4.51, 5.21),
    Latency("Snapdragon 855+", 1, 15.23, 12.31, 9.72, 10.30),
    Latency("Snapdragon 835", 4, 37.32, 64.49, 29.77, 31.68),
    Latency("Snapdragon 835", 1, 107.13, 157.82, 69.35, 63.73),
    Latency("Snapdragon 820", 4, 36.09, None, 23.63, None),
    Latency("Snapdragon 820", 1, 96.63, None, 53.31, None),
    Latency("Snapdragon 810", 8, 37.29, 108.27, 30.98, 44.63),
    Latency("Snapdragon 810", 1, 113.15, 192.89, 74.05, 89.68),
    Latency("Snapdragon 675", 2, 31.80, 30.95, 23.95, 31.20),
    Latency("Snapdragon 675", 1, 54.41, 59.39, 36.48, 43.13),
    Latency("Snapdragon 660", 8, 32.33, 82.98, 33.26, 36.09),
    Latency("Snapdragon 660", 1, 108.82, 164.24, 70.38, 67.59),
    Latency("Snapdragon 410", 4, 93.29, 246.45, 68.21, 118.16),
    Latency("Snapdragon 410", 1, 244.93, 574.41, 160.17, 236.36),
    Latency("Kirin 970", 4, 35.93, 55.38, 25.83, 22.60),
    Latency("Kirin 970", 1, 108.98, 157.17, 76.06, 66.52),
    Latency("iPhone 5S", 2, 79.44, 111.38, 49.74, 56.70),
    Latency("iPhone 5S", 1, 145.38, 203.02, 86.57, 99.83),
    Latency("Raspberry Pi 4 Model B", 4, 86.01, 168.48, 58.73, 78.72),
    Latency("Raspberry Pi 3 Model B+", 4, 152.31, None, 108.96, None),
    Latency("Rockchip RK3399, Cortex-A72", 2, 79.53, 58.40, 53.06, 54.26),
    Latency("Rockchip RK3399, Cortex-A72", 1, 136.94, 107.22, 90.01, 81.69),
    Latency("Rockchip RK3399, Cortex-A53", 4, 80.56, 67.81, 60.35, 64.09),
    Latency("Rockchip RK3399, Cortex-A53", 1, 246.99, 222.41, 167.61, 174.43),
    Latency("Rockchip RK3288", 4, 106.02, None, 55.91, None),
    Latency("Rockchip RK3288", 1, 246.24, None, 138.71, None),
    Latency("HiSilicon Hi3519V101", 1, 481.64, None, 274.85, 201.74),
    Latency("Freescale i.MX7 Dual", 2, 373.00, 211.55, 219.74, 162.52),
    Latency("Freescale i.MX7 Dual", 1, 705.68, 410.08, 411.51, 285.59),
    Latency("Jetson AGX Xavier", 4, 17.16, 39.39, 11.50, 22.47),
    Latency("Ryzen Embedded V1605B", 4, 27.38, 34.15, 11.15, 24.80),
    Latency("Ryzen Embedded V1605B", 1, 41.70, 101.15, 22.88, 59.55),
    Latency("Threadripper 3970X", 1, 21.68, None, 11.78, None),
)
