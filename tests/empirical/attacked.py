"""Models and inputs that several tests attack: each function returns (models, X, y)."""

import functools

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import nn

from theory.linear.classifier import LinearClassifier


@functools.cache
def digits():
    data = load_digits()
    return data.data / 16, data.target


@functools.cache
def threes_and_eights():
    """Return four binary models, from strong to no regularisation, and 50 inputs in [0, 1]."""
    X, target = digits()
    chosen = np.isin(target, (3, 8))
    X, y = X[chosen], np.where(target[chosen] == 3, 1, -1)
    fits = [LogisticRegression(C=C, max_iter=5000).fit(X, y) for C in (1e-3, 0.1, 10.0, 1e3)]
    models = [LinearClassifier(weights=fit.coef_, bias=fit.intercept_) for fit in fits]
    return models, X[:50], y[:50]


@functools.cache
def ten_digits():
    """Return three models of ten classes and 100 inputs that they were not trained on."""
    X, y = digits()
    fits = [
        LogisticRegression(C=C, max_iter=5000).fit(X[:1000], y[:1000]) for C in (0.01, 1.0, 100)
    ]
    models = [LinearClassifier(weights=fit.coef_, bias=fit.intercept_) for fit in fits]
    return models, X[1000:1100], y[1000:1100]


def module_of_ten_digits(dtype=torch.float64):
    """Return the middle model of `ten_digits` as a module and as a record, and 40 inputs."""
    fitted, X, y = ten_digits()
    model = nn.Linear(64, 10, dtype=dtype)
    state = {"weight": torch.tensor(fitted[1].weights), "bias": torch.tensor(fitted[1].bias)}
    model.load_state_dict(state)
    weights, bias = (p.detach().double().numpy() for p in (model.weight, model.bias))
    return model, LinearClassifier(weights=weights, bias=bias), X[:40], y[:40]


def standardised():
    """Return five binary models of very unequal scale and 100 inputs at distances of .01 to 3."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 64))
    models = [
        LinearClassifier(weights=size * rng.normal(size=64), bias=0.3 * size)
        for size in (1e-3, 0.1, 1.0, 10.0, 1e3)
    ]
    return models, X, np.where(rng.random(100) < 0.5, 1, -1)
