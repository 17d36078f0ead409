"""An endpoint in a process of its own, for a notebook: it answers while cells run, and ends with the kernel."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from modelops_jupyter import errors
from modelops_jupyter.errors import DependencyFailed, ModelOpsError
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.settings import Settings

END_SECONDS = 60  # longer than an endpoint takes to end what was begun


@dataclass
class Endpoint:
    """A running endpoint.

    Attributes
    ----------
    url : str
        Where it answers: ``{url}/invocations``.
    port : int
    introduction : str
        The address, and what one types to send a row.
    """

    url: str
    port: int
    introduction: str
    process: subprocess.Popen[str]
    runtime: Path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __str__(self) -> str:
        return self.introduction

    __repr__ = __str__

    def close(self) -> None:
        """End it once every request is answered and on record; ending it twice is no error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.runtime, ignore_errors=True)


def start(settings: Settings, options: ServingOptions) -> Endpoint:
    """Start an endpoint and return when it answers.

    Raises
    ------
    ModelOpsError
        As `EndpointServer`.
    """
    options.checked()
    runtime = Path(tempfile.mkdtemp(prefix="modelops-serve-"))
    with (runtime / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelops_jupyter.serving.process"],
            env={**os.environ, "MODELOPS_WORKSPACE": str(settings.project)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C in a notebook ends a cell, not what it serves
        )
    endpoint = Endpoint("", 0, "", process, runtime)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{json.dumps(asdict(options))}\n")  # the token is in no command line and no file
            process.stdin.flush()
        except BrokenPipeError:  # it has ended; what it says is read below
            pass
        said = process.stdout.readline()
        if not said:
            raise DependencyFailed(f"The endpoint did not start:\n{(runtime / 'server.log').read_text()[-2000:]}")
        answer = json.loads(said)
        if "error" in answer:
            raise _error(answer)
    except BaseException:
        endpoint.close()
        raise
    endpoint.url, endpoint.port, endpoint.introduction = answer["url"], answer["port"], answer["introduction"]
    return endpoint


def _error(answer: dict[str, Any]) -> ModelOpsError:
    """Return the error that the process has met, of its own kind."""
    kind = getattr(errors, answer["error"], DependencyFailed)
    error: ModelOpsError = kind(answer["message"]) if issubclass(kind, ModelOpsError) else DependencyFailed("")
    return error
