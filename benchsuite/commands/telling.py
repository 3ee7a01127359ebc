"""What a command says: nothing that a file or an option holds reaches the terminal as more than text."""

from __future__ import annotations

import typer

from benchsuite.terms.printable import printable_lines


def tell(line: str, *, err: bool = False) -> None:
    """Write one line, or several with breaks between them, to standard output or to standard error."""
    typer.echo(printable_lines(line), err=err)
