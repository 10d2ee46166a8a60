"""What the commands share: values of flags, help that fits a screen, errors."""

from __future__ import annotations

import argparse
import re
import sys
from fractions import Fraction
from typing import NoReturn


class Formatter(argparse.HelpFormatter):
    """Help with a narrow column of flags."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=28, width=96)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def ratio(text: str) -> float:
    """The number that a text such as "0.5" or "5/7" stands for."""
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(
            f"must be a number such as 0.5 or 5/7, got {text!r}"
        ) from error


def numbers(text: str) -> tuple[float, ...]:
    """The numbers in a text such as "-1,1"."""
    try:
        return tuple(map(float, text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"must be numbers such as -1,1, got {text!r}"
        ) from error


def as_flags(message: str, names: dict[str, str]) -> str:
    """An error of the library in the words of the command line.

    Args:
        message: It names arguments: "alpha must be ...", "skip_unreadable=True leaves".
        names: The flag of each argument: {"alpha": "--alpha", "path": "--images"}.

    Returns:
        The same with flags: "--alpha must be ...", "--skip_unreadable leaves ...",
        "--train and --test must be ...".
    """
    any_name = f"(?:{'|'.join(names)})"
    subject = rf"{any_name}(?:(?:, | and | or ){any_name})*(?= must\b| needs\b| '|=)"
    message = re.sub(
        f"(?:^|(?<=: )){subject}",  # also after who says so
        lambda found: re.sub(
            r"\w+", lambda word: names.get(word[0], word[0]), found[0]
        ),
        message,
    )
    for name, flag in names.items():
        message = re.sub(rf"(?<![\w-]){name}=True\b", flag, message)
        message = re.sub(rf"(?<![\w-]){name}=(?!=)", f"{flag}=", message)
        if "_" in name:  # no word of a sentence
            message = re.sub(rf"(?<![\w/'-]){name}\b", flag, message)
    return message


def written(*paths: object) -> None:
    """Say which files were written."""
    print(f"written: {', '.join(map(str, paths))}", flush=True)


def note(line: str) -> None:
    """A line on standard output, at once also where it is a file or a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
