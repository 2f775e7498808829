"""What goes wrong on the way to the Hub and back: tried again where it may pass, and said in our words."""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between attempts; after the last one it is given up."""
NETWORK_WAITS = 2
"""Of these, so many where nothing answers at all."""
LONGEST_WAIT = 60.0
"""Seconds that an answer may ask for between two attempts."""

LOGIN = "log in with `hf auth login`, or set HF_TOKEN"
"""The advice of a sentence, for whoever asks from a terminal: others replace it by their own."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class HubError(ValueError):
    """Something could not be pushed or pulled; the message says what, and what to do."""


def persist(attempt: Callable[[], T]) -> T:
    """What an attempt returns; after what may pass - another's commit, too many requests, the network - another one."""
    failures = 0
    while True:
        try:
            return attempt()
        except Exception as error:
            waits = _waits(error)
            if failures >= len(waits):
                raise
            wait = max(waits[failures], _asked_to_wait(error))
            failures += 1
            _log.warning("the Hub: %s; again in %.0f s", _status(error) or type(error).__name__, wait)
            time.sleep(wait)


def _waits(error: Exception) -> tuple[float, ...]:
    status = _status(error)
    if status is not None:
        return WAITS if status in (409, 412, 429) or status >= 500 else ()
    return WAITS[:NETWORK_WAITS] if _is_network(error) else ()


def _status(error: BaseException) -> int | None:
    """Of the answer that this error, or the one it came from, is about."""
    answers = [getattr(cause, "response", None) for cause in _causes(error)]
    return next((int(answer.status_code) for answer in answers if answer is not None), None)


def _asked_to_wait(error: BaseException) -> float:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return min(LONGEST_WAIT, float(headers.get("retry-after", 0)))
    except ValueError:
        return 0.0


def _is_network(error: BaseException) -> bool:
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    causes = _causes(error)
    offline = any(isinstance(cause, OfflineModeIsEnabled) for cause in causes)
    return not offline and any(isinstance(cause, httpx2.TransportError | ConnectionError) for cause in causes)


def _causes(error: BaseException) -> list[BaseException]:
    """The error, what it came from, and so on."""
    found = [error]
    while found[-1].__cause__ is not None:
        found.append(found[-1].__cause__)
    return found


@contextlib.contextmanager
def explained(repo: str, revision: str | None, writing: bool) -> Iterator[None]:
    """Inside, what the client raises becomes a HubError in our words."""
    try:
        yield
    except Exception as error:
        said = _sentence(error, repo, revision or "main", writing)
        if said is None:
            raise
        raise HubError(said) from None  # the client's error may hold the request's headers, and with them the token


def _sentence(error: Exception, repo: str, revision: str, writing: bool) -> str | None:
    """What is wrong and what to do, or None where it is no failure of the Hub's."""
    from huggingface_hub import errors

    def is_a(kind: type[BaseException]) -> bool:
        return any(isinstance(cause, kind) for cause in _causes(error))

    status = _status(error)
    login = LOGIN
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        place = "TMPDIR" if writing else "HF_HOME"
        return f"{repo}: the disk is full; make room, or set {place} to a folder on another one"
    if is_a(errors.OfflineModeIsEnabled):
        what = "not pushed" if writing else "not pulled before"
        return f"{repo}: {what}, and HF_HUB_OFFLINE forbids to ask the Hub; unset it"
    if is_a(errors.GatedRepoError):
        return f"{repo}: its owner grants access one by one; ask for it on the repository's page, and {login}"
    if is_a(errors.RevisionNotFoundError):
        return f"{repo}: has no branch, tag or commit {revision!r}"
    if status == 429:
        return f"{repo}: the Hub has had too many requests; try again in some minutes"
    if status == 402:
        return f"{repo}: the Hub asks for a subscription or credits for this; see huggingface.co/pricing"
    if status == 403 and writing:
        return f"{repo}: this token may not write there; make one that may on the Hub's settings page, and {login}"
    if status == 401 and (writing or not is_a(errors.RepositoryNotFoundError)):
        return f"{repo}: no token, or one that is not valid; {login}"
    if is_a(errors.RepositoryNotFoundError):
        return f"{repo}: no such repository, or it is private and not yours to read; check the name, or {login}"
    if status is not None and 400 <= status < 500:
        return f"{repo}: the Hub refuses this ({status}{_reason(error)})"
    if status is not None:
        return f"{repo}: the Hub answered {status}; try again later"
    if _is_network(error):
        left = "nothing was pushed" if writing else "nothing of it was pulled before"
        return f"{repo}: the Hub cannot be reached, and {left}; is there a network?"
    return None


def _reason(error: Exception) -> str:
    """What the Hub itself says of a refusal, in one line."""
    said = next((str(found) for cause in _causes(error) if (found := getattr(cause, "server_message", None))), "")
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return f": {words[:200]}" if words else ""
