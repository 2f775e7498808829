"""Jobs on this machine, for the real client: what is posted is really run, in a folder of its own for each attempt.

What a container would have comes as near as it can: a repository that is mounted is written out at its commit, the
command's Python is this one, and its environment holds what the job was given and nothing else of ours.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.hub.local_hub import LocalHub, Refusal

HARDWARE = [
    {"name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB", "unitCostMicroUSD": 167,
     "unitCostUSD": 0.000167, "unitLabel": "minute"},
    {"name": "l4x1", "prettyName": "1x Nvidia L4", "cpu": "8 vCPU", "ram": "30 GB", "unitCostMicroUSD": 13333,
     "unitCostUSD": 0.013333, "unitLabel": "minute"},
]  # fmt: skip


@dataclass
class Job:
    id: str
    owner: str
    spec: dict[str, Any]
    stage: str = "RUNNING"
    message: str | None = None
    lines: list[str] = field(default_factory=list)

    def said(self) -> dict[str, Any]:
        """As the Hub tells of it: of a secret the name alone."""
        known = {name: self.spec.get(name) for name in ("dockerImage", "command", "environment", "flavor", "labels")}
        owner = {"id": "1", "name": self.owner, "type": "user"}
        status = {"stage": self.stage, "message": self.message}
        return {"id": self.id, **known, "secrets": list(self.spec["secrets"]), "status": status, "owner": owner}


class LocalJobs:
    """The routes of jobs, and what was run; ``hub`` and ``url`` are to be set before the first job."""

    def __init__(self) -> None:
        self.hub: LocalHub | None = None
        self.url = ""
        self.jobs: dict[str, Job] = {}
        self.starts = True
        """Whether a job is run at all; else it waits for a machine for ever."""
        self.lost_at: list[str] = []
        """For each attempt the pattern of the line at which its machine is lost."""
        one = "/api/jobs/{namespace}/{id}"
        self.routes = [
            Route("/api/jobs/hardware", self.hardware),
            Route("/api/jobs/{namespace}", self.create, methods=["POST"]),
            Route("/api/jobs/{namespace}", self.list),
            Route(one + "/logs", self.logs),
            Route(one, self.inspect),
        ]

    async def hardware(self, request: Request) -> Response:
        return JSONResponse(HARDWARE)

    async def create(self, request: Request) -> Response:
        assert self.hub
        if self.hub.user(request, to_write=True) != request.path_params["namespace"]:
            raise Refusal(403, "You have no rights under this name")
        job = Job(secrets.token_hex(12), request.path_params["namespace"], await request.json())
        self.jobs[job.id] = job
        if self.starts:
            threading.Thread(target=self.run, args=(job,), daemon=True).start()
        return JSONResponse(job.said())

    async def list(self, request: Request) -> Response:
        wanted = [label.split("=") for label in request.query_params.getlist("label")]
        found = [job for job in self.jobs.values() if all(job.spec["labels"].get(k) == v for k, v in wanted)]
        return JSONResponse([job.said() for job in found])

    async def inspect(self, request: Request) -> Response:
        return JSONResponse(self.jobs[request.path_params["id"]].said())

    async def logs(self, request: Request) -> Response:
        job = self.jobs[request.path_params["id"]]

        async def events() -> AsyncIterator[str]:
            sent = 0
            while job.stage == "RUNNING" or sent < len(job.lines):
                for line in job.lines[sent:]:
                    sent += 1
                    yield f"data: {json.dumps({'data': line, 'timestamp': '2026-01-01T00:00:00.000Z'})}\n\n"
                await anyio.sleep(0.05)

        return StreamingResponse(events(), media_type="text/event-stream")

    def run(self, job: Job) -> None:
        for _ in range(job.spec.get("attempts", 1)):
            with tempfile.TemporaryDirectory() as machine:
                if self.attempt(job, Path(machine)) == 0:
                    job.stage = "COMPLETED"
                    return
        job.stage, job.message = "ERROR", "Job failed with exit code: 1"

    def attempt(self, job: Job, machine: Path) -> int:
        """The exit status of one attempt."""
        assert self.hub
        command, environment = job.spec["command"], {**job.spec["environment"], **job.spec["secrets"]}
        assert command[: command.index("python")][:2] == ["uv", "run"]
        command = [sys.executable, *command[command.index("python") + 1 :]]
        for volume in job.spec["volumes"]:
            assert (volume["type"], volume["readOnly"]) == ("model", True)
            place = machine / "volumes" / volume["mountPath"].strip("/")
            for name, file in self.hub.repositories[volume["source"]].find(volume["revision"]).files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(file.data)
            mounted = re.compile(rf"^{volume['mountPath']}(?=/|$)")
            command = [mounted.sub(str(place), word) for word in command]
            environment = {name: mounted.sub(str(place), value) for name, value in environment.items()}
        environment |= {"HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(machine / "hub")}
        environment |= {name: os.environ[name] for name in ("PATH", "TINY_SHAKESPEARE") if name in os.environ}
        (machine / "work").mkdir()
        lost_at = self.lost_at.pop(0) if self.lost_at else None
        process = subprocess.Popen(
            command, cwd=machine / "work", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout
        for line in process.stdout:
            job.lines.append(line.rstrip("\n"))
            if lost_at and re.search(lost_at, line):
                process.kill()
                time.sleep(0.1)
        return process.wait()
