"""`python -m mobilenet_tf`: see `mobilenet_tf.cli.program`."""

import sys

from mobilenet_tf.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
