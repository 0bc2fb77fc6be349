"""Networks of scikit-learn as theory records."""

import warnings
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from empirical.lowering.affine import MAX_ENTRIES, empty_graph, rectified, refuse_beyond
from empirical.lowering.chain import check_outputs, compact, network_of, probes
from empirical.lowering.layers import linear
from empirical.lowering.linear import linear_from_estimator
from empirical.lowering.named import NamedNetwork, named_network
from theory.networks import ReluNetwork, forward
from theory.networks.arrays import is_sparse
from theory.validation import FloatArray


def network_from_estimator(estimator: Any, *, max_entries: int = MAX_ENTRIES) -> NamedNetwork:
    """Return a fitted scikit-learn network, or linear classifier, as a ReLU network.

    Outputs are what the estimator predicts from: of a classifier with two labels one score, of
    one with more the scores before the softmax, of a regressor its predictions.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or linear classifier
        With the activation relu or identity; linear ones as in `linear_from_estimator`.
    max_entries : int
        How many nonzero entries all weights together may have.

    Returns
    -------
    NamedNetwork
        The names of a regressor's outputs are 0..c-1, or -1 and +1 for the sign of its only one.

    Raises
    ------
    TypeError
        If the estimator is no fitted network or linear classifier.
    ValueError
        If its activation is another, it gives an input several labels, or it is too large.
    RuntimeError
        If outputs differ from the estimator's own on random inputs.

    Examples
    --------
    >>> from sklearn.linear_model import RidgeClassifier
    >>> fitted = RidgeClassifier().fit([[0.0], [1.0]], ["no", "yes"])
    >>> net, names = network_from_estimator(fitted)
    >>> net.outputs, names.tolist()
    (1, ['no', 'yes'])
    """
    if not hasattr(estimator, "coefs_"):
        return _linear_network(estimator, max_entries)
    kind = type(estimator).__name__
    if estimator.activation not in {"relu", "identity"}:
        raise ValueError(
            f"the activation of {kind} must be relu or identity; got {estimator.activation!r}."
        )
    if getattr(estimator, "out_activation_", None) == "logistic" and estimator.n_outputs_ > 1:
        raise ValueError(f"{kind} must give each input one label; this one gives several.")
    net = _network(estimator, max_entries)
    X = probes(net.dimension)
    check_outputs(_link(estimator)(forward(net, X)), _predicted(estimator, X))
    return named_network(net, getattr(estimator, "classes_", None))


def _network(estimator: Any, max_entries: int) -> ReluNetwork:
    graph, x = empty_graph((estimator.coefs_[0].shape[0],), max_entries)
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    for j, (W, b) in enumerate(layers):
        x = linear(graph, x, np.asarray(W.T, dtype=np.float64), b)
        if j < len(layers) - 1 and estimator.activation == "relu":
            x = rectified(graph, x)
    return network_of(graph, x)


def _link(estimator: Any) -> Any:
    """Return what turns outputs into what the estimator predicts."""
    links = {"identity": np.asarray, "logistic": expit, "softmax": lambda Z: softmax(Z, axis=1)}
    if estimator.out_activation_ not in links:
        raise ValueError(
            f"the outputs of {type(estimator).__name__} must be identity, logistic or softmax;"
            f" got {estimator.out_activation_!r}."
        )
    return links[estimator.out_activation_]


def _predicted(estimator: Any, X: FloatArray) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that columns have no names here
        if not hasattr(estimator, "classes_"):
            return np.asarray(estimator.predict(X)).reshape(X.shape[0], -1)
        chances = np.asarray(estimator.predict_proba(X))
    return chances[:, 1:] if estimator.out_activation_ == "logistic" else chances


def _linear_network(estimator: Any, max_entries: int) -> NamedNetwork:
    model, names = linear_from_estimator(estimator)
    W = compact(model.weights)
    refuse_beyond(max_entries, W.nnz if is_sparse(W) else W.size)
    net = ReluNetwork(weights=[W], biases=[model.bias])
    X = probes(net.dimension)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = np.asarray(estimator.decision_function(X))
    check_outputs(forward(net, X), expected.reshape(X.shape[0], -1))
    return named_network(net, names)
