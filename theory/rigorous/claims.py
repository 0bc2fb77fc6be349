"""Claims of the catalogue that ball arithmetic can meet, and the instances on which it does."""

from collections.abc import Callable, Mapping

import numpy as np

from theory.rigorous.case import Case
from theory.rigorous.masks import bound_cases, falls_cases, product_cases
from theory.rigorous.moments import clipped_cases, r_2_cases, r_inf_cases

# By key: what gives, for the key and a generator, instances of the claim.
CASES: Mapping[str, Callable[[str, np.random.Generator], list[Case]]] = {
    "guo2018.r2": r_2_cases,
    "guo2018.r2-general": r_2_cases,
    "guo2018.r2-unrestricted": r_2_cases,
    "guo2018.rinf-markov": r_inf_cases,
    "guo2018.rinf-two-moments": r_inf_cases,
    "guo2018.rinf-clipped": clipped_cases,
    "guo2018.lipschitz-l1": bound_cases,
    "guo2018.lipschitz-l2": bound_cases,
    "guo2018.lipschitz-product": product_cases,
    "guo2018.lipschitz-falls": falls_cases,
}
