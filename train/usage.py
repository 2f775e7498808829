"""What a person typed, and what was wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class UsageError(ValueError):
    """An argument is out of range or contradicts another one."""


@contextlib.contextmanager
def arguments_checked() -> Iterator[None]:
    """Inside, a ValueError is about what the person typed."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None
