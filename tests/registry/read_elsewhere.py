"""Run in a process of its own: what models on disk predict, by the names of their folders."""

import pickle
import sys
from pathlib import Path

from modelops_jupyter.scoring.formats import read_model
from modelops_jupyter.scoring.predictions import predict


def main(root: Path) -> None:
    """Write to ``answers`` what the model in each folder predicts of the ``rows`` beside it."""
    answers = {}
    for folder, (name, flavor, rows) in pickle.loads((root / "cases").read_bytes()).items():
        answer = predict(read_model(root / folder, flavor), rows)
        answers[name] = answer.prediction, answer.score
    (root / "answers").write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
