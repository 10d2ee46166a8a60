"""Optional packages: an ImportError names the pip command for what is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(
    *modules: str,
    extra: str | None = None,
    command: str | None = None,
    purpose: str = "this",
) -> list[ModuleType]:
    """Import modules of packages that may not be installed.

    Args:
        modules: Their import names.
        extra: The extra of `mobilenet_tf` that pip installs the packages with.
        command: The command that installs them, where that is no extra.
        purpose: What needs them, the subject of the message.

    Returns:
        The modules, in the order of their names.

    Raises:
        ImportError: One of them cannot be imported; a ModuleNotFoundError where it is
            not installed.
    """
    try:
        return [importlib.import_module(module) for module in modules]
    except ImportError as error:
        names = dict.fromkeys(module.partition(".")[0] for module in modules)
        install = command or f"pip install 'mobilenet_tf[{extra}]'"
        missing = isinstance(error, ModuleNotFoundError)
        raise (ModuleNotFoundError if missing else ImportError)(
            f"{purpose} needs {' and '.join(names)}; {install} ({error})",
            name=error.name,
        ) from error
