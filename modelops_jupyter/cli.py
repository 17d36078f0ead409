"""``modelops VERB``: the shell's view of a `Workspace`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter._version import __version__
from modelops_jupyter.data_files import read_file
from modelops_jupyter.errors import ModelOpsError, NotFound, Unexpected
from modelops_jupyter.verbs import parser
from modelops_jupyter.written import cleared, printable

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace

DONE, SAID_NO, INTERRUPTED = 0, 1, 130  # an error brings its own: 2 or 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code: 0 done, 1 a gate said no, 2 wrong call, 3 something failed."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        done = _run(_parser().parse_args(words))
        sys.stdout.flush()
        return done
    except BrokenPipeError:  # whoever read has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if "--debug" in words:
            raise
        said = error if isinstance(error, ModelOpsError) else Unexpected.of(error)
        if "--json" in words:
            print(json.dumps({"error": {"code": said.code, "message": str(said)}}))
        else:
            print(f"{cleared()}{printable(f'modelops: {said}')}", file=sys.stderr)
        return said.exit_code
    except KeyboardInterrupt:
        on = "with --resume the same command goes on" if words[:1] == ["run"] else "the same command goes on"
        print(f"{cleared()}modelops: interrupted; {on} from here.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    top, verbs = parser("modelops")
    top.add_argument("--version", action="version", version=f"modelops {__version__}")
    init = verbs.add_parser("init", help="make the current folder a workspace", description="Write modelops.toml.")
    init.set_defaults(call=_init)
    back = verbs.add_parser(
        "restore",
        help="put a workspace back from a backup, verified, into an empty folder",
        description="Put the workspace of a backup into an empty folder, once every byte of it is verified.",
    )
    back.add_argument("file", metavar="FILE", help="what `modelops backup` wrote")
    back.add_argument("folder", metavar="DIR", help="a folder that is empty or not there yet")
    back.set_defaults(call=_restore)
    demo = verbs.add_parser("demo", help="run the flight-delay example", description="Run the flight-delay example.")
    demo.add_argument("folder", nargs="?", default="modelops-demo", help="where (default: ./modelops-demo)")
    demo.add_argument("--no-dashboard", action="store_true", help="end when the story is told")
    demo.set_defaults(call=_demo)
    board = verbs.add_parser(
        "dashboard",
        help="open the fleet and every model's page in a browser",
        description="Serve the dashboards of this workspace until Ctrl-C; the address holds the token to get in.",
    )
    for serving in (board, demo):
        serving.add_argument("--port", type=int, default=8866, help="where to listen (default: 8866, or any free one)")
        serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
        serving.add_argument("--insecure", action="store_true", help="let other machines reach it without encryption")
        serving.add_argument(
            "--idle",
            type=int,
            default=600,
            metavar="SECONDS",
            help="end pages that nobody touches (default: 600)",
        )
        serving.add_argument("--no-browser", action="store_true", help="print the address only")
    board.set_defaults(call=_dashboard)
    _add_serve(verbs)
    for sub in verbs.choices.values():
        sub.add_argument("--json", action="store_true", help="print the answer as JSON")
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if sub not in (demo, back):  # which say where by their arguments
            sub.add_argument("--workspace", help="the folder of the workspace (default: the nearest one upwards)")
    return top


def _add_serve(verbs: Any) -> None:
    endpoint = verbs.add_parser(
        "serve",
        help="answer requests for predictions over HTTP, in MLflow's conventions",
        description="Serve models over HTTP until Ctrl-C; each follows its champion, and every prediction is logged.",
    )
    add = endpoint.add_argument
    add("models", nargs="+", metavar="NAME", help="name or name@champion (which is followed), or name/3")
    add("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    add("--port", type=int, default=8877, help="where to listen (default: 8877; 0: any free one)")
    add("--token-file", metavar="FILE", help="holds the token that requests carry (default: $MODELOPS_SERVE_TOKEN)")
    add("--tls-cert", default="", metavar="FILE", help="certificate in PEM, for https")
    add("--tls-key", default="", metavar="FILE", help="the certificate's key")
    add("--insecure", action="store_true", help="let other machines reach it without a token or without TLS")
    add("--durable", action="store_true", help="have each prediction on disk before it is answered")
    add(
        "--invalid",
        default="mark",
        choices=("refuse", "mark", "allow"),
        help="what to do with rows unlike those of registration (missing values, range, category): score them and "
        "refer them to a person (mark, the default), answer 422 (refuse), or only score them (allow)",
    )
    add("--unsafe", action="store_true", help="load a version that runs code when it is loaded")
    endpoint.set_defaults(call=_serve)


def _run(namespace: argparse.Namespace) -> int:
    from modelops_jupyter.settings import find_settings
    from modelops_jupyter.workspace import Workspace

    if namespace.call in (_init, _restore, _demo, _dashboard, _serve):
        return int(namespace.call(namespace))
    with Workspace(find_settings(namespace.workspace, lenient=namespace.lenient)) as ws:
        result = namespace.call(ws, namespace, read_file)
    _show(result, namespace.json)
    if getattr(result, "exit_code", DONE) != DONE:
        return int(result.exit_code)
    return SAID_NO if getattr(result, "passed", True) is False or getattr(result, "ok", True) is False else DONE


def _show(result: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.to_dict(), default=str, indent=2, allow_nan=False))
    elif hasattr(result, "to_markdown"):
        print(printable(result.to_markdown()))
    else:
        print(printable(str(result)))


def _open(namespace: argparse.Namespace) -> Workspace:
    from modelops_jupyter import workspace

    return workspace.open(namespace.workspace)


def _init(namespace: argparse.Namespace) -> int:
    from modelops_jupyter.settings import FILE_NAME

    folder = Path(namespace.workspace or ".")
    if not folder.is_dir():
        raise NotFound(f"There is no folder {str(folder)!r}: create it first.")
    file = folder / FILE_NAME
    if not file.exists():
        file.write_text('workspace = ".modelops"\n', encoding="utf-8")
    with _open(argparse.Namespace(workspace=str(folder))) as ws:
        status = ws.status()
    _show(status, namespace.json)
    return DONE


def _restore(namespace: argparse.Namespace) -> int:
    from modelops_jupyter.backups import restore

    _show(restore(namespace.file, namespace.folder), namespace.json)
    return DONE


def _demo(namespace: argparse.Namespace) -> int:
    from modelops_jupyter.demo import run_demo

    with run_demo(Path(namespace.folder), lambda line: print(line, file=sys.stderr, flush=True)) as ws:
        _show(ws.status(), namespace.json)
    if namespace.no_dashboard:
        return DONE
    return _dashboard(argparse.Namespace(**{**vars(namespace), "workspace": namespace.folder}))


def _dashboard(namespace: argparse.Namespace) -> int:
    import signal

    from modelops_jupyter.dashboards.serve import serve

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        with (
            _open(namespace) as ws,
            serve(
                ws.settings,
                host=namespace.host,
                port=namespace.port,
                idle=namespace.idle,
                insecure=namespace.insecure,
                debug=namespace.debug,
            ) as dashboard,
        ):
            line = (
                json.dumps({"url": dashboard.url}) if namespace.json else f"Dashboard: {dashboard.url} (Ctrl-C ends it)"
            )
            print(line, flush=True)
            if not namespace.no_browser:
                dashboard.show()
            dashboard.wait()
    except KeyboardInterrupt:  # the way to end it
        return DONE
    return DONE


def _serve(namespace: argparse.Namespace) -> int:
    from modelops_jupyter.serving.options import ServingOptions, read_token
    from modelops_jupyter.serving.process import end_on_signals
    from modelops_jupyter.serving.run import EndpointServer, serve

    def announce(server: EndpointServer) -> None:
        if namespace.json:
            print(json.dumps({"url": server.url, "models": list(server.service.champions.names)}), flush=True)
        else:
            print(printable(server.introduction()), flush=True)

    names = ("host", "port", "tls_cert", "tls_key", "insecure", "durable", "invalid", "unsafe")
    how = {name: getattr(namespace, name) for name in names}
    options = ServingOptions(tuple(namespace.models), token=read_token(namespace.token_file), **how)
    end_on_signals()
    try:
        with _open(namespace) as ws:
            serve(ws.settings, options, announce)
    except KeyboardInterrupt:  # the way to end it
        return DONE
    return DONE


if __name__ == "__main__":
    sys.exit(main())
