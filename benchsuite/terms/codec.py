"""Dataclasses to JSON values and back.

An absent value is written `{"absent": "reason"}` in place of the value, an input size as a number or `"384x640"`, and
what departs from a plain case as one `variant`. A sentence with places, in a field of the type `Sentence`, is written
`{"said": template, "values": [...], "text": English}`; any other is its text.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, Variant
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.said import Said, Sentence

T = TypeVar("T")


def to_builtins(value: Any) -> Any:
    """Turn a dataclass into dicts, lists and scalars that JSON can hold."""
    return _converter().unstructure(value)


def from_builtins(data: Any, kind: type[T]) -> T:
    """Build a dataclass from what `to_builtins` gave; raises whatever cattrs raises for a misfit."""
    value: T = _converter().structure(data, kind)
    return value


def sentence_to_builtins(sentence: str) -> Any:
    """Turn a sentence into its template, values and English, or into its text where it has no values."""
    if not isinstance(sentence, Said) or not sentence.values:
        return sentence
    return {
        "said": sentence.template,
        "values": [sentence_to_builtins(value) for value in sentence.values],
        "text": sentence,
    }


def sentence_from_builtins(data: Any) -> str:
    """Return the sentence that `sentence_to_builtins` gave."""
    if not isinstance(data, dict):
        return str(data)
    return Said(data["said"], [sentence_from_builtins(value) for value in data["values"]])


def faults(error: Exception) -> list[str]:
    """Return what `from_builtins` found wrong, each with the field where it is."""
    from cattrs import transform_error

    return list(transform_error(error))


@cache
def _converter() -> Any:
    # cattrs costs 60 ms to import: commands that read no record need not pay it.
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook_func(_is_sentence, sentence_to_builtins)
    converter.register_structure_hook_func(_is_sentence, lambda data, _: sentence_from_builtins(data))
    converter.register_unstructure_hook(Said, sentence_to_builtins)
    converter.register_unstructure_hook(Absent, lambda absent: {"absent": sentence_to_builtins(absent.reason)})
    converter.register_structure_hook(Absent, lambda data, _: Absent(sentence_from_builtins(data["absent"])))
    converter.register_structure_hook_factory(_may_be_absent, lambda kind: _union_hook(converter, kind))
    converter.register_unstructure_hook_factory(_may_be_absent, lambda _: converter.unstructure)
    converter.register_unstructure_hook(InputSize, lambda size: size.plain)
    converter.register_structure_hook(InputSize, lambda data, _: InputSize.parse(str(data)))
    _register_cases(converter)
    return converter


def _register_cases(converter: Any) -> None:
    """Write a case as its plain fields and one variant, and read it back into the parts that a variant names."""
    from cattrs.gen import make_dict_structure_fn

    whole = make_dict_structure_fn(Case, converter, _cattrs_forbid_extra_keys=True)
    parts = ("way", "rebuild", "scheme")
    plain = [field.name for field in fields(Case) if field.name not in parts]

    def structure(data: dict[str, Any], kind: type[Case]) -> Case:
        variant = Variant.parse(data.get("variant", ""))
        spread = {name: value for name, value in data.items() if name != "variant"}
        return whole({**spread, **{part: getattr(variant, part) for part in parts}}, kind)

    converter.register_structure_hook(Case, structure)
    converter.register_unstructure_hook(
        Case,
        lambda case: {**{name: converter.unstructure(getattr(case, name)) for name in plain}, "variant": case.variant},
    )


def _is_sentence(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and set(get_args(kind)) == set(get_args(Sentence))


def _may_be_absent(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and Absent in get_args(kind)


def _union_hook(converter: Any, kind: Any) -> Any:
    parts = tuple(part for part in get_args(kind) if part is not Absent)
    value_type: Any = Union.__getitem__(parts)

    def structure(data: Any, _: Any) -> Any:
        if isinstance(data, dict) and set(data) == {"absent"}:
            return Absent(sentence_from_builtins(data["absent"]))
        return converter.structure(data, value_type)

    return structure
