"""Certified radii of ReLU networks."""
