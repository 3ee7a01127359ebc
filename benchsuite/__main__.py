"""`python -m benchsuite`, and the `benchsuite` command."""

from __future__ import annotations

import sys

from benchsuite.terms.installation import wrong_environment


def main() -> None:
    """Run the command, or say in one sentence why this interpreter cannot."""
    sentence = wrong_environment()
    if sentence is not None:
        print(sentence, file=sys.stderr)
        sys.exit(2)
    from benchsuite.commands.app import main as run

    run()


if __name__ == "__main__":
    main()
