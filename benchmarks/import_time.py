"""What `import mobilenet_tf` costs on top of `import keras`.

    python -m benchmarks.import_time

Fresh processes, interleaved; medians of the seconds spent in the import statement.
"""

import statistics
import subprocess
import sys

from absl import app, flags

flags.DEFINE_integer("rounds", 7, "Processes of each kind.", 1)
FLAGS = flags.FLAGS

PROGRAM = """
import time
start = time.perf_counter()
import {}
print(time.perf_counter() - start)
"""


def main(_):
    seconds = {"keras": [], "mobilenet_tf": []}
    for _ in range(FLAGS.rounds):
        for module, values in seconds.items():
            command = [sys.executable, "-c", PROGRAM.format(module)]
            result = subprocess.run(command, capture_output=True, check=True, text=True)
            values.append(float(result.stdout))
    keras, ours = map(statistics.median, seconds.values())
    print(f"import keras {keras:.2f} s, import mobilenet_tf {ours:.2f} s")
    print(f"ratio {ours / keras:.3f}")


if __name__ == "__main__":
    app.run(main)
