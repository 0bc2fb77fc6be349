"""Norms inside and outside the loss, and the hard-margin SVM, met by gradients and attacks."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch.nn.functional import normalize, softplus

from empirical.attacks import attack_distances
from empirical.data import Part, digits, sample_classes, sparse_mean_classes
from empirical.verify.verdict import Verdict, judge_identity, not_covered
from theory.claims import CATALOGUE
from theory.claims.classics import Loss, outside_penalty_counterexample
from theory.linear import LinearClassifier
from theory.validation import FloatArray

# The relative gradient below which an optimiser has found a minimiser, for a residual of 1e-3.
_MINIMISED = 1e-6
_EXACT = "the best attack on a linear classifier is one gradient step; the rest is rounding"


class _Problem(NamedTuple):
    """A linear classifier and labelled inputs, as double tensors."""

    X: torch.Tensor
    y: torch.Tensor
    w: torch.Tensor
    b: torch.Tensor

    def losses(self, moved: torch.Tensor, loss: Loss = "logistic") -> torch.Tensor:
        margins = self.y * (moved @ self.w + self.b)
        return torch.relu(1 - margins) if loss == "hinge" else softplus(-margins)


def _problem(data: Part) -> tuple[_Problem, LinearClassifier]:
    fitted = LogisticRegression().fit(*data)
    model = LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_)
    arrays = (data.X, data.y, fitted.coef_[0], fitted.intercept_)
    return _Problem(*(torch.as_tensor(array, dtype=torch.float64) for array in arrays)), model


def _ascent(problem: _Problem, norm: float) -> torch.Tensor:
    """Return for each input the move of norm 1 that gains most along its loss's gradient."""
    moved = problem.X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(problem.losses(moved).sum(), moved)
    if norm == np.inf:
        return gradient.sign()
    if norm == 2:
        return normalize(gradient, dim=1, eps=1e-300)
    largest = gradient.abs().argmax(dim=1, keepdim=True)
    return torch.zeros_like(gradient).scatter(1, largest, gradient.gather(1, largest).sign())


def _random_moves(problem: _Problem, norm: float, rng: np.random.Generator) -> torch.Tensor:
    """Return twenty moves of norm 1 an input, lest the gradient overlook a better one."""
    moves = torch.as_tensor(rng.normal(size=(20, *problem.X.shape)))
    return normalize(moves, p=norm, dim=2)


def check_norm_inside(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the closed form of the adversarial loss, three norms, two losses."""
    data = digits(3, 8)
    rows = rng.permutation(data.y.size)[:100]
    part = Part(data.X[rows], data.y[rows])
    problem, model = _problem(part)
    losses: tuple[Loss, Loss] = ("logistic", "hinge")
    claim, predicted, measured = CATALOGUE["classics.norm-inside"], [], []
    for norm, eps in ((1, 1.0), (1, 3.0), (2, 0.3), (2, 1.0), (np.inf, 0.05), (np.inf, 0.2)):
        moves = torch.stack([_ascent(problem, norm), *_random_moves(problem, norm, rng)])
        for loss in losses:
            predicted.append(claim.predict(model, *part, eps, norm=norm, loss=loss))
            found = problem.losses(problem.X + eps * moves, loss)
            measured.append(float(found.amax(dim=0).sum()))
    return judge_identity(claim, predicted, measured, tolerance=1e-9, reason=_EXACT)


def _attacked_loss(problem: _Problem, eps: float) -> torch.Tensor:
    """Return the logistic loss after L2 attacks, their own dependence on w left in its graph."""
    attacks = -eps * problem.y[:, None] * normalize(problem.w, dim=0)
    return problem.losses(problem.X + attacks).sum()


def _adversarially_trained(X: FloatArray, y: FloatArray, eps: float) -> _Problem:
    """Return a classifier trained against L2 attacks, by L-BFGS."""
    x_, y_ = (torch.as_tensor(array, dtype=torch.float64) for array in (X, y))
    w = torch.ones(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    problem = _Problem(x_, y_, w, b)
    trainer: Any = torch.optim.LBFGS(
        [w, b],
        max_iter=500,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        trainer.zero_grad()
        loss = _attacked_loss(problem, eps)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    trainer.step(closure)
    return problem


def check_norm_outside(rng: np.random.Generator) -> Verdict:
    """Return the verdict on "adversarial training is a penalty outside", on six points."""
    del rng  # the counterexample is fixed
    claim = CATALOGUE["classics.norm-outside"]
    X, y, eps = outside_penalty_counterexample()
    problem = _adversarially_trained(X, y, eps)
    (gradient,) = torch.autograd.grad(problem.losses(problem.X).sum(), problem.w)
    slopes = torch.autograd.grad(_attacked_loss(problem, eps), (problem.w, problem.b))
    left = float(torch.cat(slopes).norm() / gradient.norm())
    if left > _MINIMISED:
        return not_covered(claim, f"the optimiser stopped at a relative gradient of {left:.2g}.")
    along = normalize(problem.w.detach(), dim=0)
    across = gradient - (gradient @ along) * along
    verdict = judge_identity(
        claim,
        [claim.predict()],
        [float(across.norm() / gradient.norm())],
        tolerance=1e-3,
        reason="the optimiser stops at a small gradient, not at zero",
    )
    return replace(verdict, evidence={**verdict.evidence, "gradient at the minimiser": left})


def check_aggregate_hinge(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the aggregate budget: the best of one-point and random attacks."""
    data = sample_classes(sparse_mean_classes(5, nonzeros=2, separation=1.0), 60, rng=rng)
    problem, model = _problem(Part(data.X, data.y))
    spread = torch.as_tensor(rng.dirichlet(np.full(60, 0.1), size=200))
    shares = torch.cat([torch.eye(60, dtype=torch.float64), spread])[:, :, None]
    claim, predicted, measured = CATALOGUE["classics.aggregate-hinge"], [], []
    for norm in (1, 2, np.inf):
        step = _ascent(problem, norm)
        for budget in (0.5, 2.0, 10.0):
            losses = problem.losses(problem.X + budget * shares * step, "hinge").sum(dim=1)
            predicted.append(claim.predict(model, data.X, data.y, budget, norm=norm))
            measured.append(float(losses.max()))
    return judge_identity(claim, predicted, measured, tolerance=1e-9, reason=_EXACT)


def check_svm(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the hard-margin SVM's smallest distance, by DeepFool."""
    wide = sample_classes(sparse_mean_classes(5, nonzeros=2, separation=6.0), 80, rng=rng)
    claim, predicted, measured = CATALOGUE["classics.svm"], [], []
    for data in (digits(3, 8), digits(0, 1), wide):
        fitted = SVC(kernel="linear", C=1e8, tol=1e-6).fit(data.X, data.y)
        model = LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_)
        found = attack_distances([model], data.X, data.y, attack="l2_deepfool", box=None)
        predicted.append(claim.predict(data.X, data.y))
        measured.append(float(found.distances.min()))
    return judge_identity(
        claim,
        predicted,
        measured,
        tolerance=1e-3,
        reason="libsvm's tolerance, and DeepFool's overshoot of 1e-4",
    )
