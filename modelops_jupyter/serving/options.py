"""What an endpoint is asked to be, checked before anything is loaded."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.network import is_loopback
from modelops_jupyter.refs import ModelReference, parse

TOKEN = "MODELOPS_SERVE_TOKEN"
PORT = 8877
POLICIES = ("refuse", "mark", "allow")  # the words of `predict_file`
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class ServingOptions:
    """How models are served.

    Attributes
    ----------
    models : tuple of str
        References: ``delay`` and ``delay@champion`` follow the champion, ``delay/3`` stays what it is.
    host, port : str, int
        Where to listen; port 0 is any free one.
    token : str
        What every request but ``/ping`` carries as ``Authorization: Bearer TOKEN``; empty for none.
    tls_cert, tls_key : str
        Files in PEM; empty for no encryption.
    insecure : bool
        Let other machines reach it without a token or without encryption.
    durable : bool
        Write each prediction to disk before it is answered.
    invalid : {"refuse", "mark", "allow"}
        What to do with rows unlike those that the version was registered with, as in `predict_file`: ``mark`` scores
        them and refers them to a person, ``refuse`` answers 422, ``allow`` only scores them.
    unsafe : bool
        Load a version that runs code when it is loaded.
    most_bytes, most_rows : int
        The largest body, and the most rows in it, that are answered.
    body_seconds : float
        How long a request's body may take to arrive.
    log_seconds : float
        How often what is on record in the spool goes to the prediction log.
    """

    models: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = PORT
    token: str = field(default="", repr=False)
    tls_cert: str = ""
    tls_key: str = ""
    insecure: bool = False
    durable: bool = False
    invalid: str = "mark"
    unsafe: bool = False
    most_bytes: int = 8_000_000
    most_rows: int = 5_000
    body_seconds: float = 10.0
    log_seconds: float = 60.0

    @property
    def references(self) -> tuple[ModelReference, ...]:
        """What is served."""
        return tuple(parse(model) for model in self.models)

    @property
    def scheme(self) -> str:
        """``https`` where there is a certificate, else ``http``."""
        return "https" if self.tls_cert else "http"

    def checked(self) -> ServingOptions:
        """Return these options if they can be used.

        Raises
        ------
        InvalidInput
            If a model is named twice, other machines would reach the endpoint without token or encryption, or the
            certificate cannot be used.
        """
        if not self.models:
            raise InvalidInput("Name at least one model to serve, as in `modelops serve delay`.")
        names = [reference.name for reference in self.references]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInput(f"{twice!r} is named twice: an endpoint serves one version of a model.")
        if self.invalid not in POLICIES:
            raise InvalidInput(f"invalid is {', '.join(POLICIES[:-1])} or {POLICIES[-1]}, not {self.invalid!r}.")
        if not 0 <= self.port <= 65535:
            raise InvalidInput(f"A port is a number from 0 (any free one) to 65535, not {self.port}.")
        if self.token and (
            len(self.token) < SHORTEST_TOKEN or not self.token.isascii() or not self.token.isprintable()
        ):
            raise InvalidInput(
                f"A token is {SHORTEST_TOKEN} or more ASCII characters: make one with `openssl rand -hex 24`."
            )
        self._check_reach()
        self._check_certificate()
        return self

    def _check_reach(self) -> None:
        if self.insecure or is_loopback(self.host):
            return
        if not self.token:
            raise InvalidInput(
                f"On {self.host} every machine of the network could ask for predictions and send labels: set {TOKEN}, "
                "or pass --insecure where the network is trusted."
            )
        if not self.tls_cert:
            raise InvalidInput(
                f"Without encryption everybody on the way to {self.host} could read the token and the rows: pass "
                "--tls-cert and --tls-key, or --insecure where the network is trusted."
            )

    def _check_certificate(self) -> None:
        if not self.tls_cert and not self.tls_key:
            return
        if not self.tls_cert or not self.tls_key:
            raise InvalidInput("TLS takes a certificate and its key: pass both --tls-cert and --tls-key.")
        for name in (self.tls_cert, self.tls_key):
            if not Path(name).is_file():
                raise InvalidInput(f"There is no file {name!r}: pass the certificate and its key as PEM files.")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key, password=lambda: "")
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise InvalidInput(
                f"{self.tls_cert!r} and {self.tls_key!r} cannot be used for TLS ({reason}): pass a certificate in PEM "
                "and its own key without a password."
            ) from error


def read_token(file: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the token in a file, else that of the environment, else none.

    Raises
    ------
    InvalidInput
        If the file cannot be read or is empty.
    """
    if file is None:
        return environ.get(TOKEN, "")
    try:
        token = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The token cannot be read from {file!r}: write it there in one line.") from error
    if not token:
        raise InvalidInput(f"{file!r} is empty: write the token there in one line.")
    return token
