"""Certified radii of ReLU networks: how far each input may move before its label can change."""

from theory.certify.bounds import DistanceBounds
from theory.certify.certified import certified_accuracy, certified_radii, certified_radius
from theory.certify.methods import METHODS

__all__ = ["METHODS", "DistanceBounds", "certified_accuracy", "certified_radii", "certified_radius"]
