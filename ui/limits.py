"""Every limit of the page, by name. A message that a limit was hit says the number."""

MAX_TEXT_CHARACTERS = 20_000
"""A prompt, or a text that is continued: what comes before the last so many is left out."""

MAX_NEW_TOKENS = 2_000
"""One press of Write."""

MAX_EXAMPLE_PRODUCTS = 6_000_000_000
"""Products of weights in the example that a page opens with: a large model's is shorter."""

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

MAX_QUESTION_BYTES = 400_000
"""One question of the views: the text, or its tokens, and what is asked of it."""

MAX_ASKED_AT_ONCE = 2
"""Traces and the like computed at the same time; others wait."""

MAX_ASKED_BY_ONE = 8
"""Questions of one visitor that are waiting or being answered."""

MAX_ASKING = 64
"""The same of all visitors; one more is refused."""

MAX_PLAY_TOKENS = 32
"""What one question lets the text go on by, with the rows of each token."""

MAX_REWRITTEN_TOKENS = 200
"""A continuation written twice, with heads silenced and without."""

MAX_FETCHING = 1
"""Visitors for whom the training text is being fetched; it keeps no other question waiting."""

MAX_TRACE_NUMBERS = 20_000_000
"""Weights in a trace that a program asks for: 144 heads over 370 characters, or 24 over 900."""

MAX_EFFECTS = 200_000_000_000
"""Products of weights in silencing every head of a model in turn: about five seconds on two cores."""

MAX_ROLLED_TOKENS = 32
"""What one question of the Sampling tab rolls ahead, with the logits of each."""

MAX_ROLLED_NUMBERS = 400_000
"""Logits in one such answer: of a large vocabulary fewer tokens are rolled."""

MAX_WRITTEN_TOKENS = 64
"""What one question lets a text go on by, without logits."""

MAX_SCORED_TOKENS = 2_048
"""Tokens that one question scores; the page asks for a longer text piece by piece."""

MAX_JUDGED_PRODUCTS = 120_000_000_000
"""The same in judging the quality of a whole text, in one answer: of a large model the beginning is judged."""

MAX_SCORED_PRODUCTS = 60_000_000_000
"""Products of weights in one such answer, about three seconds on two cores: of a large model fewer are scored."""

MAX_LANES = 4
"""Settings side by side on the Sampling tab."""

MAX_LANE_TOKENS = 960
"""Tokens that each of them writes when a link is opened."""

MAX_MODELS_ARRIVED = 8
"""Models from the Hub that visitors have put on the list; of more, the one not used for longest leaves it."""

MAX_ARRIVING = 2
"""Models that are fetched from the Hub at the same time, for all visitors; one more is refused."""

MAX_ARRIVED_BYTES = 700_000_000
"""One model that a visitor loads: GPT-2 of 124M parameters passes."""

MAX_ARRIVED_PARAMETERS = 130_000_000
"""The same in parameters: the memory of the page is everybody's."""

MAX_FETCHED_BYTES = 6_000_000_000
"""What visitors may make this page fetch before it is started again: its disk is not endless."""

MAX_REPOSITORY_CHARACTERS = 240
"""``owner/name@revision``."""

MAX_MODELS_QUESTION_BYTES = 4_000
"""One question of the Models tab."""

MAX_TOKEN_CHARACTERS = 200
"""A token for the Hub."""

MAX_CARD_CHARACTERS = 60_000
"""Of a model's card so much is shown."""

MAX_SAMPLE_LINES = 6
"""Of the sample that a model wrote so much is shown."""

MAX_FOUND_MODELS = 20
"""Models found on the Hub that are listed."""

MAX_PUSHING = 1
"""Models pushed at the same time; others wait."""

MAX_DOWNLOADING = 4
"""Models that visitors download at the same time; one more is refused."""

MAX_DOWNLOAD_SECONDS = 1_800
"""One such download: whoever takes it slower than that is no longer waited for."""

MAX_TAKING = 400
"""Visitors who take a model into their browsers at the same time; one more is refused."""

MAX_TAKEN_BYTES_KEPT = 64_000_000
"""Files of models for browsers that are kept in memory; the one not used for longest goes first."""

LONG_QUEUE = 4
"""Requests that wait; from so many on a visitor is offered to let the model think in the own browser."""

MAX_ASKING_HUB = 1
"""Visitors for whom the Hub is searched at the same time; others wait."""

MIN_OWN_CHARACTERS = 1_000
"""A text that a visitor trains a model on: of a shorter one there is nothing to hold out and measure on."""

MAX_OWN_CHARACTERS = 2_000_000
"""The same."""

MAX_OWN_BYTES = 8_000_000
"""The same as it is sent. A larger file is refused before it is read."""

MAX_OWN_ALPHABET = 4_000
"""Different characters in it: those of Chinese prose pass."""

MAX_OWN_UPLOADS = 4
"""Such texts that are on their way at the same time, of all visitors."""

MAX_OWN_MINUTES = 5
"""How long a visitor's model trains, at most; a minute at least."""

MAX_OWN_TITLE = 40
"""Characters of its name."""

MAX_BASE_PARAMETERS = 12_000_000
"""A model that is trained on by a visitor's text."""

MAX_TRAININGS = 8
"""Visitors' trainings that run or wait: one at a time runs."""

MAX_TRAININGS_OF_ONE = 3
"""The same of one visitor."""

MAX_TRAININGS_KEPT = 40
"""Trainings that have ended and are kept; the oldest goes first."""

MAX_TRAININGS_BYTES = 1_000_000_000
"""The same, all together."""

MAX_TRAININGS_DAYS = 7
"""The same, since they were begun."""

MAX_EVENTS_BYTES = 400_000
"""Of what has happened in a training so much is told at once; the page asks on for the rest."""

SPACE_REQUESTS_A_MINUTE = 600
"""Of one visitor, on a Space whose host says nothing else."""

MAX_VISITORS_COUNTED = 10_000
"""Visitors whose requests of the last minute are remembered."""

MAX_LENT_SECONDS = 60
"""One press of Write on a GPU that ZeroGPU lends: what is asked of the visitor's quota."""

MIN_LENT_PARAMETERS = 100_000_000
"""Only models above this size are written with on such a GPU; smaller ones are quick enough without."""

MAX_STORY_SAMPLES = 60
"""Of a model that kept no story, so many of its evaluations are told with what it wrote."""

MAX_STORY_TEXT = 2_000
"""Characters of one such text."""

MAX_OFFLINE_BYTES = 9_000_000
"""The page as one file (offline.py): a letter's attachment, and no more than a moment to open."""

MAX_TALK_BYTES = 4_000_000
"""A talk's file, as assets/talk/talk.js has it."""
