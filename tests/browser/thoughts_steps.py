"""What the tests of the Prompt tab’s thoughts do and read, one thing a function."""

from tests.browser.test_prompt_tab import wait_status

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def known(page):
    """All of the text on the screen has been read."""
    page.wait_for_function("document.documentElement.dataset.glThoughts === 'known'")


def place(page, offset):
    """The middle of a character, scrolled to where nothing covers it."""
    return page.evaluate(
        """(offset) => {
            let at = 0;
            for (const verse of document.querySelectorAll('#gl-text .gl-verse')) {
                const {length} = verse.textContent;
                if (offset >= at && offset < at + length) {
                    const walker = document.createTreeWalker(verse, NodeFilter.SHOW_TEXT);
                    let node = walker.nextNode();
                    let i = offset - at;
                    while (i >= node.length) { i -= node.length; node = walker.nextNode(); }
                    const range = document.createRange();
                    range.setStart(node, i);
                    range.setEnd(node, i + 1);
                    verse.scrollIntoView({block: 'center'});
                    const box = range.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }
                at += length + 1;
            }
        }""",
        offset,
    )


def pin(page, offset):
    if page.locator(".gp-letter.gp-here").count():
        page.get_by_role("button", name="Drop the pin").click()
    page.mouse.click(*place(page, offset))
    page.mouse.move(2, 2)
    page.wait_for_selector(".gp-letter.gp-here")


def letter(text, near):
    """The first letter from there on."""
    return next(k for k in range(near, len(text)) if text[k] not in " \n")


def said(page):
    return page.locator(".gp-words").inner_text()


def alternatives(page):
    """Name and number of each row."""
    return [tuple(row.split("\n")) for row in page.locator(".gp-bars li").all_inner_texts()]


def words_of(score, k):
    """What the panel says of token k, from the library's own numbers."""
    bits, p, rank = score.bits[k - 1], score.probabilities[k - 1], int(score.ranks[k - 1])
    tail = "th" if 11 <= rank % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    choice = ORDINALS[rank - 1] if rank <= 10 else f"{rank}{tail}"
    bits_said = f"{bits:.1f} bit{'' if f'{bits:.1f}' == '1.0' else 's'}" if bits >= 0.05 else "<0.1 bits"
    return f"{bits_said} of surprise, {choice} choice, {percent(p)}"


def percent(p):
    value = 100 * p
    if value >= 99.95:
        return "100 %"
    if value >= 10:
        return f"{value:.0f} %"
    return "<0.1 %" if value < 0.05 else f"{value:.1f} %"


def branches(page):
    """The branches' names, and which is on the screen."""
    names = page.locator(".gp-branch").all_inner_texts()
    here = page.locator(".gp-branch").evaluate_all("(all) => all.findIndex((one) => one.ariaCurrent === 'true')")
    return names, here


def fork(page, row):
    """Go on with the alternative of that row."""
    page.evaluate("document.documentElement.dataset.glStatus = 'asked'")
    page.locator(".gp-bars li").nth(row).locator("button").click()
    wait_status(page, "done")


def other_row(page):
    """The first row that is not what stands there, and its character."""
    row = next(i for i, (name, _) in enumerate(alternatives(page)) if len(name) == 1 and name != pinned(page))
    return row, alternatives(page)[row][0]


def pinned(page):
    return page.locator(".gp-letter").inner_text()


def score_own(page, text):
    page.get_by_role("button", name="Score a text of your own").click()
    page.get_by_label("A text of your own").fill(text)
    page.get_by_role("button", name="Score it").click()
