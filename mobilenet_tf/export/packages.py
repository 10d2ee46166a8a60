"""Optional packages: an ImportError names the pip command for what is missing."""

from __future__ import annotations

import importlib


def require(*packages: str, extra: str = "export") -> None:
    """Import packages of an extra.

    Args:
        packages: Their import names.
        extra: What pip installs them with.

    Raises:
        ImportError: One of them is not installed.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"this export needs {' and '.join(packages)}; "
                f"pip install 'mobilenet_tf[{extra}]'"
            ) from error
