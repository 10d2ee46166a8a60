"""Speed against peers; each prints a ratio measured in one run, interleaved."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
