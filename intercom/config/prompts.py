"""The configuration of what the door says to the visitor, and of the replies that the house has ready."""

from intercom.config.fields import NAME, Shape, setting
from intercom.config.table import Table
from intercom.languages import LANGUAGES

PROMPTS = ("rings", "goes_on", "nobody_answers", "leave_a_message", "please_wait", "door_is_open")
"""Prompts: what the door says by itself, by name."""
REPLIES_LIMIT = 8
"""Limit of quick replies: more buttons than a page shows at a glance."""
SENTENCE_CHARS = 200
"""Length limit of a sentence: it takes a quarter of a minute, and nobody stands in the rain for more."""

SENTENCE = Shape(
    f"a sentence of at most {SENTENCE_CHARS} characters",
    lambda text: len(text) <= SENTENCE_CHARS and any(letter.isalnum() for letter in text),
)


class PromptsConfig(Table):
    """What the door says to the visitor, beside its tones and lights: docs/prompts.md."""

    languages: tuple[str, ...] = setting(
        (),
        "Languages in which the door tells the visitor that the house rings, that it goes on to the next, that nobody "
        "answers, to wait, and that the door is open; one after the other. The first is that of the quick replies too. "
        "Empty: the door has its tones alone, and no quick replies.",
        choices=LANGUAGES,
    )
    auto_reply_s: float = setting(
        0.0,
        "Seconds of ringing after which the door speaks `auto_reply` by itself, once for each press; it rings on. 0: "
        "never.",
        low=0,
        high=600,
    )
    auto_reply: str = setting(
        "wait",
        "What it says then: a sentence, or the name of a reply.",
        shape=SENTENCE,
    )


class ReplyConfig(Table):
    """A quick reply: a sentence that the house has the door speak with one tap. Without an entry there are four."""

    name: str = setting("", "What `intercom say` calls it. Needed.", shape=NAME, needed=True)
    text: str = setting("", "The sentence. Needed.", shape=SENTENCE, needed=True)
    language: str = setting("", "Its language. Empty: the first of `prompts.languages`.", choices=("", *LANGUAGES))
