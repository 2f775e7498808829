"""Every limit of the page, by name. A message that a limit was hit says the number."""

MAX_TEXT_CHARACTERS = 20_000
"""A prompt, or a text that is continued: what comes before the last so many is left out."""

MAX_NEW_TOKENS = 2_000
"""One press of Write."""

MAX_SECONDS = 120.0
"""One press of Write, whatever its length."""

MAX_LINK_CHARACTERS = 8_000
"""A link in the address bar: longer ones are cut by proxies and chat programs, so a longer text stays out of it."""

MAX_WRITERS = 8
"""Texts written at the same time, by all visitors; others wait in the queue."""

MAX_QUEUE = 64
"""Requests waiting; one more is refused."""

MAX_UPLOAD = "1kb"
"""A file sent to gradio's own upload route: the page asks for none."""

MAX_MODELS_LOADED = 3
"""Models kept in memory; the one not used for longest goes first."""
