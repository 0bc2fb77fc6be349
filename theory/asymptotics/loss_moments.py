"""What the training inputs say to the weights: moments of the loss's slope at fitted margins."""

from typing import NamedTuple

from theory.validation import FloatArray


class LossMoments(NamedTuple):
    """Expectations over a training input's margin h ~ N(mean, spread^2) left out of the fit.

    With u = argmin_u l(u) + (u - h)^2 / (2 V) the margin once it is fitted; arrays of shape (n,),
    one entry a setting.
    """

    pull: FloatArray  # E[-l'(u)]
    scatter: FloatArray  # E[l'(u)^2]
    stiffness: FloatArray  # E[1 - u'(h)] / V
    price: FloatArray  # E of the derivative of the loss by the drop
    loss: FloatArray  # E[l(u)]
    prox_residual: FloatArray  # largest error of u's equation, 0 where it is solved by a formula
    quadrature_error: FloatArray  # relative, 0 for closed forms
