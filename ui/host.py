"""What the host of the page allows: read once from the environment, when the page starts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .limits import MAX_QUEUE, SPACE_REQUESTS_A_MINUTE

_OWNER = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")
_SPACE = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class HostError(ValueError):
    """A variable of the environment cannot be what it is; the message begins with its name."""


@dataclass(frozen=True)
class Host:
    """The switches of a page, each with the variable that sets it."""

    space: str = ""
    """SPACE_ID: ``owner/name`` of the Space that the page runs as, or empty."""
    load: bool = True
    """GPT_LOAD: visitors may load models from the Hub. On a Space only where this or GPT_OWNERS says so."""
    push: bool = True
    """GPT_PUSH: visitors may push what was trained here. On a Space only where this says so."""
    train: bool = True
    """GPT_TRAIN: visitors may train models of their own. On a Space only where this says so."""
    owners: tuple[str, ...] = ()
    """GPT_OWNERS: of whom models may be loaded; empty for everybody."""
    requests_a_minute: int = 0
    """GPT_REQUESTS_A_MINUTE: of one visitor; 0 for any number."""
    queue: int = MAX_QUEUE
    """GPT_QUEUE: requests that wait; one more is refused."""
    sign_in: bool = False
    """OAUTH_CLIENT_ID, on a Space: visitors can sign in there, and push under their own name."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Host:
        """Raises HostError: a variable has a value that means nothing."""
        space = environment.get("SPACE_ID", "")
        if not _SPACE.fullmatch(space):
            space = ""
        owners = tuple(name.strip() for name in environment.get("GPT_OWNERS", "").split(",") if name.strip())
        for name in owners:
            if not _OWNER.fullmatch(name):
                raise HostError(f"GPT_OWNERS: {name[:60]!r} is no name of the Hub; names stand between commas")
        return cls(
            space=space,
            load=_switch(environment, "GPT_LOAD", not space or bool(owners)),
            push=_switch(environment, "GPT_PUSH", not space),
            train=_switch(environment, "GPT_TRAIN", not space),
            owners=owners,
            requests_a_minute=_whole(environment, "GPT_REQUESTS_A_MINUTE", SPACE_REQUESTS_A_MINUTE if space else 0, 0),
            queue=_whole(environment, "GPT_QUEUE", MAX_QUEUE, 1),
            sign_in=bool(space and environment.get("OAUTH_CLIENT_ID")),
        )

    def allows(self, repo: str) -> bool:
        """Whether models of this repository's owner may be loaded."""
        owners = [name.lower() for name in self.owners]  # the Hub finds a repository however its owner is written
        return not owners or repo.partition("/")[0].lower() in owners

    @property
    def sentences(self) -> list[str]:
        """What a visitor should know of these."""
        said = []
        if not self.load:
            said.append("The host of this page has switched off loading from the Hub.")
        elif self.owners:
            said.append(f"Models of {' and '.join(self.owners)} can be loaded here.")
        if self.requests_a_minute:
            said.append(f"A visitor has {self.requests_a_minute:,} requests a minute.")
        said.append(f"At most {self.queue:,} requests wait in the queue.")
        return said


def _switch(environment: Mapping[str, str], name: str, usual: bool) -> bool:
    value = environment.get(name, "").strip().lower()
    if value not in ("", "on", "off", "1", "0", "true", "false", "yes", "no"):
        raise HostError(f"{name}: {value[:60]!r} is neither on nor off")
    return value in ("on", "1", "true", "yes") if value else usual


def _whole(environment: Mapping[str, str], name: str, usual: int, least: int) -> int:
    value = environment.get(name, "").strip()
    if not value:
        return usual
    number = float(value) if re.fullmatch(r"\d{1,9}", value) else math.nan
    if not number >= least:
        raise HostError(f"{name}: {value[:60]!r} is not a whole number from {least}")
    return int(number)
