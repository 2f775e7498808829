"""What a training needs to go on, kept in a branch of a private repository: for a machine that may be lost."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gpt.atomic import locate, write_files
from gpt.checkpoint import MAX_JSON_BYTES, METRICS, TRAINING
from gpt.config import MAX_PARAMETERS
from gpt.hub import HubError, check_name, commit_files, fetch
from gpt.hub_failures import explained, persist

from .loop import Event, Saved
from .sharing import Pusher
from .state import RESUME_INFO, RESUME_STATE

SECONDS_BETWEEN = 600.0
"""A state is several times as large as the model, so not every save is kept."""
LIMITS: Mapping[str, int] = {
    TRAINING: MAX_JSON_BYTES,
    METRICS: MAX_JSON_BYTES,
    RESUME_INFO: MAX_JSON_BYTES,
    RESUME_STATE: 20 * MAX_PARAMETERS,  # weights, their averages and two moments, in float32
}
"""The files of a state, and the largest size of each that is taken back, in bytes."""


class Keeper(Pusher):
    """Keeps the state of a training beside it, at its saves, once in ten minutes; forgets it when all is done.

    Args:
        place: ``owner/name@branch``, a private repository; the branch is made if it is not there.
        say: takes a line for the person.

    Raises:
        HubError: this can be no such place.
    """

    files = frozenset(LIMITS)

    def __init__(self, place: str, say: Callable[[str], None]) -> None:
        self.place, (repo, self.branch) = place, parse_place(place)
        self._kept_at = -SECONDS_BETWEEN
        super().__init__(repo, True, say)

    def see(self, event: Event) -> None:
        if isinstance(event, Saved) and not event.finished and time.monotonic() - self._kept_at >= SECONDS_BETWEEN:
            self._kept_at = time.monotonic()
            self.offer(event.folder)

    def forget(self) -> None:
        """After the end: the state is of no use any more. What fails here does not matter."""
        from huggingface_hub import HfApi

        try:
            with explained(self.repo, self.branch, writing=True):
                persist(lambda: HfApi().delete_branch(self.repo, branch=self.branch))
        except HubError as error:
            self.say(f"the branch {self.branch}, which is of no use any more, was not removed. {error}")

    def _send(self, folder: Path) -> str:
        from huggingface_hub import HfApi

        api = HfApi()
        with explained(self.repo, self.branch, writing=True):
            persist(lambda: api.create_repo(self.repo, private=True, exist_ok=True))
            if not persist(lambda: api.repo_info(self.repo)).private:
                raise HubError(f"{self.repo}: is public; what a training keeps there would be, too: make it private")
            persist(lambda: api.create_branch(self.repo, branch=self.branch, exist_ok=True))
            files = {name: folder / name for name in LIMITS if (folder / name).is_file()}
            commit_files(api, self.repo, self.branch, files, "What the training needs to go on")
        return f"kept, to go on from, in {self.place}"


def take_back(place: str, folder: Path) -> bool:
    """Write a state that was kept to a checkpoint folder, unless that has one; whether there is one to go on from.

    Raises:
        HubError: the Hub cannot be asked, or what is there is no such state. Nothing is begun anew by mistake.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    repo, branch = parse_place(place)
    if locate(folder, RESUME_STATE).exists():
        return True
    with explained(repo, branch, writing=False):
        try:
            branches = persist(lambda: HfApi().list_repo_refs(repo)).branches
        except RepositoryNotFoundError:
            return False
    if branch not in (found.name for found in branches):
        return False
    kept = fetch(repo, branch, LIMITS, [])
    if not (kept / RESUME_STATE).is_file():  # the branch was made, and the machine was lost
        return False
    write_files(folder, {name: (kept / name).read_bytes() for name in LIMITS})
    shutil.rmtree(kept.parent.parent, ignore_errors=True)  # the cache's copy is as large
    return True


def parse_place(place: str) -> tuple[str, str]:
    """``owner/name@branch`` in two; raises HubError unless it is that."""
    repo, _, branch = place.partition("@")
    check_name(repo)
    if branch in ("", "main"):
        raise HubError(f"{place[:120]!r}: name the branch that is for this training alone, as owner/name@branch")
    return repo, branch
