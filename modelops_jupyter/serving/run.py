"""An endpoint from its first check to its last answer: port, models, threads, uvicorn, and an orderly end."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import uvicorn

from modelops_jupyter.errors import DependencyFailed, ModelFailed, ModelOpsError
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.imports import import_ahead
from modelops_jupyter.network import url_host
from modelops_jupyter.serving import recorder as recording
from modelops_jupyter.serving import state
from modelops_jupyter.serving.app import Service, application, health_of
from modelops_jupyter.serving.bodies import MOST_BYTES, Intake
from modelops_jupyter.serving.champions import Champions, warm_up
from modelops_jupyter.serving.examples import snippets
from modelops_jupyter.serving.live import LiveModel, load_live
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.recorder import Recorder, check_loggable
from modelops_jupyter.serving.scorer import Scorer
from modelops_jupyter.serving.tally import Tally
from modelops_jupyter.settings import Settings
from modelops_jupyter.wording import count

DRAIN_SECONDS = 30  # that requests have to end after SIGTERM
STOP_SECONDS = 5  # that a model has to end what it does after that
BACKLOG = 2048
MOST_CONNECTIONS = 2_000  # beyond which uvicorn answers 503


class EndpointServer:
    """Serves until it is told to stop; what is wrong is said before anybody can ask.

    Raises
    ------
    InvalidInput
        If the options cannot be used.
    DependencyFailed
        If the port is taken, the spool cannot be written, or a model cannot be loaded here.
    NotFound, Refused
        If a version is not there, was rejected, is unsafe, or was changed.
    """

    def __init__(self, settings: Settings, options: ServingOptions) -> None:
        self.options = options = options.checked()
        self._socket = _listen(options)
        self.port = int(self._socket.getsockname()[1])
        try:
            import_ahead((recording.__name__,))  # the first load imports what another one does

            with Foundations(settings) as foundations:
                live = {reference.name: _load(foundations, reference, options) for reference in options.references}
            self.service = Service(
                settings,
                options,
                Champions(settings, options, live),
                Scorer(),
                Recorder(settings, durable=options.durable, log_seconds=options.log_seconds),
                ThreadPoolExecutor(2, thread_name_prefix="modelops-serve-read"),
                ThreadPoolExecutor(1, thread_name_prefix="modelops-serve-label"),
                Intake(max(MOST_BYTES, 2 * options.most_bytes)),
                Intake(2 * options.most_bytes),
                {name: Tally() for name in live},
            )
            for one in live.values():
                warm_up(one)
            self._start()
        except BaseException:
            self._socket.close()
            raise
        config = uvicorn.Config(
            application(self.service),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ssl_certfile=options.tls_cert or None,
            ssl_keyfile=options.tls_key or None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            limit_concurrency=MOST_CONNECTIONS,
            server_header=False,
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """Where it answers, as this machine reaches it."""
        return f"{self.options.scheme}://{url_host(self.options.host)}:{self.port}"

    def introduction(self) -> str:
        """Return the address and what one types to send a row."""
        models = [self.service.champions.live(name) for name in self.service.champions.names]
        what = ", ".join(f"{one.version.full_name}" for one in models)
        usage = snippets(
            self.url,
            models[0],
            token=bool(self.options.token),
            several=len(models) > 1,
            certificate=self.options.tls_cert,
        )
        return f"{what} served at {self.url} (Ctrl-C ends it)\n\n{usage}"

    def run(self) -> None:
        """Answer until `stop`, SIGTERM or Ctrl-C; then end every request, and put every answer on record."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.close()

    def stop(self) -> None:
        """Ask `run` to end; from any thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Put on record what was answered, and release everything; closing twice is no error."""
        if self._socket.fileno() >= 0:
            self._socket.close()
        if not self._running:
            return
        service = self.service
        try:
            service.scorer.stop(STOP_SECONDS)
            service.champions.stop(STOP_SECONDS)
            for pool in (service.readers, service.labellers):
                pool.shutdown(wait=False, cancel_futures=True)
        finally:  # whatever a model does, and however often one presses Ctrl-C, what was answered goes on record
            service.recorder.stop()
            self._state.stop(health_of(service))
        self._running = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    _running = False

    def _start(self) -> None:
        service = self.service
        try:
            service.recorder.start()
        except OSError as error:
            raise DependencyFailed(
                f"{service.recorder.spool.folder} cannot be written ({error.strerror}): predictions could not be kept. "
                "Make it writable, or free the disk."
            ) from error
        service.scorer.start()
        service.champions.start()
        self._state = state.Published(service.settings, self.url, lambda: health_of(service))
        self._state.start()
        self._running = True


def serve(settings: Settings, options: ServingOptions, announce: Callable[[EndpointServer], None]) -> None:
    """Serve in this process until it is told to stop; `announce` is called when it answers.

    Raises
    ------
    DependencyFailed
        If predictions that were answered are on no record at the end.
    """
    server = EndpointServer(settings, options)
    try:
        with server:
            announce(server)
            server.run()
    finally:
        _check_on_record(server)


def _check_on_record(server: EndpointServer) -> None:
    state = server.service.recorder.state()
    missing = state.buffered + state.lost
    if missing:
        raise DependencyFailed(f"{count(missing, 'prediction')} went on no record. {state.problem}".rstrip())


def _load(foundations: Foundations, reference: object, options: ServingOptions) -> LiveModel:
    from modelops_jupyter.refs import parse

    wanted = parse(reference)  # type: ignore[arg-type]
    try:
        live = load_live(foundations, wanted, invalid=options.invalid, unsafe=options.unsafe)
    except ModelOpsError:
        raise
    except Exception as error:  # whatever a model of the user's raises when it is loaded
        line = next(iter(str(error).splitlines()), "")[:200]
        raise ModelFailed(f"{wanted} cannot be loaded here ({type(error).__name__}: {line}).") from error
    check_loggable(foundations, wanted, live.names)
    return live


def _listen(options: ServingOptions) -> socket.socket:
    """Return a socket that has the port, so that nobody else takes it while models are loaded."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
        listening.listen(BACKLOG)
    except UnicodeError as error:
        listening.close()
        raise DependencyFailed(f"{options.host!r} is no address: leave --host out for 127.0.0.1.") from error
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise DependencyFailed(
                f"Port {options.port} of {options.host} is taken: end what listens there, or pass another --port "
                "(0 is any free one)."
            ) from error
        if error.errno == errno.EACCES:
            raise DependencyFailed(
                f"Port {options.port} is not for everybody: pass a --port of 1024 or more."
            ) from error
        raise DependencyFailed(
            f"This machine has no address {options.host!r} to listen on ({error.strerror or error}): leave "
            "--host out for 127.0.0.1."
        ) from error
    return listening
