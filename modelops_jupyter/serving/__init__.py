"""The HTTP endpoint of models: MLflow's addresses and payloads, held to the contract, every answer on record."""

from modelops_jupyter.serving.options import ServingOptions

__all__ = ["ServingOptions"]
