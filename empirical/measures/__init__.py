"""Numbers that attacks of trained models give, each with its kind and its interval."""

from empirical.measures.linear_curves import attack_curves

__all__ = ["attack_curves"]
