"""Settings of the whole suite, made before NumPy and torch are imported."""

import os

# Each of pytest's workers has one core: shared out further, small arrays only wait for each other.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

# Progress bars stay out of what tests read; tests of progress itself remove this.
os.environ["TQDM_DISABLE"] = "1"
