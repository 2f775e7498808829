"""The questions of the Models tab, as one route of gradio's server: what there is, loading, stopping, pushing.

A token for the Hub comes in the body of one request, over the page's own origin, is used for the one call and is
nowhere else: it is in no event of gradio's, which keeps and queues what it is sent, and in no message.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gpt.checkpoint import LIBRARY_NAME
from gpt.hub import HubError, check_name, push
from gpt.hub_failures import LOGIN

from . import models
from .arrivals import Arrivals, plain
from .exchange import NOT_KEPT, from_elsewhere, read_body, read_object, sentence
from .limits import (
    MAX_ASKING_HUB,
    MAX_FOUND_MODELS,
    MAX_MODELS_QUESTION_BYTES,
    MAX_PUSHING,
    MAX_REPOSITORY_CHARACTERS,
    MAX_TOKEN_CHARACTERS,
)
from .registry import Registry, shown

PATH = "/letter/models/{name}"
SCOPES = ("contribute-repos", "write-repos", "manage-repos")
"""One of these lets whoever signed in push."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_log = logging.getLogger(__name__)

Question = Mapping[str, Any]


def route(registry: Registry) -> Route:
    """For gradio's server: ``POST /letter/models/NAME`` with a JSON object. What is wrong is one sentence of text:
    400 for the question, 403 for one from another site, 413 for its size."""
    arrivals = Arrivals(registry)
    limiters: dict[str, anyio.CapacityLimiter] = {}  # made in the server's event loop
    at_once = {"push": MAX_PUSHING, "look": MAX_ASKING_HUB}

    async def ask(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in QUESTIONS:
            return sentence(404, f"There is no question {str(name)[:60]!r}.")
        if refused := from_elsewhere(request):
            return refused
        try:
            body = await read_body(request, MAX_MODELS_QUESTION_BYTES)
        except ClientDisconnect:
            return Response(status_code=499)
        if body is None:
            return sentence(413, f"More than {MAX_MODELS_QUESTION_BYTES:,} bytes, the limit of this question.")
        signed_in = _signed_in(request) if name in ("push", "list") else None
        limiter = limiters.setdefault(name, anyio.CapacityLimiter(at_once.get(name, 8)))
        return await run_sync(_answer, QUESTIONS[name], arrivals, body, signed_in, limiter=limiter)

    return Route(PATH, ask, methods=["POST"])


def _list(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """All rows, the visitor's ``own`` models among them; how many requests wait; whether this visitor has signed in."""
    registry, own = arrivals.registry, question.get("own")
    return {
        "rows": models.rows(registry, own if isinstance(own, list) else ()),
        "waiting": registry.waiting(),
        "signed_in": signed_in is not None,
    }


def _card(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """The card of ``model``."""
    return models.card(arrivals.registry, question.get("model"))  # type: ignore[arg-type]  # any other is unknown


def _open(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """Begins to fetch ``repo``."""
    id, arrival = arrivals.begin(question.get("repo"))
    return {"arrival": id, **arrival.told()}


def _progress(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """How ``arrival`` stands."""
    return arrivals.find(question.get("arrival")).told()


def _stop(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """Ends ``arrival``."""
    return arrivals.stop(question.get("arrival")).told()


def _look(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """Models of this project on the Hub, by their library tag; those that this page may load."""
    from huggingface_hub import HfApi

    host = arrivals.registry.host
    if not host.load:
        raise ValueError("The host of this page has switched off loading from the Hub.")
    api, found = HfApi(token=False), []
    try:
        for author in host.owners or (None,):
            for model in api.list_models(filter=LIBRARY_NAME, author=author, limit=MAX_FOUND_MODELS, token=False):
                found.append({"name": str(model.id)[:200], "downloads": int(model.downloads or 0)})
    except Exception:
        raise ValueError("The Hub does not answer. Is there a network? A name can be typed all the same.") from None
    return {"models": found[:MAX_FOUND_MODELS]}


def _push(arrivals: Arrivals, question: Question, signed_in: str | None) -> dict[str, Any]:
    """Pushes ``model`` to ``repo``, with the visitor's ``token`` or, on a Space, as whoever signed in."""
    registry = arrivals.registry
    if not registry.host.push:
        raise ValueError("The host of this page has switched off pushing.")
    name, repo, private = question.get("model"), question.get("repo"), question.get("private") is True
    folder, _ = registry.where(name)  # type: ignore[arg-type]  # any other is unknown
    if not models.can_push(registry, str(name)):
        raise ValueError(
            f"{shown(str(name))}: was not trained here; only models named {models.TRAINED_HERE}* can be pushed."
        )
    if not isinstance(repo, str) or len(repo) > MAX_REPOSITORY_CHARACTERS:
        raise ValueError("Type where it shall be: owner/name, with your name on the Hub as the owner.")
    check_name(repo)
    token = signed_in if registry.host.space else _token(question.get("token"))
    if not token:
        raise ValueError("Sign in with Hugging Face first: what you push is pushed in your name.")
    try:
        pushed = push(folder, repo, private=private, token=token)
    except HubError as error:
        advice = "sign in again" if registry.host.space else "give a token of yours that may write there"
        raise ValueError(str(error).replace(LOGIN, advice)) from None
    except (ValueError, OSError) as error:
        raise ValueError(plain(error, shown(str(name)), folder)) from None
    except Exception as error:  # an error of the client's may hold the request, and with it the token
        raise ValueError(f"{repo}: could not be pushed ({type(error).__name__})") from None
    return {"url": pushed.url, "repo": pushed.repo, "new": pushed.new}


QUESTIONS: Mapping[str, Callable[[Arrivals, Question, str | None], dict[str, Any]]] = {
    "list": _list, "card": _card, "open": _open, "progress": _progress, "stop": _stop, "look": _look, "push": _push,
}  # fmt: skip
"""Every question there is, by its name."""


def _token(value: Any) -> str:
    """Raises ValueError: there is none. The host's own is never used instead."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("Paste a token of yours that may write: it is used for this one push and kept nowhere.")
    token = value.strip()
    if len(token) > MAX_TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        raise ValueError("That is no token of the Hub: it has a space, a letter of another alphabet, or is too long.")
    return token


def _signed_in(request: Request) -> str | None:
    """The token of whoever signed in on this Space, where it is still good and may push."""
    session = request.scope.get("session")
    info = session.get("oauth_info") if isinstance(session, dict) else None
    if not isinstance(info, dict) or float(info.get("expires_at") or 0) < time.time():
        return None
    scopes = str(info.get("scope", "")).split()
    token = info.get("access_token")
    return token if isinstance(token, str) and any(scope in SCOPES for scope in scopes) else None


def _answer(
    view: Callable[[Arrivals, Question, str | None], dict[str, Any]], arrivals: Arrivals, body: bytes,
    signed_in: str | None,
) -> Response:  # fmt: skip
    try:
        return JSONResponse(view(arrivals, read_object(body), signed_in), headers=NOT_KEPT)
    except (ValueError, OSError) as error:
        return sentence(400, str(error)[:500])
