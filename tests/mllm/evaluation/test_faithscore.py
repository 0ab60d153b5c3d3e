import json
from pathlib import Path

import pytest

from mllm.evaluation.faithscore import (
    Answer,
    Fact,
    Sentence,
    examine,
    fact_score,
    parse_facts,
    parse_sentences,
    read_annotations,
    score_answers,
    sentence_score,
    write_annotations,
)

FIXTURE = json.loads(
    (Path(__file__).parent / "fixtures" / "faithscore.json").read_text(encoding="utf-8")
)


def peer_answers():
    """The fixture's input as the peer sees it, its damaged sub-sentences and all."""
    answers = []
    for row in FIXTURE["answers"]:
        sentences = tuple(s for t in row["labelled"] for s in parse_sentences(t, "peer"))
        facts = tuple(Fact(text, ok, kind) for text, kind, ok, _ in row["facts"])
        answers.append(Answer(row["id"], "", sentences, facts))
    return answers


def answer(*facts, sentences=(True, True, False), id="a"):
    return Answer(id, "t", tuple(Sentence(f"s{i}", d) for i, d in enumerate(sentences)), facts)


def test_the_peer_variant_gives_the_peers_numbers():
    peer, answers = FIXTURE["peer"], peer_answers()
    assert [[s.text for s in a.sentences] for a in answers] == peer["sub_sentences"]
    assert [fact_score(a, "peer") for a in answers] == pytest.approx(peer["per_answer"])
    assert [sentence_score(a, "peer") for a in answers] == pytest.approx(
        peer["per_answer_sentence"]
    )
    scores = score_answers(answers, "peer")
    assert scores.fact == pytest.approx(peer["fact"])
    assert scores.sentence == pytest.approx(peer["sentence"])


def test_an_answer_without_facts_is_left_out_but_is_zero_for_the_peer():
    answers = [answer(Fact("f", True, "entity", 0)), answer(id="b", sentences=(False,))]
    assert score_answers(answers).fact == 1
    assert score_answers(answers).fact_answers == 1
    assert score_answers(answers, "peer").fact == 0.5
    assert score_answers([]).fact is None


def test_weights_count_in_the_fact_score():
    facts = (Fact("f", True, weight=3), Fact("g", False, weight=1), Fact("h", False, weight=0))
    assert fact_score(answer(*facts)) == 0.75
    assert fact_score(answer(*facts), "peer") == pytest.approx(1 / 3)
    assert fact_score(answer(Fact("f", True, weight=0))) is None
    with pytest.raises(ValueError, match="weight"):
        Fact("f", True, weight=-1)


def test_a_sentence_is_faithful_without_a_false_fact():
    facts = (
        Fact("f", True, sentence=0),
        Fact("g", False, sentence=1),
        Fact("h", False, sentence=1),
    )
    assert sentence_score(answer(*facts)) == 0.5
    assert sentence_score(answer(*facts, sentences=(True, True, True))) == pytest.approx(2 / 3)
    assert sentence_score(answer(sentences=(False,))) is None


def test_unlinked_facts_leave_no_sentence_score_for_any_answer():
    linked, loose = answer(Fact("f", True, sentence=0)), answer(Fact("f", False))
    assert sentence_score(loose) is None
    assert score_answers([linked]).sentence == 1
    assert score_answers([linked, loose]).sentence is None
    with pytest.raises(ValueError, match="categories"):
        sentence_score(loose, "peer")


def test_categories_are_scored_apart_with_an_interval():
    facts = (
        Fact("a", True, "color", 0),
        Fact("b", False, "color", 0),
        Fact("c", True, "count", 1),
    )
    by = score_answers([answer(*facts)]).by_category
    assert set(by) == {"color", "count"}
    assert (by["color"].supported, by["color"].n, by["color"].share) == (1, 2, 0.5)
    low, high = by["color"].interval
    assert 0 < low < 0.5 < high < 1


def test_a_fact_must_belong_to_a_sentence_that_is_there():
    with pytest.raises(ValueError, match="sub-sentence 3"):
        answer(Fact("f", True, sentence=3))


def test_examine_checks_descriptive_sentences_in_one_call():
    asked = []

    def verify(facts):
        asked.append(list(facts))
        return ["dog" in f for f in facts]

    found = examine(
        "x",
        "A dog. A cat. Nice.",
        lambda text: [Sentence(s, s != "Nice") for s in text.strip(".").split(". ")],
        lambda sentence: [("entity", f"There is {sentence.lower()}.")],
        verify,
    )
    assert asked == [["There is a dog.", "There is a cat."]]
    assert [(f.supported, f.sentence) for f in found.facts] == [(True, 0), (False, 1)]
    assert fact_score(found) == sentence_score(found) == 0.5


def test_examine_wants_a_verdict_for_every_fact():
    with pytest.raises(ValueError, match="1 facts got 0 verdicts"):
        examine(
            "x",
            "A dog.",
            lambda text: [Sentence(text, True)],
            lambda text: [("entity", text)],
            lambda facts: [],
        )


def test_marks_split_sentences_and_capitals_do_not():
    text = "A Dane walks a dog [D] Danes are tall [A]"
    assert parse_sentences(text) == (
        Sentence("A Dane walks a dog", True),
        Sentence("Danes are tall", False),
    )
    with pytest.raises(ValueError, match="no mark"):
        parse_sentences("A dog [D] and a cat")


def test_facts_are_read_by_heading_until_the_next_example():
    reply = (
        "Entities: There is a dog. There are balls.\nRelations:\nColors: The dog is brown.\n"
        "Counting: There are 2.5 balls.\nOther attributes:\n\nAnswer: next\nEntities: There is ham."
    )
    assert parse_facts(reply) == (
        ("entity", "There is a dog."),
        ("entity", "There are balls."),
        ("color", "The dog is brown."),
        ("count", "There are 2.5 balls."),
    )
    with pytest.raises(ValueError, match="Entities"):
        parse_facts("I see a dog.")


def test_annotations_go_to_a_file_and_back(tmp_path):
    path = tmp_path / "annotation.jsonl"
    line = {"id": "007", "answer": "A é", "stage 1": {"A é": 1, "ok": 0}, "stage 2": {"É.": 0}}
    path.write_text(json.dumps(line) + "\n\n", encoding="utf-8")
    (read,) = read_annotations(path)
    assert read.id == "007"
    assert read.sentences == (Sentence("A é", True), Sentence("ok", False))
    assert read.facts == (Fact("É.", False),)
    write_annotations(path, [read])
    assert json.loads(path.read_text(encoding="utf-8")) == line


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"id": "1"}', '{"id": "1", "answer": "", "stage 1": {}, "stage 2": {"f": 2}}'],
)
def test_a_bad_annotation_names_its_line(tmp_path, line):
    path = tmp_path / "a.jsonl"
    good = '{"id": "1", "answer": "", "stage 1": {}, "stage 2": {}}'
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.jsonl, line 2"):
        read_annotations(path)
    with pytest.raises(ValueError, match="missing"):
        read_annotations(tmp_path / "none.jsonl")
