"""Models of scikit-learn and of files, held against the decisions of the estimators themselves."""

import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from empirical.lowering import (
    NamedLinear,
    linear_from_estimator,
    linear_from_file,
    load_arrays,
    own_labels,
)
from theory.linear import LinearClassifier, class_scores

ESTIMATORS: dict[str, Any] = {
    "logistic": LogisticRegression(max_iter=1000),
    "logistic without intercept": LogisticRegression(max_iter=1000, fit_intercept=False),
    "linear SVC": LinearSVC(random_state=0),
    "ridge": RidgeClassifier(),
    "ridge without intercept": RidgeClassifier(fit_intercept=False),
    "discriminant": LinearDiscriminantAnalysis(),
    "SGD": SGDClassifier(random_state=0),
    "perceptron": Perceptron(random_state=0),
}


def iris(labels: int, *, named: bool) -> tuple[Any, Any]:
    X, y = load_iris(return_X_y=True)
    X, y = (X - X.mean(axis=0))[y >= 3 - labels], y[y >= 3 - labels]
    return X, np.array(["setosa", "versicolor", "virginica"])[y] if named else y


def assert_same_decisions(named: NamedLinear, fitted: Any, X: Any) -> None:
    scores = class_scores(named.model, X)
    assert (named.names[scores.argmax(axis=1)] == fitted.predict(X)).all()
    given = fitted.decision_function(X)
    ours = scores[:, 1] if given.ndim == 1 else scores
    # the same four products summed in another order
    np.testing.assert_allclose(ours, given, rtol=1e-12, atol=1e-12 * np.abs(given).max())


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_linear_from_estimator_decides_as_the_estimator(
    kind: str, labels: int, named: bool
) -> None:
    X, y = iris(labels, named=named)
    fitted = ESTIMATORS[kind].fit(X, y)
    lowered = linear_from_estimator(fitted)
    assert lowered.names.tolist() == sorted(set(y.tolist()))
    assert lowered.model.is_binary == (labels == 2)
    assert_same_decisions(lowered, fitted, X)


@pytest.mark.parametrize("labels", [2, 3])
def test_linear_from_estimator_accepts_sparse_weights(labels: int) -> None:
    X, y = iris(labels, named=True)
    fitted = LogisticRegression(max_iter=1000).fit(X, y).sparsify()
    assert_same_decisions(linear_from_estimator(fitted), fitted, X)


def test_linear_from_estimator_accepts_a_linear_kernel_for_two_labels() -> None:
    X, y = iris(2, named=True)
    fitted = SVC(kernel="linear").fit(X, y)
    assert_same_decisions(linear_from_estimator(fitted), fitted, X)


def unfit(kind: str) -> Any:
    """Return an estimator that is no linear classifier with a row a label, by its name."""
    X, y = iris(3, named=False)
    if kind == "SVC":
        return SVC(kernel="linear").fit(X, y)  # three rows, one for each pair of three labels
    if kind == "RidgeClassifier":
        return RidgeClassifier().fit(*make_multilabel_classification(n_classes=2, random_state=0))
    made = {
        "LogisticRegression": LogisticRegression,  # not fitted
        "Pipeline": lambda: make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, y),
        "RandomForestClassifier": lambda: RandomForestClassifier(2, random_state=0).fit(X, y),
        "LinearRegression": lambda: LinearRegression().fit(X, y),
        "dict": dict,
    }
    return made[kind]()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("LogisticRegression", "LogisticRegression has no coef_, intercept_, classes_"),
        ("Pipeline", "Pipeline has no coef_, intercept_"),
        ("RandomForestClassifier", "RandomForestClassifier has no coef_, intercept_"),
        ("LinearRegression", "LinearRegression has no classes_"),
        ("dict", "dict has no coef_"),
        ("RidgeClassifier", "RidgeClassifier has 2 for 2 labels"),
        ("SVC", "SVC has a row for each pair of labels"),
    ],
)
def test_linear_from_estimator_refuses_by_name(kind: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        linear_from_estimator(unfit(kind))


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4)])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_linear_from_file_reads_back_npz(shape: Any, save: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = shape[0] if len(shape) == 2 else 1
    W, b = rng.normal(size=shape), rng.normal(size=rows)
    save(tmp_path / "model.npz", W=W, b=b)
    model, names = linear_from_file(tmp_path / "model.npz")
    assert (model.weights == np.atleast_2d(W)).all()
    assert (model.bias == b).all()
    assert names.tolist() == ([-1, 1] if rows == 1 else [0, 1, 2])


def test_linear_from_file_reads_names_and_a_number_as_bias(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", W=np.ones(2), b=0.5, classes=np.array(["no", "yes"]))
    model, names = linear_from_file(tmp_path / "model.npz")
    assert model.bias.tolist() == [0.5]
    assert names.tolist() == ["no", "yes"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"W": np.ones(2)}, r"must hold b; it holds \['W'\]"),
        ({"b": 0.0}, "must hold W"),
        ({}, "must hold W, b"),
        ({"W": np.ones((3, 2)), "b": np.zeros(2)}, r"shape \(3,\)"),
        ({"W": [np.nan], "b": 0.0}, "weights must be finite; got nan"),
        ({"W": np.ones(2), "b": 0.0, "classes": ["a", "b", "c"]}, "2 different labels; got"),
        ({"W": np.ones(2), "b": 0.0, "classes": ["a", "a"]}, r"different labels; got \['a', 'a'\]"),
        ({"W": np.ones(2), "b": 0.0, "classes": [["a", "b"]]}, "2 different labels"),
        ({"W": np.ones(2), "b": 0.0, "classes": "a"}, "2 different labels; got 'a'"),
        ({"W": np.array([1, None]), "b": 0.0}, "plain arrays, without Python objects"),
        ({"W": np.ones(2), "b": 0.0, "x": np.array([{}])}, "plain arrays, without Python objects"),
    ],
)
def test_linear_from_file_refuses_arrays_that_do_not_fit(
    arrays: dict[str, Any], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        linear_from_file(tmp_path / "model.npz")


def saved(path: Path) -> bytes:
    rng = np.random.default_rng(0)
    np.savez_compressed(path, W=rng.normal(size=(3, 40)), b=np.zeros(3), classes=["a", "b", "c"])
    return path.read_bytes()


def test_load_arrays_refuses_every_truncated_npz(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    whole = saved(path)
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="must be a whole npz file"):
            load_arrays(path, required=())


def test_load_arrays_reads_or_refuses_every_damaged_npz(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "model.npz"
    whole = saved(path)
    refused = []
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            load_arrays(path, required=())
        except ValueError as error:
            refused.append(str(error))
        except OSError:  # an offset before the file's beginning
            refused.append(f"{path} cannot be read")
    assert all(str(path) in message for message in refused)
    assert len(refused) > 200  # most bytes are data, guarded by a checksum


@pytest.mark.parametrize("kind", ["noise", "text", "npy", "other zip", "empty"])
def test_load_arrays_refuses_other_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    if kind == "npy":
        with path.open("wb") as stream:
            np.save(stream, np.ones(3))
    elif kind == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("W", "not an array")
            archive.writestr("b", "nor this")
    else:
        noise = np.random.default_rng(0).bytes(500)
        path.write_bytes({"noise": noise, "text": b"W = 1\n", "empty": b""}[kind])
    with pytest.raises((ValueError, TypeError)):
        linear_from_file(path)


def test_load_arrays_says_that_a_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"absent\.npz"):
        load_arrays(tmp_path / "absent.npz", required=("W",))


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".pickle", ".npz"])
def test_linear_from_file_runs_nothing_without_trust(suffix: str, tmp_path: Path) -> None:
    path, sprung = tmp_path / f"model{suffix}", tmp_path / "sprung"
    joblib.dump(Trap(sprung), path)
    with pytest.raises(ValueError, match=r"--trust-pickle|must be a whole npz file"):
        linear_from_file(path)
    assert not sprung.exists()


