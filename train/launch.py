"""A training on Hugging Face Jobs: the request, what it costs, and its log.

The code travels as one commit of a private repository, ``owner/name-job``, that the job mounts read-only at that very
commit; the state that a lost machine leaves is in a branch of the same one (see relay.py). The token is a secret of the
job: it stands neither in the command nor in its variables.
"""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpt.hub import HubError, check_name, commit_files
from gpt.hub_failures import explained, persist

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub._jobs_api import JobInfo

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
"""Has uv, which installs in seconds, and the C++ compiler that torch.compile needs on a CPU."""
MOUNT = "/code"
PRICES = "https://huggingface.co/docs/hub/jobs-pricing"
LAUNCH_ALONE = {
    "flavor": 1, "attempts": 1, "timeout": 1, "run": 1, "corpus": 1,
    "dry_run": 0, "no_dry_run": 0, "detach": 0, "no_detach": 0,
}  # fmt: skip
"""Options that pretrain is not given as they stand, and how many values each takes."""
AN_HOUR = {"second": 3600, "minute": 60, "hour": 1}
"""How many of the units that the Hub names are an hour."""


class LaunchError(HubError):
    """The job was not started, or did not end well; the message says what is left and what to do."""


@dataclass(frozen=True)
class Plan:
    """A training that is to run elsewhere."""

    options: tuple[str, ...]
    """Of pretrain, as on the command line."""
    push_to: str
    """``owner/name``"""
    corpus: Path | None
    """A text of one's own, which travels with the code."""
    flavor: str
    attempts: int
    timeout: str
    name: str | None = None
    """Of this training; None is a new one."""
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    """What no other launch has: by it a job is found whose answer was lost."""

    def __post_init__(self) -> None:
        check_name(self.push_to)
        if self.name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", self.name):
            raise HubError(f"run: {self.name[:60]!r} is no name of letters, digits, - and _")

    @classmethod
    def of(cls, command: Any, arguments: Sequence[str]) -> Plan:
        """The plan of a command ``launch`` and of the arguments that it was read from.

        Raises:
            ValueError: one of them does not go together with a job, or is out of range.
        """
        if command.push_to is None:
            raise ValueError("push-to: name the repository that the model is pushed to, --push-to owner/name")
        for name in ("out", "resume", "overwrite", "state_on"):
            if getattr(command, name):
                raise ValueError(f"{name.replace('_', '-')}: is for this machine; the job's own folder begins empty")
        if command.config.init and Path(command.config.init).exists():
            raise ValueError(f"init: {command.config.init} is on this machine; push it, and name its repository")
        if command.attempts < 1:
            raise ValueError(f"attempts: {command.attempts} is not a number above 0")
        if not re.fullmatch(r"\d+(\.\d+)?[smhd]", command.timeout):
            raise ValueError(f"timeout: {command.timeout!r} is no time such as 90m or 6h")
        options = tuple(without(arguments, LAUNCH_ALONE))
        return cls(
            options, command.push_to, command.corpus, command.flavor, command.attempts, command.timeout, command.run
        )

    @property
    def run(self) -> str:
        return self.name or self.mark

    @property
    def repo(self) -> str:
        """Where its code and its state are."""
        return f"{self.push_to}-job"

    @property
    def command(self) -> list[str]:
        """What the job runs, in a folder of its own. No shell reads it."""
        corpus = ["--corpus", f"{MOUNT}/corpus/{self.corpus.name}"] if self.corpus else []
        return [
            "uv", "run", "--no-project", "--with-requirements", f"{MOUNT}/requirements.txt",
            "python", "-m", "train", "pretrain", *self.options, *corpus,
            "--out", self.push_to.split("/")[1], "--state-on", f"{self.repo}@run-{self.run}",
        ]  # fmt: skip

    def request(self, secret: str, commit: str = "(the commit of the code)") -> dict[str, Any]:
        """The arguments of ``HfApi.run_job``, as JSON has them."""
        code = {"type": "model", "source": self.repo, "mountPath": MOUNT, "revision": commit, "readOnly": True}
        return {
            "image": IMAGE,
            "command": self.command,
            "env": {"PYTHONPATH": MOUNT, "PYTHONUNBUFFERED": "1"},
            "secrets": {"HF_TOKEN": secret},
            "flavor": self.flavor,
            "timeout": self.timeout,
            "attempts": self.attempts,
            "name": f"train-{self.push_to.split('/')[1].replace('.', '-')}",
            "labels": {"run": self.run, "launch": self.mark},
            "volumes": [code],
        }

    def files(self, kept: Path) -> dict[str, Path]:
        """What travels: gpt, train, what they need, and the text; ``kept`` is a folder for what is written for it."""
        found = {
            path.relative_to(ROOT).as_posix(): path
            for package in ("gpt", "train")
            for path in sorted((ROOT / package).rglob("*"))
            if path.suffix in (".py", ".txt")
        }
        pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        found["requirements.txt"] = kept / "requirements.txt"
        lines = [pin for pin in pins if not pin.startswith("gradio")]  # only the page needs it
        found["requirements.txt"].write_text("\n".join(lines) + "\n", encoding="utf-8")
        if self.corpus:
            found[f"corpus/{self.corpus.name}"] = self.corpus
        return found


