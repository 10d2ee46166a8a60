"""Optional packages: an ImportError names the pip command for what is missing."""

from __future__ import annotations

import importlib


def require(*packages: str) -> None:
    """Import packages of the extra `export`.

    Raises:
        ImportError: One of them is not installed.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(
                f"this export needs {' and '.join(packages)}; "
                "pip install 'mobilenet_tf[export]'"
            ) from error
