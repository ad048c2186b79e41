"""What the answers of `intercom setup` make of a configuration."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.config import MqttConfig, loads
from intercom.setup.answers import Answers, apply, read
from intercom.setup.config_edit import Draft, DraftError

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNALWIRE = """# Our door.
[account]
credential = "token-file"
credential_file = "$CREDENTIALS_DIRECTORY/token"

[call]
ring = "/private/anna"  # upstairs
"""


def answered(before: str, answers: str, *, has_token: bool = False) -> Draft:
    draft = Draft(before, Path("/etc/intercom"))
    apply(read(answers), draft, has_token=has_token)
    return draft


def test_a_new_house_says_only_what_differs_from_the_defaults() -> None:
    draft = answered("", 'service = "space"\nnetwork = true\nbutton = 5\nrelay = 24\nsound = "auto"')
    assert tomllib.loads(draft.text) == {"space": {"listen": "0.0.0.0:8443"}, "panel": {"button_gpio": 5}}


def test_what_was_set_and_not_asked_stays_with_its_comments() -> None:
    draft = answered(SIGNALWIRE, "button = 5", has_token=True)
    assert SIGNALWIRE in draft.text
    assert draft.now.panel.button_gpio == 5


def test_the_same_answers_again_change_nothing() -> None:
    once = answered("", 'service = "space"\nnetwork = true\nanswer_house = true\nlight = "none"')
    again = answered(once.text, 'service = "space"\nnetwork = true\nanswer_house = true\nlight = "none"')
    assert again.changes == []
    assert again.text == once.text


def test_an_account_needs_its_token_and_whom_to_ring() -> None:
    with pytest.raises(DraftError, match="whom the button rings"):
        answered("", 'service = "signalwire"')
    with pytest.raises(DraftError, match="where the subscriber access token stands"):
        answered("", 'service = "signalwire"\nring = "/private/anna"')
    draft = answered("", 'service = "signalwire"\nring = "/private/anna"', has_token=True)
    assert draft.now.account.credential == "token-file"
    assert draft.now.account.credential_file == "$CREDENTIALS_DIRECTORY/token" or "token" in draft.text


def test_a_topic_or_a_service_is_told_once_beside_the_others() -> None:
    told = answered('[[notify]]  # the neighbour\nurl = "pover://user@token"\n', 'notify = "nobody-guesses-this"')
    assert [entry.url for entry in told.now.notify] == ["pover://user@token", "ntfy://ntfy.sh/nobody-guesses-this"]
    assert "# the neighbour" in told.text
    assert not [change for change in told.changes if "nobody-guesses" in change]
    assert answered(told.text, 'notify = "nobody-guesses-this"').changes == []
    assert answered("", 'notify = "tgram://token/chat"').now.notify[0].url == "tgram://token/chat"


def test_a_broker_is_named_and_taken_out_again_with_all_that_belongs_to_it() -> None:
    named = answered("", 'mqtt = "mqtts://broker.local"\nmqtt_user = "door"\nmqtt_may_open = true')
    assert (named.now.mqtt.user, named.now.mqtt.may_open) == ("door", True)
    assert answered(named.text, 'mqtt = "mqtts://broker.local"').changes == []
    assert answered(named.text, 'mqtt = ""').now.mqtt == MqttConfig()
    with pytest.raises(DraftError, match=r"mqtt\.url: expected a URL like"):
        answered("", 'mqtt = "broker"')


def test_the_password_for_the_broker_is_named_as_the_unit_hands_it_over() -> None:
    draft = Draft("", Path("/etc/intercom"))
    apply(read('mqtt = "mqtts://broker"\nmqtt_user = "door"'), draft, has_token=False, has_password=True)
    assert "$CREDENTIALS_DIRECTORY/mqtt-password" in draft.text


def test_what_is_wired_around_the_door_is_named_and_taken_out_again() -> None:
    named = answered("", "chime = 12\nbell_light = 13\ncontact = 16\nexit = 19\ntamper = 20\ndoor_has_key = true")
    panel, door = named.now.panel, named.now.door
    assert (panel.chime_gpio, panel.bell_light_gpio) == (12, 13)
    assert (door.contact_gpio, door.exit_gpio, door.tamper_gpio, door.forced_after_s) == (16, 19, 20, 0)
    gone = answered(named.text, "chime = -1\nbell_light = -1\ncontact = -1\nexit = -1\ntamper = -1").now
    assert {gone.panel.chime_gpio, gone.panel.bell_light_gpio} == {-1}
    assert {gone.door.contact_gpio, gone.door.exit_gpio, gone.door.tamper_gpio} == {-1}


def test_a_door_without_a_key_is_said_to_be_one_so_that_nothing_remarks_on_it(caplog: pytest.LogCaptureFixture) -> None:
    draft = answered("", "contact = 16\ndoor_has_key = false")
    assert tomllib.loads(draft.text)["door"] == {"contact_gpio": 16, "forced_after_s": 10.0}
    assert caplog.text == ""
    assert answered(draft.text, "contact = 16\ndoor_has_key = false").changes == []
    assert answered("[door]\nforced_after_s = 3\n", "door_has_key = false").now.door.forced_after_s == 3


def test_the_api_is_turned_on_for_the_house_and_off_again() -> None:
    on = answered("", "api = true")
    assert on.now.api.listen == "0.0.0.0:8490"
    assert answered(on.text, "api = false").now.api.listen == ""
    assert answered("", "api = false").changes == []
    elsewhere = '[api]\nlisten = "127.0.0.1:9000"\n'
    assert answered(elsewhere, "api = true").changes == []


def test_a_webhook_is_added_once_beside_the_others() -> None:
    url, before = "https://example.com/hook/marked", '[[webhook]]  # ours\nurl = "http://nas.local/a"\n'
    told = answered(before, f'webhook = "{url}"\nwebhook_secret = "{KEY}"')
    assert [(entry.url, entry.secret) for entry in told.now.webhook] == [("http://nas.local/a", ""), (url, KEY)]
    assert "# ours" in told.text
    assert told.changes == ["webhook: a program at example.com is told"]
    assert answered(told.text, f'webhook = "{url}"').changes == []


def test_a_webhook_that_is_there_gets_the_key_and_one_that_it_has_stays() -> None:
    url = "https://example.com/hook/marked"
    told = answered(f'[[webhook]]\nurl = "{url}"  # ours\nevents = ["pressed"]\n', f'webhook = "{url}"')
    signed = answered(told.text, f'webhook = "{url}"\nwebhook_secret = "{KEY}"')
    assert [(entry.url, entry.secret, entry.events) for entry in signed.now.webhook] == [(url, KEY, ("pressed",))]
    assert signed.changes == ["webhook: what a program at example.com is told is signed with this key"]
    assert "# ours" in signed.text
    for answers in (f'webhook = "{url}"', f'webhook = "{url}"\nwebhook_secret = "{KEY}"'):
        assert answered(signed.text, answers).changes == []


def test_whoever_rings_next_is_a_second_step_after_the_usual_one() -> None:
    draft = answered("", 'ring_next = "/private/anna"')
    assert [step.ring for step in draft.now.call.plan] == [(), ("/private/anna",)]
    assert answered(draft.text, 'ring_next = "/private/anna"').changes == []
    assert answered(draft.text, 'ring_next = "/private/ben"').now.call.plan[1].ring == ("/private/ben",)
    assert answered(draft.text, 'ring_next = ""').now.call.plan == ()
    assert answered("", 'ring_next = ""').changes == []


def test_a_plan_of_the_owner_s_own_is_left_alone() -> None:
    own = '[[call.plan]]\nring = ["/private/anna"]\nhours = ["00:00-12:00"]\n'
    assert answered(own, "button = 5").now.call.plan[0].hours == ("00:00-12:00",)
    with pytest.raises(DraftError, match="a plan of your own"):
        answered(own, 'ring_next = "/private/ben"')


def test_back_in_the_house_no_telephone_rings_next() -> None:
    before = answered(SIGNALWIRE, 'ring_next = "+15551234567"', has_token=True)
    now = answered(before.text, 'service = "space"', has_token=True).now
    assert (now.call.plan, now.account.credential) == ((), "space")


def test_back_in_the_house_the_button_rings_the_house_again() -> None:
    now = answered(SIGNALWIRE, 'service = "space"', has_token=True).now
    assert (now.account.credential, now.account.credential_file, now.call.ring) == ("space", "", "/private/house")


def test_the_house_is_let_in_and_out_beside_others() -> None:
    before = '[call]\nauto_answer = ["/private/anna"]\n'
    let_in = answered(before, "answer_house = true")
    assert let_in.now.call.auto_answer == ("/private/anna", "residents")
    assert let_in.now.door.openers == ("*", "residents")
    assert answered(let_in.text, "answer_house = false").now.door.openers == ("*",)
    assert answered(let_in.text, "answer_house = false").now.call.auto_answer == ("/private/anna",)


def test_a_house_that_was_let_in_by_the_older_word_is_let_in_by_the_newer() -> None:
    assert answered('[call]\nauto_answer = ["/private/*"]\n', "answer_house = true").now.call.auto_answer == (
        "residents",
    )


def test_who_goes_to_signalwire_leaves_the_residents_behind() -> None:
    before = '[call]\nauto_answer = ["residents", "+15551234567"]\n'
    now = answered(before, 'service = "signalwire"\nring = "/private/anna"', has_token=True).now
    assert now.call.auto_answer == ("+15551234567",)


def test_a_door_speaks_the_languages_that_were_answered() -> None:
    draft = answered("", 'speaks = ["de", "en"]')
    assert draft.now.prompts.languages == ("de", "en")
    assert answered(draft.text, 'speaks = ["de", "en"]').changes == []
    assert answered(draft.text, "speaks = []").now.prompts.languages == ()
    assert answered("", "speaks = []").changes == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ('sevice = "space"', "did you mean service"),
        ('button = "five"', "button takes a whole number, not str"),
        ("button = 99", "panel.button_gpio: expected a whole number from 0 to 27, not 99"),
        ("button = 24", "GPIO 24 is taken by"),
        ('service = "both"', "Invalid enum value"),
        ("network", "not TOML"),
        ('sound = "card\\n"', "audio.card"),
        ('speaks = ["tlh"]', "prompts.languages: expected"),
        ('ring_next = "the neighbour"', "ring_next: expected an address"),
        ('test_call = "the neighbour"', "test_call: expected true, false or an address"),
        ('notify = "what is that?"', "notify: expected an ntfy topic or a URL of apprise"),
        ("chime = 24", "GPIO 24 is taken by"),
        ('webhook = "http://example.com/in-clear"', "webhook: expected a URL like"),
        ('webhook_secret = "secret"', "webhook_secret: expected a key like"),
        (f'webhook_secret = "{KEY}"', "say whom it is for"),
        ('token_file = "/root/token"', "the embedded space needs no token"),
    ],
)
def test_a_bad_answer_is_one_sentence(answers: str, said: str) -> None:
    with pytest.raises(DraftError) as caught:
        answered("", answers)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_that_are_wrong_already_are_not_built_upon() -> None:
    with pytest.raises(DraftError, match="did you mean"):
        Draft("[call]\nrign = 1\n", Path("/"))


_values = st.one_of(
    st.none(), st.integers(-3, 40), st.booleans(), st.text(max_size=12), st.sampled_from(["space", "rgb"])
)


@given(st.dictionaries(st.sampled_from(Answers.__struct_fields__), _values.filter(lambda value: value is not None)))
def test_whatever_is_answered_the_result_is_a_configuration_or_a_sentence(answers: dict[str, object]) -> None:
    import tomlkit

    try:
        draft = answered("", tomlkit.dumps(answers), has_token=True)
    except DraftError as error:
        assert str(error)
    else:
        loads(draft.text, Path("/etc/intercom"))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_answers(text: str) -> None:
    try:
        read(text)
    except DraftError as error:
        assert str(error)
