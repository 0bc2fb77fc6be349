"""Trainings that are known to do well, by the names of models in empirical.models.MODELS."""

from collections.abc import Mapping

from empirical.training.settings import Training

# On MNIST; tests/benchmarks/training.py says how well.
PRESETS: Mapping[str, Training] = {
    "lenet-300-100": Training(epochs=30, patience=6, smoothing=0.1, batch=128),
    "lenet5-small": Training(epochs=30, patience=6, smoothing=0.1, batch=128),
}
