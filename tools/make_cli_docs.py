"""Writes docs/cli.md from the commands' own help.

python tools/make_cli_docs.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from kiosk.cli.main import main as kiosk
from trainer.cli import main as trainer

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"

HEAD = """# Commands

Every command with its options, as `--help` prints them. This page is generated: `make cli-docs` writes it again.

`kiosk` runs the machine. `trainer` makes the network, offline. In a checkout both are in `.venv/bin/`. Every command
also has `--help`. An error is one line on standard error and a non-zero exit status."""


def markdown() -> str:
    """The whole page."""
    blocks = [HEAD]
    for name, group in (("kiosk", kiosk), ("trainer", trainer)):
        blocks += _command(name, group)
    return "\n\n".join(blocks) + "\n"


def _command(name: str, command: click.Command) -> Iterator[str]:
    """The sections of a command and of everything below it."""
    context = click.Context(command, info_name=name)
    arguments = " ".join(command.collect_usage_pieces(context))
    yield f"{'#' * min(name.count(' ') + 2, 4)} `{name}`"
    yield f"`{name} {arguments}`"
    if command.help:
        yield _text(command.help)
    options = (each for each in command.get_params(context) if isinstance(each, click.Option))
    records = (option.get_help_record(context) for option in options if "--help" not in option.opts)
    rows = [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in filter(None, records)]
    if rows:
        yield "\n".join(["| option | meaning |", "|---|---|", *rows])
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                yield from _command(f"{name} {below}", found)


def _text(help_: str) -> str:
    """A command's help as Markdown: its paragraphs, each on one line."""
    paragraphs = help_.replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")
