"""Components that the tabs share, by themselves in the real page."""

import pytest

MOUNT = """async () => {
    const root = performance.getEntriesByType('resource').find(({name}) => name.endsWith('/dom.js')).name;
    const load = (path) => import(new URL(path, root));
    window.shared = {...await load('common/bars.js'), ...await load('common/strip.js')};
    const place = document.createElement('div');
    place.className = 'gl-part';
    place.id = 'shared';
    place.style.width = '300px';
    document.body.prepend(place);
}"""


@pytest.fixture
def shared(open_page, page_url):
    """The page, with the shared components at hand and an empty place for them."""
    page = open_page(page_url)
    page.evaluate(MOUNT)
    return page


def test_rows_of_bars_are_buttons_where_something_is_to_be_picked(shared):
    shared.evaluate("""() => {
        const list = document.createElement('ul');
        list.className = 'gl-bars';
        document.querySelector('#shared').append(list);
        window.picked = [];
        const m = {text: 'm', p: null, least: 0.02};
        const bars = [{text: '\\n', p: 0.5}, m, {text: 'others', others: true, p: 0.48}];
        window.draw = (options) => window.shared.drawBars(list, bars, options);
        window.draw({onPick: (i) => window.picked.push(i)});
    }""")
    rows = shared.locator("#shared button")
    assert rows.count() == 2
    assert [rows.nth(i).get_attribute("aria-label") for i in (0, 1)] == ["line break, 50 %", "m, <2.0 %"]
    rows.nth(1).click()
    rows.nth(0).focus()
    shared.keyboard.press("Enter")
    shared.evaluate("window.draw({onPick: (i) => window.picked.push(10 + i)})")
    assert shared.evaluate("document.activeElement.className") == "gl-bar-row", "its rows are kept, and the focus"
    shared.keyboard.press("Enter")
    assert shared.evaluate("window.picked") == [1, 0, 10]
    shared.evaluate("window.draw()")
    assert rows.count() == 0
    assert shared.locator("#shared .gl-bar").all_inner_texts()[2].split("\n")[0] == "others"


def test_a_strip_keeps_what_a_text_begins_with_alike_and_shows_what_cannot_be_seen(shared):
    shared.evaluate("""() => {
        window.strip = window.shared.createStrip({label: 'A text'});
        document.querySelector('#shared').append(window.strip.element);
        window.strip.lay([...'ROMEO:\\nAy me']);
        window.kept = window.strip.boxes[3][0];
    }""")
    strip = shared.locator("#shared .gl-strip")
    assert strip.locator(".gl-strip-line").count() == 2
    assert strip.locator(".gl-strip-line").first.get_attribute("class") == "gl-strip-line gl-strip-speaker"
    assert strip.locator(".gl-break").inner_text() == "¶"
    shared.evaluate("window.strip.lay([...'ROMEO, <b>and</b>\\n\\nhe'])")
    assert shared.evaluate("window.strip.boxes[3][0] === window.kept")
    assert strip.locator(".gl-strip-line").all_text_contents() == ["ROMEO, <b>and</b>¶", "¶", "he"]
    assert strip.locator(".gl-strip-speaker, b").count() == 0
    size = "parseFloat(window.strip.element.style.fontSize)"
    assert shared.evaluate(size) == 18
    narrow = """(share) => {
        document.querySelector('#shared').style.width = `${18 + share * window.wide}px`;
        window.strip.fit();
    }"""
    shared.evaluate("window.strip.lay([...'to be or not to be'])")
    shared.evaluate("window.wide = window.strip.right")
    shared.evaluate(narrow, 0.9)
    assert 15 < shared.evaluate(size) < 18
    assert shared.evaluate("window.strip.right <= 18 + 0.9 * window.wide")
    shared.evaluate(narrow, 0.5)
    assert shared.evaluate(size) == 15
    assert shared.evaluate("window.strip.places.at(-1).y > 0"), "turned over at a word"
