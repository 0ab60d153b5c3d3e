"""Variants of episodes: what changes, and that an episode still agrees with itself."""

from __future__ import annotations

import random

from mllm.content import Text, ToolCall, ToolResult
from mllm.episode import Episode, Step
from mllm.training.labels import Labels
from mllm.training.variants import Variants

ADDRESS = "http://127.0.0.1:4000/form.html"
OTHERS = [Episode(task=f"Press the button Word{chr(97 + i)}x") for i in range(26)]


def episode(wish: str, written: str, shown: str) -> Episode:
    call = ToolCall(
        id="c1", name="browser", arguments={"action": {"name": "type", "text": written}}
    )
    result = ToolResult(call_id="c1", name="browser", content=(Text(text=shown),))
    return Episode(
        task=f"{wish}\n{ADDRESS}",
        note="Steps left: 12.",
        plan="",
        steps=(Step(calls=(call,), results=(result,), note="Steps left: 11."),),
        answer="Done.",
    )


def variants(told: Episode) -> list[Episode]:
    made = Variants([*OTHERS, told])
    return [made.of(told, random.Random(i)) for i in range(30)]


def test_a_word_of_the_wish_is_renamed_everywhere_at_once() -> None:
    told = episode("Press the button Quokka", "Quokka", f'page "A" {ADDRESS}\nbutton "Quokka" e3')
    names = set()
    for other in variants(told):
        assert other.task.startswith("Press the button ")
        name = other.task.partition("\n")[0].removeprefix("Press the button ")
        names.add(name)
        assert other.steps[0].calls[0].arguments["action"]["text"] == name
        assert f'button "{name}" e' in other.steps[0].results[0].words()
    assert "Quokka" in names and len(names) > 5


def test_a_label_that_is_used_though_nobody_wished_it_keeps_its_name() -> None:
    told = episode("Order a tea", "Next", 'button "Next" e3\nbutton "Help" e4')
    texts = [other.steps[0].results[0].words() for other in variants(told)]
    assert all('button "Next" e' in text for text in texts)
    assert any('"Help"' in text for text in texts) and any('"Help"' not in text for text in texts)


def test_what_is_to_be_done_keeps_its_words() -> None:
    wish = 'Pick the greatest card, type "quokka" into both fields'
    shown = f'text "{wish}" e1\nbutton "74" e2\ntext "The greatest of games" e3'.replace(
        '"quokka"', '\\"quokka\\"'
    )
    told = episode(wish, "quokka", shown)
    wishes = {other.task.partition("\n")[0] for other in variants(told)}
    assert len(wishes) > 5
    for said in wishes:
        assert said.startswith("Pick the greatest card, type ") and said.endswith(" both fields")


def test_numbers_that_a_label_happens_to_say_stay_numbers() -> None:
    told = episode("A table for two people", "2", 'link "two" e3\ntextbox "Guests" e4')
    assert all(other.task.startswith("A table for two people") for other in variants(told))


def relabelled(told: Episode) -> list[Episode]:
    labels = Labels([*OTHERS, told])
    return [labels.renamed(told, random.Random(i)) for i in range(30)]


def test_a_verb_of_the_wish_is_no_label() -> None:
    told = episode("tick it and submit", "Submit", 'button "Submit" e3\nbutton "Help" e4')
    for other in relabelled(told):
        assert other.task.startswith("tick it and submit\n")
        assert 'button "Submit"' in other.steps[0].results[0].words()


def test_options_are_labels_too() -> None:
    told = episode("Choose Green Tea", "Green Tea", 'combobox "Kind" = "" of "Milk|Green Tea" e3')
    names = set()
    for other in relabelled(told):
        name = other.task.partition("\n")[0].removeprefix("Choose ")
        names.add(name)
        assert f'|{name}" e' in other.steps[0].results[0].words()
        assert other.steps[0].calls[0].arguments["action"]["text"] == name
    assert len(names) > 3


def test_codes_keep_their_shape_and_numbers_are_left_alone() -> None:
    told = episode("Send bK9 77", "bK9", 'text "bK9" e3\ntext "77" e4')
    codes = {other.task.split()[1] for other in variants(told)}
    assert len(codes) > 5
    for code in codes:
        assert code[0].islower() and code[1].isupper() and code[2].isdigit()
    assert all(" 77\n" in other.task for other in variants(told))


def test_a_word_that_was_only_begun_keeps_its_name() -> None:
    told = episode("Press the button Quokka", "Quo", 'option "Quokka" e3')
    assert all("Quokka" in other.task for other in variants(told))


def test_words_of_the_browser_keep_their_names() -> None:
    told = episode("Move the slider Quokka", "Quokka", 'slider "Quokka slider" = "1" e3')
    texts = [other.steps[0].results[0].words() for other in variants(told)]
    assert all(text.startswith('slider "') for text in texts) and len(set(texts)) > 5
    named = episode("Now type Quokka", "Quokka", 'textbox "Quokka" e3')
    for other in variants(named):
        assert other.steps[0].calls[0].arguments["action"]["name"] == "type"


def test_references_and_addresses_change_together() -> None:
    told = episode("Press", "x", f'page "A" {ADDRESS}\nbutton "B" e3\ngone e4')
    seen = {other.steps[0].results[0].words() for other in variants(told)}
    assert len(seen) > 10
    for text in seen:
        first = int(text.splitlines()[1].rpartition(" e")[2])
        assert f"gone e{first + 1}" in text and ADDRESS not in text


def test_an_ordinal_is_no_name() -> None:
    told = episode("Tick the 2nd checkbox", "2nd checkbox", 'checkbox "" near "2nd checkbox" e3')
    assert all(other.task.startswith("Tick the 2nd checkbox") for other in variants(told))


def test_a_word_that_is_typed_in_other_letters_is_renamed_with_it() -> None:
    told = episode('Type "QUOKKA" in lower case', "quokka", 'textbox "" = "quokka" e3')
    names = set()
    for other in variants(told):
        name = other.task.split('"')[1]
        names.add(name)
        assert name.isupper()
        assert other.steps[0].calls[0].arguments["action"]["text"] == name.lower()
        assert f'textbox "" = "{name.lower()}" e' in other.steps[0].results[0].words()
    assert len(names) > 5


def test_the_edges_of_a_box_keep_their_names() -> None:
    told = episode("Make it wider", "Go", 'handle "right edge" e3\nbutton "Help" e4')
    texts = [other.steps[0].results[0].words() for other in variants(told)]
    assert all('handle "right edge"' in text for text in texts)
