"""Dataclasses to JSON values and back.

A value must have its field's own type: no text is read as a number, no fraction as a count. What is infinite, or no
number at all, fits nowhere.

An absent value is written `{"absent": "reason"}` in place of the value, an input size as a number or `"384x640"`, and
what departs from a plain case as one `variant`. A sentence with places, in a field of the type `Sentence`, is written
`{"said": template, "values": [...], "text": English}`; any other is its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import filterfalse
from math import inf, isfinite
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, Variant
from benchsuite.terms.input_size import InputSize
from benchsuite.terms.numbers import LARGEST, Within
from benchsuite.terms.printable import printable
from benchsuite.terms.said import PLACE, Said, Sentence, said
from benchsuite.terms.values import MisfitError, choice_of, list_of, number_of, object_of, text_of, truth_of, whole_of

T = TypeVar("T")
# A sentence that says others again and again grows with each level.
_LONGEST_SENTENCE = 100_000
_LONGEST_FAULT = 200


def to_builtins(value: Any) -> Any:
    """Turn a dataclass into dicts, lists and scalars that JSON can hold."""
    return _converter().unstructure(value)


def from_builtins(data: Any, kind: type[T]) -> T:
    """Build a dataclass from what `to_builtins` gave; raises what `faults` explains for a misfit."""
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
    """Return the sentence that `sentence_to_builtins` gave; raises MisfitError, or KeyError where a part is missing."""
    if not isinstance(data, dict):
        return text_of(data)
    template, values = text_of(data["said"]), [sentence_from_builtins(value) for value in list_of(data["values"])]
    places = [int(place) - 1 for place in PLACE.findall(template)] or range(len(values))
    length = len(template) * max(1, len(values)) + sum(len(values[place]) for place in places if values)
    if length > _LONGEST_SENTENCE:
        raise MisfitError(said("a sentence of at most {1} characters", _LONGEST_SENTENCE), template)
    return Said(template, values)


def faults(error: Exception) -> list[str]:
    """Return what `from_builtins` found wrong, each with the field where it is."""
    from cattrs import transform_error

    return [printable(fault, _LONGEST_FAULT) for fault in transform_error(error, format_exception=_described)]


def _described(error: BaseException, kind: type | None) -> str:
    from cattrs.v import format_exception

    if isinstance(error, MisfitError):
        return str(error)
    return str(format_exception(error, kind))


@cache
def _converter() -> Any:
    # cattrs costs 60 ms to import: commands that read no record need not pay it.
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    _register_plain(converter)
    converter.register_unstructure_hook_func(_is_sentence, sentence_to_builtins)
    converter.register_structure_hook_func(_is_sentence, lambda data, _: sentence_from_builtins(data))
    converter.register_unstructure_hook(Said, sentence_to_builtins)
    converter.register_unstructure_hook(Absent, lambda absent: {"absent": sentence_to_builtins(absent.reason)})
    converter.register_structure_hook(Absent, lambda data, _: Absent(sentence_from_builtins(data["absent"])))
    converter.register_structure_hook_factory(_may_be_absent, lambda kind: _union_hook(converter, kind))
    converter.register_unstructure_hook_factory(_may_be_absent, lambda _: converter.unstructure)
    converter.register_unstructure_hook(InputSize, lambda size: size.plain)
    converter.register_structure_hook(InputSize, lambda data, _: _input_size(data))
    _register_cases(converter)
    return converter


def _register_cases(converter: Any) -> None:
    """Write a case as its plain fields and one variant, and read it back into the parts that a variant names."""
    whole = _dataclass_hook(converter, Case)
    parts = ("way", "rebuild", "scheme")
    plain = [field.name for field in fields(Case) if field.name not in parts]

    def structure(data: dict[str, Any], kind: type[Case]) -> Case:
        variant = Variant.parse(text_of(object_of(data).get("variant", "")))
        spread = {name: value for name, value in data.items() if name != "variant"}
        case: Case = whole({**spread, **{part: getattr(variant, part) for part in parts}}, kind)
        return case

    converter.register_structure_hook(Case, structure)
    converter.register_unstructure_hook(
        Case,
        lambda case: {**{name: converter.unstructure(getattr(case, name)) for name in plain}, "variant": case.variant},
    )


def _register_plain(converter: Any) -> None:
    """Take numbers, texts, lists and objects as they are, and no other for them."""
    # Records hold them by the hundred: what is plainly right is not asked twice.
    converter.register_structure_hook(str, lambda data, _: data if type(data) is str else text_of(data))
    converter.register_structure_hook(
        int, lambda data, _: data if type(data) is int and -LARGEST <= data <= LARGEST else whole_of(data)
    )
    converter.register_structure_hook(
        float, lambda data, _: data if type(data) is float and isfinite(data) else number_of(data)
    )
    converter.register_structure_hook(bool, lambda data, _: truth_of(data))
    converter.register_structure_hook(Path, lambda data, _: Path(text_of(data)))
    converter.register_structure_hook_func(lambda kind: _made_of(kind, Literal), choice_of)
    converter.register_structure_hook_factory(
        lambda kind: _made_of(kind, tuple), lambda kind: _tuple_hook(converter, kind)
    )
    converter.register_structure_hook_factory(
        lambda kind: _made_of(kind, dict, Mapping), lambda kind: _mapping_hook(converter, kind)
    )
    converter.register_structure_hook_factory(
        lambda kind: isinstance(kind, type) and is_dataclass(kind), lambda kind: _dataclass_hook(converter, kind)
    )


def _made_of(kind: Any, *origins: Any) -> bool:
    return get_origin(kind) in origins


def _input_size(data: Any) -> InputSize:
    try:
        return InputSize.parse(data if isinstance(data, str) else str(whole_of(data)))
    except ValueError:
        raise MisfitError(said("a size in px"), data) from None


def _tuple_hook(converter: Any, kind: Any) -> Any:
    """Structure a list; the first misfit ends it, for a long list of them would take seconds to tell."""
    *parts, last = get_args(kind)
    rest = parts[0] if last is Ellipsis else None
    # Asked for when they are first needed: a type may hold itself.
    hooks = cache(
        lambda: [(converter.get_structure_hook(of), of) for of in ([rest] if rest is not None else [*parts, last])]
    )

    def structure(data: Any, _: Any) -> Any:
        items = list_of(data)
        every = hooks() * len(items) if rest is not None else hooks()
        if len(every) != len(items):
            raise MisfitError(said("a list of {1}", len(every)), said("a list of {1}", len(items)))
        try:
            return tuple([hook(item, of) for item, (hook, of) in zip(items, every, strict=True)])
        except Exception:
            # Only what is wrong is looked at one by one, for where that is.
            pairs = enumerate(zip(items, every, strict=True))
            return tuple(_placed(converter, item, of, index, kind) for index, (item, (_, of)) in pairs)

    return structure


def _mapping_hook(converter: Any, kind: Any) -> Any:
    _, of = get_args(kind)
    hook = cache(lambda: converter.get_structure_hook(of))

    def structure(data: Any, _: Any) -> Any:
        try:
            return {text_of(key): hook()(value, of) for key, value in object_of(data).items()}
        except Exception:
            return {text_of(key): _placed(converter, value, of, key, kind) for key, value in object_of(data).items()}

    return structure


def _placed(converter: Any, data: Any, of: Any, place: int | str, kind: Any) -> Any:
    """Structure one item, and note at what is wrong with it where it stands."""
    try:
        return converter.structure(data, of)
    except Exception as error:
        from cattrs import IterableValidationError, IterableValidationNote

        # Exception.add_note came with Python 3.11.
        note = IterableValidationNote(f"at {place!r}", place, of)
        error.__notes__ = [*getattr(error, "__notes__", []), note]  # type: ignore[attr-defined]
        raise IterableValidationError("misfit", [error], kind) from None


def _dataclass_hook(converter: Any, kind: Any) -> Any:
    """Structure the fields of a dataclass, and hold each number against the bounds that its type names."""
    from cattrs import AttributeValidationNote, ClassValidationError
    from cattrs.gen import make_dict_structure_fn

    take = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
    # cattrs drops what stands beside a type.
    hints = get_type_hints(kind, include_extras=True)
    bounded = [
        (name, within, within.least, inf if within.most is None else within.most)
        for name, hint in hints.items()
        if (within := _bounds(hint)) is not None
    ]

    def structure(data: Any, _: Any) -> Any:
        value = take(object_of(data), kind)
        for name, within, least, most in bounded:
            found = getattr(value, name)
            plain = type(found) is float or type(found) is int
            # The usual one; records hold thousands.
            if (plain and least <= found <= most) or type(found) is Absent:
                continue
            stray = next(filterfalse(within.holds, _numbers(found)), None)
            if stray is not None:
                error = MisfitError(within.said, stray)
                error.__notes__ = [AttributeValidationNote(f"at {name}", name, kind)]  # type: ignore[attr-defined]
                raise ClassValidationError("misfit", [error], kind)
        return value

    return structure


def _bounds(hint: Any) -> Within | None:
    """Return the bounds of the numbers in a field, which may be absent or several."""
    if get_origin(hint) is Annotated:
        return next((part for part in get_args(hint) if isinstance(part, Within)), None)
    return next((within for part in get_args(hint) if (within := _bounds(part)) is not None), None)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)


def _is_sentence(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and set(get_args(kind)) == set(get_args(Sentence))


def _may_be_absent(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and Absent in get_args(kind)


def _union_hook(converter: Any, kind: Any) -> Any:
    parts = tuple(part for part in get_args(kind) if part is not Absent)
    value_type: Any = Union.__getitem__(parts)
    # Asked for when it is first needed: a type may hold itself.
    hook = cache(lambda: converter.get_structure_hook(value_type))

    def structure(data: Any, _: Any) -> Any:
        if isinstance(data, dict) and len(data) == 1 and "absent" in data:
            return Absent(sentence_from_builtins(data["absent"]))
        return hook()(data, value_type)

    return structure
