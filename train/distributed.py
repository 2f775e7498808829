"""One training by several processes, as torchrun starts them: who they are, and the little that they tell each other.

Every process holds all of the weights and makes every step, each with its own part of the same batch; after the way
back the gradients are averaged, so that all move their weights alike. That is one plain all-reduce and not torch's
DistributedDataParallel: the model stays itself, so that Muon's groups, the averaged weights, torch.compile and the
names in a save know nothing of it, and parts of a batch need no exception. Without dropout, two processes are bit for
bit one that takes the batch in two parts. The price is that sending waits for the way back to end. The folder, the
terminal, evaluations and the Hub are process 0's alone.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import time
import traceback
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

MEETING = datetime.timedelta(minutes=10)
"""How long the processes wait for each other at the start."""

PATIENCE = datetime.timedelta(days=1)
"""How long the others wait for what process 0 does alone. One that died is noticed at once, by its connection."""

T = TypeVar("T")


class ProcessError(RuntimeError):
    """Another process of this training failed, or cannot be reached."""


@dataclass(frozen=True)
class Processes:
    """The processes of one training, seen from one of them. Every method is called by all, in the same order."""

    rank: int = 0
    """Which one this is, from 0."""
    size: int = 1
    """How many there are."""
    run: str = ""
    """torchrun's name for the training, the same after each restart; empty without torchrun."""
    words: Callable[[], Any] = lambda: None
    """Gives the group over which they talk, patiently and from the CPU; gradients take the default one."""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes, prints, evaluates and pushes."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This process's part (B / size, ...) of rows (B, ...)."""
        return rows.chunk(self.size)[self.rank]

    def average(self, tensors: list[Tensor]) -> None:
        """Put the mean over all processes into each, the same bits on all."""
        if self.size == 1:
            return
        flat = torch.cat([t.flatten() for t in tensors])
        with _connected():
            dist.all_reduce(flat)
        flat /= self.size
        for t, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            t.copy_(mean.view_as(t))

    def any(self, flag: bool) -> bool:
        """Whether one of them says yes."""
        if self.size == 1:
            return flag
        flags = torch.tensor(int(flag))
        with _connected():
            dist.all_reduce(flags, dist.ReduceOp.MAX, group=self.words())
        return bool(flags)

    def told(self, value: T) -> T:
        """What process 0 says."""
        values = [value]
        if self.size > 1:
            with _connected():
                dist.broadcast_object_list(values, group=self.words(), device=torch.device("cpu"))
        return values[0]

    def copies(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Process 0's tensors, all of them on the CPU; what the others give is not looked at."""
        kinds = self.told({name: (t.shape, t.dtype) for name, t in tensors.items()})
        if not self.first:
            tensors = {name: torch.empty(shape, dtype=dtype) for name, (shape, dtype) in kinds.items()}
        with _connected():
            for name in kinds:
                dist.broadcast(tensors[name], src=0, group=self.words())
        return dict(tensors)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What fails inside on one process fails on all.

        Raises:
            ProcessError: it failed on another one; the message is that one's. Its own failure each raises itself.
        """
        if self.size == 1:
            yield
            return
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        said: list[str | None] = [None] * self.size
        with _connected():
            dist.all_gather_object(said, str(failure) if failure else None, group=self.words())
        if failure:
            raise failure
        for rank, words in enumerate(said):
            if words is not None:
                raise ProcessError(f"process {rank}: {words}")


ALONE = Processes()


@contextlib.contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        traceback.clear_frames(error.__traceback__)  # torch's own: they hold the group, which joined() is about to end
        raise ProcessError(
            f"another process of this training has ended, or cannot be reached ({str(error).splitlines()[0][:200]}); "
            "the last save, if there is one, is whole: torchrun --max-restarts=N starts all of them again from it"
        ) from None


@contextlib.contextmanager
def joined() -> Iterator[Processes]:
    """Inside, this is one of the processes that torchrun started, or a process alone.

    A thread of gloo's lets go of a tensor only after it has told that all is sent. If by then Python has begun to end,
    the process dies of it (https://github.com/pytorch/pytorch/pull/179291). The threads end with their group, and a
    group when nobody holds it: so only torch does, and none is left outside.

    Raises:
        ProcessError: the others cannot be reached, or there are fewer GPUs than processes on one of the machines.
    """
    size = int(os.environ["WORLD_SIZE"]) if _started_by_torchrun() else 1
    if size == 1:
        yield Processes(run=_run())
        return
    import torch.distributed.nn  # later, and its functions would hold the group: it is the default of an argument

    gpus = torch.cuda.is_available()
    with _connected():
        store, rank, size = next(dist.rendezvous("env://"))  # type: ignore[attr-defined]
        dist.init_process_group("nccl" if gpus else "gloo", store=_fresh(store, rank, size), rank=rank, world_size=size)
        words = weakref.ref(dist.new_group(backend="gloo", timeout=PATIENCE))
    processes, well = Processes(rank, size, _run(), words), False
    try:
        with processes.together():
            if gpus:
                _take_gpu(int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"]))
        yield processes
        processes.any(False)
        well = True
    finally:
        # NCCL, which has no such threads, would wait for the others; who has lost them must not.
        dist.destroy_process_group(None if well or not gpus else words())


def _fresh(store: Any, rank: int, size: int) -> Any:
    """The part of torchrun's store that belongs to this start of the processes alone.

    After a restart torchrun hands out the store of before (https://github.com/pytorch/pytorch/issues/135712), in which
    stand the addresses of those that are dead, and how often it has restarted is not the same number on all machines.
    So each of the others leaves a word that was never used before, and process 0 answers it with the name of the start.
    """
    store.set_timeout(MEETING)
    word = uuid.uuid4().hex
    if rank > 0:
        store.set(f"word/{rank}", word)
        start = store.get(word).decode()  # waits for it
        store.set(f"{start}/{rank}", "here")
        return dist.PrefixStore(start, store)  # type: ignore[attr-defined]
    missing, deadline = set(range(1, size)), time.monotonic() + MEETING.total_seconds()
    while missing:
        for other in list(missing):
            if store.check([f"word/{other}"]):  # it may be one of a process that is dead: ask again until that is here
                store.set(store.get(f"word/{other}").decode(), word)
            if store.check([f"{word}/{other}"]):
                missing.remove(other)
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain for {', '.join(f'process {other}' for other in sorted(missing))}")
        time.sleep(0.02)
    return dist.PrefixStore(word, store)  # type: ignore[attr-defined]


def _started_by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def _take_gpu(rank: int, processes: int) -> None:
    if processes > torch.cuda.device_count():
        raise ProcessError(
            f"{processes} processes on a machine with {torch.cuda.device_count()} GPUs; give --nproc-per-node the "
            "number of GPUs, or hide them with CUDA_VISIBLE_DEVICES= to train on CPUs"
        )
    torch.cuda.set_device(rank)


def _run() -> str:
    run = os.environ.get("TORCHELASTIC_RUN_ID", "")
    if run != "none":
        return run
    # Machines named by --master-addr have no id in common; the folder of torchrun's own files, made anew at each of
    # its starts, is one: .../none_RANDOM/attempt_N/RANK/error.json
    return Path(os.environ["TORCHELASTIC_ERROR_FILE"]).parents[2].name


@contextlib.contextmanager
def one_voice() -> Iterator[None]:
    """Inside, what any process but process 0 prints is not seen; what went wrong there, :meth:`together` has told 0."""
    if _started_by_torchrun() and os.environ["RANK"] != "0":
        with contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
            yield
    else:
        yield


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def launcher() -> list[str]:
    """The words with which this program was started, as a person would write them."""
    if not _started_by_torchrun():
        return ["python", "-m", "train"]
    machines = int(os.environ["GROUP_WORLD_SIZE"])
    nodes = [f"--nnodes={machines}"] if machines > 1 else []
    return ["torchrun", *nodes, f"--nproc-per-node={os.environ['LOCAL_WORLD_SIZE']}", "-m", "train"]