def run_elsewhere(plan: Plan, follow: bool = True) -> None:
    """Push the code, start the job, and show its log until it ends.

    Raises:
        HubError: it could not be started, or it did not end well.
    """
    from huggingface_hub import HfApi, get_token

    api, token = HfApi(), get_token()
    if token is None:
        raise LaunchError("no token; log in with `hf auth login`, or set HF_TOKEN")
    with explained(plan.push_to, None, writing=True):
        print(price(api, plan.flavor), flush=True)
        commit = push_code(api, plan)
        job = start(api, plan, token, commit)
    print(f"{job.url} runs {plan.run}, for {plan.timeout} at most, {plan.attempts} attempts", flush=True)
    print(f"follow it with `hf jobs logs -f {job.id}`, end it with `hf jobs cancel {job.id}`", flush=True)
    if follow:
        watch(api, plan, job)


def price(api: HfApi, flavor: str) -> str:
    """What a machine costs, in a sentence.

    Raises:
        LaunchError: there is no such machine; the message names those there are.
    """
    machines = {machine.name: machine for machine in persist(api.list_jobs_hardware)}
    if flavor not in machines:
        raise LaunchError(f"flavor: no machine {flavor[:60]!r}; there are: {', '.join(machines)}")
    machine = machines[flavor]
    if machine.unit_label not in AN_HOUR:
        return f"{flavor} ({machine.pretty_name}): for what it costs see {PRICES}"
    return f"{flavor} ({machine.pretty_name}) costs ${machine.unit_cost_usd * AN_HOUR[machine.unit_label]:.2f} an hour"


def push_code(api: HfApi, plan: Plan) -> str:
    """The commit that holds the code as it is here.

    Raises:
        LaunchError: the repository for it is public.
    """
    persist(lambda: api.create_repo(plan.repo, private=True, exist_ok=True))
    if not persist(lambda: api.repo_info(plan.repo)).private:
        raise LaunchError(f"{plan.repo}: is public, and the job's code and state would be; make it private")
    with tempfile.TemporaryDirectory() as kept:
        files = plan.files(Path(kept))
        return commit_files(api, plan.repo, "main", files, "The code of a training", ours=_is_code)[0]


def start(api: HfApi, plan: Plan, token: str, commit: str) -> JobInfo:
    """Start the job, once: a job whose answer was lost is found again by its label."""
    from huggingface_hub import Volume

    request = plan.request(token, commit)
    request["volumes"] = [Volume(**volume) for volume in request["volumes"]]
    me = persist(api.whoami)["name"]
    tried = False

    def attempt() -> JobInfo:
        nonlocal tried
        if tried:
            for job in api.list_jobs(labels={"launch": plan.mark}, namespace=me):
                if (job.labels or {}).get("launch") == plan.mark:
                    return job
        tried = True
        return api.run_job(**request, namespace=me)

    return persist(attempt)


def watch(api: HfApi, plan: Plan, job: JobInfo) -> None:
    """Show a job's log as it comes, until it has ended.

    Raises:
        LaunchError: it did not end well, or cannot be followed any more.
    """
    again = f"go on with the same command and --run {plan.run}"
    owner = job.owner.name
    try:
        with explained(plan.push_to, None, writing=True):
            for line in api.fetch_job_logs(job_id=job.id, namespace=owner, follow=True):
                print(line, flush=True)
            status = persist(lambda: api.inspect_job(job_id=job.id, namespace=owner)).status
    except KeyboardInterrupt:
        print(f"\nthe job goes on; end it with `hf jobs cancel {job.id}`", file=sys.stderr)
        raise
    except HubError as error:
        raise LaunchError(f"the job goes on, but cannot be followed from here ({error}): {job.url}") from None
    if status.stage != "COMPLETED":
        told = f": {status.message}" if status.message else ""
        raise LaunchError(f"the job ended as {status.stage}{told}; {again}. Its log is at {job.url}")
    print(f"the model is at {api.endpoint}/{plan.push_to}")


def without(arguments: Sequence[str], options: Mapping[str, int]) -> list[str]:
    """Arguments, less these options, each with as many values as it takes (unless they are joined to it by "=")."""
    kept, skip = [], 0
    for argument in arguments:
        name, joined, _ = argument.partition("=")
        if name.startswith("--") and (name := name[2:].replace("-", "_")) in options:
            skip = 0 if joined else options[name]
        elif skip:
            skip -= 1
        else:
            kept.append(argument)
    return kept


def _is_code(name: str) -> bool:
    return name.split("/")[0] in ("gpt", "train", "corpus")
