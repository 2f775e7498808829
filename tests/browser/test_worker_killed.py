"""The worker in which a model thinks is killed, as a system does that is short of memory: the page goes on."""

from tests.browser.steps import until, wait_traced, written
from tests.browser.test_offline_page import expected
from tests.browser.test_prompt_tab import set_slider, status, type_line, wait_status, whole
from tests.browser.test_think_here import SEED, asked, keep_seed, the_switch, turn_on, write

SAID = "The model has stopped in this browser, perhaps for want of memory. The server answers again."


def kill(page):
    """It says nothing more, and nobody is told."""
    (worker,) = page.workers
    with worker.expect_event("close"):
        worker.evaluate("() => { setTimeout(() => self.close()); }")


def killed_while_it_writes(page, line, length):
    """The same once three pieces of the text have been sent: it writes too fast for a blow from outside."""
    (worker,) = page.workers
    worker.evaluate("""() => {
        const say = self.postMessage.bind(self);
        let parts = 0;
        self.postMessage = (message, transfer) => {
            say(message, transfer);
            if (message.part && ++parts === 3) self.close();
        };
    }""")
    set_slider(page, "length", length)
    with worker.expect_event("close"):
        type_line(page, line)


def test_what_it_was_asked_is_answered_by_the_server(open_page, page_url, checkpoints):
    page = open_page(page_url)
    keep_seed(page)
    turn_on(page)
    assert write(page, "ROMEO:")
    kill(page)
    requests = asked(page)
    assert write(page, "JULIET:") == "JULIET:" + written(checkpoints, "JULIET:", 300, seed=SEED)
    assert [url for url in requests if "/queue/join" in url]
    assert not the_switch(page).is_checked()
    assert page.locator("#gl-head .gl-error").inner_text() == SAID
    page.get_by_role("tab", name="Attention").click()
    wait_traced(page)
    turn_on(page)
    assert not page.locator("#gl-head .gl-error").is_visible()


def test_a_text_that_is_being_written_goes_on_from_where_it_was(open_page, page_url, checkpoints):
    page = open_page(page_url)
    keep_seed(page)
    turn_on(page)
    killed_while_it_writes(page, "JULIET:", 600)
    assert status(page) == "writing"
    page.locator("#gl-head .gl-error").filter(has_text=SAID).wait_for()
    wait_status(page, "done")
    text = whole(page).removeprefix("JULIET:")
    assert len(text) > 600
    assert text == written(checkpoints, "JULIET:", len(text), seed=SEED)


def test_a_mistake_in_it_that_no_question_made_is_heard_of(open_page, page_url, checkpoints):
    page = open_page(page_url, allow="a mistake")
    keep_seed(page)
    turn_on(page)
    page.workers[0].evaluate("() => { void Promise.reject(new Error('a mistake')); }")
    assert write(page, "JULIET:") == "JULIET:" + written(checkpoints, "JULIET:", 300, seed=SEED)
    assert page.locator("#gl-head .gl-error").inner_text() == SAID
    assert page.workers == []


def test_one_that_never_says_that_it_is_there_is_given_up(open_page, page_url, checkpoints):
    page = open_page(page_url)
    keep_seed(page)
    page.route("**/gpt/worker.js", lambda route: None)  # its script never arrives
    page.clock.install()
    with page.expect_request("**/gpt/worker.js"):
        the_switch(page).check()
    page.clock.fast_forward(30_000)
    page.locator("#gl-head .gl-error").filter(has_text=SAID).wait_for()
    assert not the_switch(page).is_checked()
    assert write(page, "JULIET:") == "JULIET:" + written(checkpoints, "JULIET:", 300, seed=SEED)


def test_with_no_server_another_one_goes_on_once_and_then_a_sentence_says_to_reload(alone, files):
    page = alone(files("gpt2-tiny"))
    page.get_by_label("Seed", exact=True).first.fill("5")
    page.keyboard.press("Tab")
    killed_while_it_writes(page, "JULIET:", 2000)
    until(page, "document.documentElement.dataset.glStatus === 'done'")
    assert whole(page) == "JULIET:" + expected("gpt2-tiny", "JULIET:", 2000, 5)
    kill(page)
    type_line(page, "ROMEO:")
    until(page, "document.documentElement.dataset.glStatus === 'error'")
    said = page.locator("#gl-text .gl-error").inner_text()
    assert said == "The model has stopped in this browser: perhaps memory ran out. Reload the page."
