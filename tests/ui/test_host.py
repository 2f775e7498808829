"""What a host may switch off and bound, and who a visitor is."""

from __future__ import annotations

import httpx
import pytest

from tests.hub.conftest import hub as hub
from tests.ui.models_steps import OTHER, on_the_hub
from tests.ui.models_steps import folder as folder
from tests.ui.models_steps import home as home
from ui.host import Host, HostError
from ui.registry import Registry
from ui.visitors import visitor


def test_what_the_host_says_is_read_from_the_environment():
    assert Host.read({}) == Host()
    space = Host.read({"SPACE_ID": "ada/page"})
    assert (space.load, space.push, space.sign_in, space.requests_a_minute) == (False, False, False, 600)
    assert Host.read({"SPACE_ID": "ada/page", "GPT_OWNERS": "ada, bob"}).load
    signed = Host.read({"SPACE_ID": "ada/page", "OAUTH_CLIENT_ID": "x", "GPT_PUSH": "on"})
    assert (signed.push, signed.sign_in) == (True, True)
    assert not Host.read({"OAUTH_CLIENT_ID": "x"}).sign_in
    assert Host.read({"GPT_LOAD": "OFF", "GPT_QUEUE": "5"}).sentences == [
        "The host of this page has switched off loading from the Hub.", "At most 5 requests wait in the queue."
    ]  # fmt: skip
    owners = Host(owners=("Ada",))
    assert owners.allows("ada/x")
    assert not owners.allows("adam/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [("GPT_LOAD", "maybe"), ("GPT_OWNERS", "a/b"), ("GPT_OWNERS", "../x"), ("GPT_REQUESTS_A_MINUTE", "-1"),
     ("GPT_REQUESTS_A_MINUTE", "many"), ("GPT_QUEUE", "0"), ("GPT_QUEUE", "1e9")],
)  # fmt: skip
def test_a_variable_that_means_nothing_is_named(name, value):
    with pytest.raises(HostError, match=f"^{name}: "):
        Host.read({name: value})


def test_loading_and_pushing_can_be_switched_off(home, hub, folder, serve):
    home.setenv("GPT_LOAD", "off")
    home.setenv("GPT_PUSH", "off")
    with serve(folder) as url:
        for name, question in (("open", {"repo": "me/x"}), ("look", {}), ("push", {"model": "my-own", "token": OTHER})):
            answer = httpx.post(f"{url}letter/models/{name}", json=question)
            assert (answer.status_code, "switched off" in answer.text) == (400, True)
    assert hub.requests == []


def test_models_of_others_than_the_hosts_owners_are_refused(home, hub, folder, serve, tmp_path):
    on_the_hub(tmp_path)
    hub.requests.clear()
    home.setenv("GPT_OWNERS", "ada,bob")
    with serve(folder) as url:
        answer = httpx.post(f"{url}letter/models/open", json={"repo": "me/small"})
        assert (answer.status_code, answer.text) == (400, "me/small: this page loads models of ada, bob only.")
    assert hub.requests == []


def test_a_visitor_who_asks_too_often_waits_and_another_does_not(home, folder, serve):
    home.setenv("GPT_REQUESTS_A_MINUTE", "5")
    with serve(folder) as url:

        def card(visitor):
            headers = {"X-Forwarded-For": visitor}
            return httpx.post(f"{url}letter/models/card", json={"model": "shakespeare"}, headers=headers)

        assert [card("1.2.3.4").status_code for _ in range(7)] == [200] * 5 + [429] * 2
        assert "5 requests in a minute" in card("1.2.3.4").text
        assert card("5.6.7.8").status_code == 200
        joined = httpx.post(f"{url}gradio_api/queue/join", json={}, headers={"X-Forwarded-For": "1.2.3.4"})
        assert (joined.status_code, "5 requests" in joined.json()["detail"]) == (429, True)
        assert httpx.get(url, headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 200


@pytest.mark.parametrize(
    ("forwarded", "who"),
    [
        ("", "127.0.0.1"),
        ("1.2.3.4", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4", "1.2.3.4"),  # whoever asks wrote the first
        ("1.2.3.4, 10.0.0.7, 192.168.1.1", "1.2.3.4"),  # proxies of one's own
        ("<script>, 1.2.3.4", "1.2.3.4"),
        ("2a00:1450:4001:82a::200e", "2a00:1450:4001:82a::/64"),
        ("2a00:1450:4001:82a:1:2:3:4", "2a00:1450:4001:82a::/64"),
        ("nonsense, 10.0.0.1", "127.0.0.1"),
        ("x" * 100_000, "127.0.0.1"),
    ],
)
def test_a_visitor_is_the_last_address_that_a_proxy_wrote_down(forwarded, who):
    assert visitor(forwarded, "127.0.0.1") == who


def test_who_pretends_to_be_another_each_time_is_counted_as_one(home, folder, serve):
    home.setenv("GPT_REQUESTS_A_MINUTE", "3")
    with serve(folder) as url:
        found = [
            httpx.post(
                f"{url}letter/models/card",
                json={"model": "shakespeare"},
                headers={"X-Forwarded-For": f"8.8.{n}.8, 1.2.3.4"},
            ).status_code
            for n in range(5)
        ]
        assert found == [200] * 3 + [429] * 2
        downloads = httpx.get(f"{url}letter/models/download?model=shakespeare", headers={"X-Forwarded-For": "1.2.3.4"})
        assert downloads.status_code == 429


def test_the_queue_is_as_long_as_the_host_says(home, folder):
    from ui import page

    home.setenv("GPT_QUEUE", "7")
    built = page.build(Registry(folder))
    assert built._queue.max_size == 7
