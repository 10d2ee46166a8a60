"""One script per table or figure of a paper."""

import os

# TensorFlow prints a page of start-up notes; set the variable to 0 to see them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
