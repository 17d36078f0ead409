"""Kinds of model beside scikit-learn's: each file says how one is written, read and asked; none runs pickled code."""