def test_linear_from_file_reads_joblib_with_trust(tmp_path: Path) -> None:
    X, y = iris(3, named=True)
    fitted = LogisticRegression(max_iter=1000).fit(X, y)
    joblib.dump(fitted, tmp_path / "model.joblib")
    assert_same_decisions(linear_from_file(tmp_path / "model.joblib", trust_pickle=True), fitted, X)


def test_linear_from_file_refuses_a_damaged_or_unfit_joblib(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(RidgeClassifier().fit([[0.0], [1.0]], [0, 1]), path)
    whole = path.read_bytes()
    for damaged in (whole[:50], whole[: len(whole) // 2], b"", b"\x80\x04nonsense"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="must be a whole joblib file"):
            linear_from_file(path, trust_pickle=True)
    joblib.dump({"W": 1}, path)
    with pytest.raises(TypeError, match="dict has no coef_"):
        linear_from_file(path, trust_pickle=True)


BINARY = LinearClassifier(weights=[1.0])
THREE = LinearClassifier(weights=np.eye(3))


@pytest.mark.parametrize(
    ("model", "names", "given", "own"),
    [
        (BINARY, [-1, 1], [-1, 1, 1], [-1, 1, 1]),
        (BINARY, [-1, 1], [0, 1, 1], [-1, 1, 1]),
        (BINARY, [-1, 1], [0.0, 1.0], [-1, 1]),
        (BINARY, [-1, 1], [1, 1], [1, 1]),
        (BINARY, [0, 1], [1, 0], [1, -1]),
        (BINARY, [4, 2], [2, 4], [1, -1]),
        (BINARY, ["no", "yes"], ["yes", "no"], [1, -1]),
        (THREE, ["a", "b", "c"], [["c"], ["a"]], [[2], [0]]),
        (THREE, [5, 7, 9], [9, 5], [2, 0]),
    ],
)
def test_own_labels_maps_names(model: Any, names: Any, given: Any, own: Any) -> None:
    assert own_labels(NamedLinear(model, np.array(names)), given).tolist() == own


@pytest.mark.parametrize(
    ("model", "names", "given", "message"),
    [
        (BINARY, [-1, 1], [2, 1], r"\[-1, 1\]; got 2"),
        (BINARY, [-1, 1], [-1, 0], r"\[0, 1\]; got -1"),
        (BINARY, [-1, 1], [0.5, 1], r"\[-1, 1\]; got 0.5"),
        (BINARY, [-1, 1], [np.nan], "got nan"),
        (BINARY, ["no", "yes"], ["yes", "maybe"], r"\['no', 'yes'\]; got 'maybe'"),
        (BINARY, ["no", "yes"], [0, 1], "got 0"),
        (THREE, [0, 1, 2], [3], r"\[0, 1, 2\]; got 3"),
    ],
)
def test_own_labels_names_the_unknown(model: Any, names: Any, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        own_labels(NamedLinear(model, np.array(names)), given)
