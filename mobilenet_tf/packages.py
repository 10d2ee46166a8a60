"""Optional packages: an ImportError names the pip command for what is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(*modules: str, extra: str) -> list[ModuleType]:
    """Import modules of the packages in an extra.

    Args:
        modules: Their import names.
        extra: What pip installs the packages with.

    Raises:
        ImportError: One of them is not installed.
    """
    try:
        return [importlib.import_module(module) for module in modules]
    except ImportError as error:
        packages = dict.fromkeys(module.partition(".")[0] for module in modules)
        raise ImportError(
            f"this needs {' and '.join(packages)}; pip install 'mobilenet_tf[{extra}]'"
        ) from error
