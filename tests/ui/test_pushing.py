"""Models that visitors push to the Hub, each with a token of their own."""

from __future__ import annotations

import logging
import secrets
import string
import time

import httpx
import pytest
from starlette.applications import Starlette

from tests.hub.conftest import READER
from tests.hub.conftest import hub as hub
from tests.ui.models_steps import OTHER, asker, running
from tests.ui.models_steps import ask as ask
from tests.ui.models_steps import ask_page as ask_page
from tests.ui.models_steps import folder as folder
from tests.ui.models_steps import home as home
from ui import models_route
from ui.host import Host
from ui.registry import Registry


def test_what_was_trained_here_is_pushed_with_the_visitors_token(ask, hub, folder):
    answer = ask("push", model="my-own", repo="other/mine", token=OTHER, private=True)
    commit = hub.repositories["other/mine"].find("main")
    assert answer.json()["url"].endswith(f"/other/mine/tree/{commit.id}")
    assert hub.repositories["other/mine"].private
    assert commit.files["model.safetensors"].data == (folder / "my-own" / "model.safetensors").read_bytes()
    assert not ask("push", model="my-own", repo="other/mine", token=OTHER).json()["new"]


@pytest.mark.parametrize("token", ["", "  ", None, 3, "two words", "x" * 201, "é", "a\nb"])
def test_without_a_token_nothing_is_pushed_though_the_host_has_one(ask, hub, token):
    answer = ask("push", model="my-own", repo="me/mine", token=token)
    assert answer.status_code == 400
    assert hub.requests == []


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"model": "shakespeare", "repo": "other/x"}, "was not trained here"),
        ({"model": "../my-own", "repo": "other/x"}, "There is no model"),
        ({"model": "my-own", "repo": "../x"}, "is no repository"),
        ({"model": "my-own", "repo": "x" * 3000}, "owner/name"),
        ({"model": "my-own", "repo": None}, "owner/name"),
        ({"model": ["my-own"], "repo": "other/x"}, "There is no model"),
        ({"model": "my-own", "repo": "me/x"}, "may not write there"),
    ],
)
def test_what_cannot_be_pushed_is_one_sentence(ask, hub, question, says):
    answer = ask("push", token=OTHER, **question)
    assert answer.status_code == 400
    assert says in answer.text
    assert "HF_TOKEN" not in answer.text
    assert hub.repositories == {}


def test_a_token_is_in_no_log_line_no_answer_and_no_file(ask_page, hub, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    secret = "hf_" + "".join(secrets.choice(string.ascii_letters) for _ in range(30))
    hub.users[secret] = ("ada", "write")
    answers = [
        ask_page("push", model="my-own", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="me/not-mine", token=secret),
        ask_page("push", model="shakespeare", repo="ada/mine", token=secret),
        ask_page("push", model="my-own", repo="ada/mine", token=secret + "x"),  # one that is not valid
        ask_page("push", model="my-own", repo=secret, token=secret),  # in the wrong field too
        ask_page("list"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400, 400, 200]
    config = httpx.get(f"{ask_page.url}/config").text
    out, err = capfd.readouterr()
    told = [answer.text + str(answer.headers) for n, answer in enumerate(answers) if n != 5]
    for text in (*told, config, out, err, caplog.text):
        assert secret not in text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_token_that_may_only_read_is_told_so(ask):
    answer = ask("push", model="my-own", repo="me/mine", token=READER)
    assert "give a token of yours that may write there" in answer.text


def test_another_site_can_make_no_browser_push_or_load(ask, hub):
    for name in ("push", "open", "stop"):
        answer = ask(name, headers={"Sec-Fetch-Site": "cross-site"}, model="my-own", repo="other/x", token=OTHER)
        assert (answer.status_code, answer.text) == (403, "This question came from another site.")
    assert hub.requests == []


class Session:
    """What the server's session middleware is for a visitor: a dictionary of their own."""

    def __init__(self, app, held):
        self.app, self.held = app, held

    async def __call__(self, scope, receive, send):
        scope["session"] = self.held
        await self.app(scope, receive, send)


def test_on_a_space_it_is_pushed_as_whoever_signed_in_and_never_otherwise(hub, folder):
    held = {}
    registry = Registry(folder, host=Host(space="ada/page", sign_in=True))
    with running(Session(Starlette(routes=[models_route.route(registry)]), held)) as url:
        ask = asker(url)

        def push_it():
            return ask("push", model="my-own", repo="other/mine", token=OTHER)

        assert push_it().text.startswith("Sign in with Hugging Face first")  # the token of the question is nothing
        for left, scope in ((-1, "openid contribute-repos"), (600, "openid profile")):
            held["oauth_info"] = {"access_token": OTHER, "scope": scope, "expires_at": time.time() + left}
            assert push_it().status_code == 400
            assert not ask("list").json()["signed_in"]
        assert hub.repositories == {}
        held["oauth_info"] = {"access_token": OTHER, "scope": "openid contribute-repos", "expires_at": time.time() + 9}
        assert ask("list").json()["signed_in"]
        assert push_it().json()["new"]
        assert list(hub.repositories) == ["other/mine"]
        assert OTHER not in ask("list").text
