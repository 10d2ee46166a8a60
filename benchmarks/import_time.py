"""Time of `import mobilenet_tf` beyond that of `import keras`.

    python -m benchmarks.import_time

Fresh processes import the one and then the other; medians over the processes.
"""

import statistics
import subprocess
import sys

from absl import app, flags

from benchmarks.report import publish

flags.DEFINE_integer("rounds", 5, "Number of processes.", 1)

PROGRAM = """
import time
start = time.perf_counter()
import keras
middle = time.perf_counter()
import mobilenet_tf
print(middle - start, time.perf_counter() - start)
"""


def main(_):
    values = flags.FLAGS
    times = []
    for _ in range(values.rounds):
        command = [sys.executable, "-c", PROGRAM]
        result = subprocess.run(command, capture_output=True, check=True, text=True)
        times.append([float(seconds) for seconds in result.stdout.split()])
    keras, both = (statistics.median(column) for column in zip(*times, strict=True))
    publish(
        "import_time",
        f"`import keras` {keras:.2f} s, with `import mobilenet_tf` {both:.2f} s: "
        f"ratio {both / keras:.3f}.",
        values.documents,
    )


if __name__ == "__main__":
    app.run(main)
