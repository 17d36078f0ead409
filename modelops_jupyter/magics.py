"""``%modelops VERB ...``: the shell's verbs in a notebook, with Python names where a value is data."""

from __future__ import annotations

import shlex
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class, needs_local_scope, no_var_expand

from modelops_jupyter.data_files import read_file
from modelops_jupyter.errors import InvalidInput, ModelOpsError, NotFound, Unexpected
from modelops_jupyter.verbs import VERBS, parser


@magics_class
class ModelOpsMagics(Magics):
    """Holds ``%modelops``."""

    @needs_local_scope
    @no_var_expand
    @line_magic
    def modelops(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Run one verb in the nearest workspace and return what the Python call returns.

        ``%modelops models``, ``%modelops compare a@champion a/4 --data X_test --target y_test``. With ``--debug`` an
        error comes with its traceback.
        """
        from modelops_jupyter.settings import find_settings
        from modelops_jupyter.workspace import Workspace

        names = {**self.shell.user_ns, **(local_ns or {})}

        def read(text: str) -> Any:
            if text.isidentifier():
                if text not in names:
                    raise NotFound(f"The notebook has no name {text!r}: run the cell that makes it first.")
                return names[text]
            return read_file(text)

        words = line.split()
        try:
            words = _words(line)
            namespace = parser("%modelops")[0].parse_args([word for word in words if word != "--debug"])
            with Workspace(find_settings(lenient=namespace.lenient)) as ws:
                return namespace.call(ws, namespace, read)
        except SystemExit:  # --help has printed what it has to say
            return None
        except Exception as error:
            if "--debug" in words:
                raise
            said = error if isinstance(error, ModelOpsError) else Unexpected.of(error)
            # IPython shows what this returns in place of a traceback.
            vars(said)["_render_traceback_"] = lambda: [f"{type(said).__name__}: {said}"]
            raise said from None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:  # a quotation mark without its partner
        raise InvalidInput(f"%modelops cannot read {line!r}: {error}.") from None


def complete(shell: InteractiveShell, event: Any) -> list[str]:
    """Complete verbs, then options, then model references."""
    words = event.line.split()
    typed = event.symbol
    done = words[1:] if not typed else words[1:-1]
    if not done:
        return [verb.name for verb in VERBS if verb.name.startswith(typed)]
    verb = next((verb for verb in VERBS if verb.name == done[0]), None)
    if verb is None:
        return []
    if typed.startswith("-"):
        return [flag for flags, _ in verb.arguments for flag in flags if flag.startswith(typed)]
    return [reference for reference in _references() if reference.startswith(typed)]


def _references() -> list[str]:
    from modelops_jupyter import workspace

    with workspace.open() as ws:
        if not ws.settings.store_path.exists():  # completion never creates a workspace
            return []
        names = [record.key for record in ws.store.find("model")]
        aliases = [record.key for record in ws.store.find("alias")]
        versions = [f"{r.subject}/{r.body['version']}" for r in ws.store.find("version")]
    return sorted([*names, *aliases, *versions])


def load(shell: InteractiveShell) -> None:
    """Register the magic and its completion."""
    shell.register_magics(ModelOpsMagics)
    shell.set_hook("complete_command", complete, str_key="%modelops")
