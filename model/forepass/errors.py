"""What a user did wrong, in one line."""

from forepass.limits import MESSAGE_CHARACTERS

__all__ = ["InputError", "one_line"]


class InputError(Exception):
    """Bad input: one line for the user that says what was wrong, where, and what would be right.

    Commands print the message on standard error and exit with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """Return a text on one line that no terminal obeys, without the middle of what is endless."""
    words = " ".join(text.split())
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )
    half = MESSAGE_CHARACTERS // 2
    return shown if len(shown) <= 2 * half else f"{shown[:half]} ... {shown[-half:]}"
