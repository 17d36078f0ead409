"""Models read, asked and proven: all that predicting takes, on `errors` and the models' own libraries alone.

It imports relatively and nothing else of the package, since every version carries a copy of it: with that, stock MLflow
loads and serves the version where modelops-jupyter is not installed.
"""
