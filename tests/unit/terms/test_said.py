"""A sentence is its English text to everybody who prints or compares it, and keeps what it was made of."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest

from benchsuite.terms.absence import Absent
from benchsuite.terms.codec import faults, from_builtins, to_builtins
from benchsuite.terms.errors import SchemaError, SessionError
from benchsuite.terms.said import Said, Sentence, counted, joined, said


@dataclass(frozen=True)
class Told:
    """One field of each kind that holds sentences."""

    reason: Sentence
    notes: tuple[Sentence, ...]
    figure: float | Absent
    label: Sentence | Absent
    plain: str = ""


def test_sentence_is_its_english_text() -> None:
    """It is equal to, hashed as and printed as what an f-string would make."""
    sentence = said("{1} of {2}: {3}", 3, "4 calls", ValueError("{1} is odd"))
    assert sentence == "3 of 4 calls: {1} is odd"
    assert {sentence: 1}["3 of 4 calls: {1} is odd"] == 1
    assert json.dumps([sentence]) == '["3 of 4 calls: {1} is odd"]'
    assert joined("; ", ["one", said("{1} more", 2)]) == "one; 2 more"
    assert (joined("; ", [sentence]), joined("; ", [])) == (sentence, "")
    assert (counted(1, "1 run", "{1} runs"), counted(1234, "1 run", "{1} runs")) == ("1 run", "1,234 runs")


def test_errors_and_copies_keep_the_sentence() -> None:
    """An error's text is the sentence that it was raised with, and copying or pickling loses nothing."""
    inner = said("{1} is missing", "onnx")
    outer = said("no detections: {1}", SessionError(inner))
    for sentence in (outer, copy.deepcopy(outer), pickle.loads(pickle.dumps(outer)), asdict(Absent(outer))["reason"]):
        assert isinstance(sentence, Said)
        assert (sentence, sentence.template) == ("no detections: onnx is missing", "no detections: {1}")
        assert isinstance(sentence.values[0], Said)
    told = str(SchemaError(said("schema {1}", 9), 9))
    assert isinstance(told, Said)
    assert told == "schema 9: install the version of benchsuite that wrote it"


def test_fields_of_sentences_keep_templates_in_json() -> None:
    """A sentence with places is written with them and its English, one without as its text; reading gives both back."""
    sentence = said("{1} failed: {2}", "onnx", said("{1} s", 3))
    told = Told(sentence, (sentence, "plain", said("no places")), Absent(sentence), sentence, sentence)
    data = json.loads(json.dumps(to_builtins(told)))
    assert data["reason"] == {
        "said": "{1} failed: {2}",
        "values": ["onnx", {"said": "{1} s", "values": ["3"], "text": "3 s"}],
        "text": "onnx failed: 3 s",
    }
    assert data["notes"][1:] == ["plain", "no places"]
    assert (data["figure"], data["label"]) == ({"absent": data["reason"]}, data["reason"])
    assert data["plain"] == "onnx failed: 3 s"
    again = from_builtins(data, Told)
    assert again == told
    assert to_builtins(again) == to_builtins(told)


def test_plain_texts_of_older_files_are_read() -> None:
    """A reason that was written as a text is that text."""
    data = {"reason": "a", "notes": ["b"], "figure": {"absent": "c"}, "label": "d", "plain": "e"}
    told = Told("a", ("b",), Absent("c"), "d", "e")
    assert from_builtins(data, Told) == told
    assert json.loads(json.dumps(to_builtins(told))) == data


def test_damaged_sentence_is_refused() -> None:
    """A template whose places have no values is no sentence."""
    data = {"reason": {"said": "{2}", "values": ["a"]}, "notes": [], "figure": 1.0, "label": "", "plain": ""}
    with pytest.raises(Exception, match="Told") as caught:
        from_builtins(data, Told)
    assert "reason" in faults(caught.value)[0]
