"""What a user did wrong, in one line."""


class InputError(Exception):
    """Bad input: one line for the user that says what was wrong, where, and what would be right.

    Commands print the message on standard error and exit with status 2.
    """
