"""Find a detector's parts by how its graph is connected, never by names or node numbers, which move with versions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_CONVOLUTIONS = ("Conv", "Convolution", "GroupConvolution")
_SHAPE_ONLY = ("Reshape", "Transpose", "Squeeze", "Unsqueeze")
_MULTIPLY = ("Mul", "Multiply")
# What comes out of these are values that went in.
_MOVING = ("Concat", "Split", "MaxPool", "Resize")
_UPSAMPLING = ("Resize", "Upsample", "Interpolate")
_STAGES = 5
# Their rounding costs most agreement, and integer kernels gain little there: few channels, small matrices.
FLOAT_GROUPS = ("stem", "p2", "attention")
GROUPS = ("stem", "p2", "p3", "p4", "p5", "attention", "neck", "head_box", "head_class", "head_ends")


@dataclass(frozen=True)
class Op:
    """One operation; `inputs` and `outputs` name tensors, weights and other constants left out.

    `stride` is a convolution's or a pooling's.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stride: int = 1

    @property
    def is_convolution(self) -> bool:
        return self.kind in _CONVOLUTIONS


class Graph:
    """A detector's operations and who feeds whom.

    A YOLO head is a few parallel branches (box and class of each level), each ending in a convolution; what comes
    after them decodes boxes and scores into one tensor.
    """

    def __init__(self, ops: Sequence[Op], outputs: Iterable[str]) -> None:
        self.ops: Mapping[str, Op] = {op.name: op for op in ops}
        self._outputs = tuple(outputs)
        self._producer = {tensor: op for op in ops for tensor in op.outputs}
        self._consumers: dict[str, list[Op]] = defaultdict(list)
        for op in ops:
            for tensor in op.inputs:
                self._consumers[tensor].append(op)

    @cached_property
    def decode(self) -> frozenset[str]:
        """Name all operations after the last convolution of each branch.

        The convolution of a DFL head only averages a Softmax, and counts as decoding.
        """
        last = [self._producer[tensor] for tensor in self._outputs]
        return self._reach(last, self._feeding, stop=self._ends_branch)

    @cached_property
    def branch_ends(self) -> frozenset[str]:
        """Name the last convolution of each branch."""
        feeding = {op.name for name in self.decode for op in self._feeding(self.ops[name])}
        return frozenset(feeding - self.decode)

    @cached_property
    def branches(self) -> frozenset[str]:
        """Name the operations that serve exactly one branch: the head before its decode."""
        served = Counter(name for end in self.branch_ends for name in self._reach([self.ops[end]], self._feeding))
        return frozenset(name for name, branches in served.items() if branches == 1)

    @cached_property
    def attention(self) -> frozenset[str]:
        """Name the operations around each Softmax, up to the convolutions before and after it."""
        softmaxes = [op for op in self.ops.values() if op.kind == "Softmax"]
        before = self._reach(softmaxes, self._feeding, stop=lambda op: op.is_convolution)
        return before | self._reach(softmaxes, self._fed, stop=lambda op: op.is_convolution)

    @cached_property
    def groups(self) -> Mapping[str, frozenset[str]]:
        """Split everything before the decode into parts that can stay float on their own; empty ones are left out.

        Those of the backbone, which ends at the first upsampling, are named by their stride: the stem (2), p2 (4) to
        p5 (32). `attention` holds the convolutions next to it.
        """
        resizes = [op for op in self.ops.values() if op.kind in _UPSAMPLING]
        before = {op.name: self._reach([op], self._feeding) - {op.name} for op in resizes}
        first = [names for names in before.values() if not names & set(before)]
        backbone = frozenset(name for names in first for name in names)
        beside = (op for name in self.attention for op in (*self._feeding(self.ops[name]), *self._fed(self.ops[name])))
        attention = frozenset(op.name for op in beside if op.is_convolution)
        scoring = {end for end in self.branch_ends if self._scores(end)}
        head_class = self._reach([self.ops[end] for end in scoring], self._feeding) & self.branches
        found: dict[str, set[str]] = {name: set() for name in GROUPS}
        for name in self.ops:
            if name in self.decode or name in self.attention:
                continue
            if name in attention:
                found["attention"].add(name)
            elif name in self.branch_ends:
                found["head_ends"].add(name)
            elif name in self.branches:
                found["head_class" if name in head_class else "head_box"].add(name)
            elif name in backbone:
                found[GROUPS[min(max(self._halvings[name], 1), _STAGES) - 1]].add(name)
            else:
                found["neck"].add(name)
        return {name: frozenset(names) for name, names in found.items() if names}

    @cached_property
    def _halvings(self) -> Mapping[str, int]:
        """Map each operation to how often the picture was halved on the way to its output."""
        found: dict[str, int] = {}
        for op in self.ops.values():
            reached = max((found.get(before.name, 0) for before in self._feeding(op)), default=0)
            found[op.name] = reached + (op.stride > 1)
        return found

    def _scores(self, end: str) -> bool:
        """Say whether a branch's output becomes scores: through a Sigmoid that is no activation."""
        silu = {name for names in self.silus.values() for name in names}
        after = self._reach([self.ops[end]], self._fed)
        return any(self.ops[name].kind == "Sigmoid" and name not in silu for name in after)

    @cached_property
    def silus(self) -> Mapping[str, frozenset[str]]:
        """Map each tensor x of x * sigmoid(x) to the names of the two operations."""
        found = {}
        for op in self.ops.values():
            if op.kind == "Sigmoid":
                factors = {op.inputs[0], op.outputs[0]}
                products = {fed.name for fed in self._fed(op) if fed.kind in _MULTIPLY and set(fed.inputs) == factors}
                if products:
                    found[op.inputs[0]] = frozenset({op.name, *products})
        return found

    def joined(self, without: frozenset[str]) -> Sequence[frozenset[str]]:
        """Return sets of tensors whose values the operations that only move values mix, but those of `without`."""
        sets: dict[str, set[str]] = {}
        for op in self.ops.values():
            if op.kind in _MOVING and op.name not in without:
                tensors = (*op.inputs, *op.outputs)
                mixed = set(tensors).union(*(sets.get(tensor, set()) for tensor in tensors))
                sets |= dict.fromkeys(mixed, mixed)
        return tuple(dict.fromkeys(map(frozenset, sets.values())))

    def _feeding(self, op: Op) -> list[Op]:
        return [self._producer[tensor] for tensor in op.inputs if tensor in self._producer]

    def _fed(self, op: Op) -> list[Op]:
        return [consumer for tensor in op.outputs for consumer in self._consumers[tensor]]

    def _reach(
        self, start: Iterable[Op], step: Callable[[Op], list[Op]], stop: Callable[[Op], bool] | None = None
    ) -> frozenset[str]:
        """Name what a walk from `start` meets; operations where it stops are left out."""
        found: set[str] = set()
        waiting = list(start)
        while waiting:
            op = waiting.pop()
            if op.name not in found and not (stop and stop(op)):
                found.add(op.name)
                waiting.extend(step(op))
        return frozenset(found)

    def _ends_branch(self, op: Op) -> bool:
        # OpenVINO adds a convolution's bias in an operation of its own, whose other input is a constant.
        if op.kind == "Add" and len(op.inputs) == 1 and (feeding := self._producer.get(op.inputs[0])) is not None:
            op = feeding
        if not op.is_convolution:
            return False
        source = self._producer.get(op.inputs[0])
        while source is not None and source.kind in _SHAPE_ONLY:
            source = self._producer.get(source.inputs[0])
        return source is None or source.kind != "Softmax"


def graph_of_onnx(model: Any) -> Graph:
    """Read an onnx.ModelProto."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    ops = [
        Op(
            node.name,
            node.op_type,
            # An input that is left out has an empty name.
            tuple(name for name in node.input if name and name not in constants),
            tuple(node.output),
            max((value for entry in node.attribute if entry.name == "strides" for value in entry.ints), default=1),
        )
        for node in model.graph.node
        if node.op_type != "Constant"
    ]
    return Graph(ops, [output.name for output in model.graph.output])


def graph_of_openvino(model: Any) -> Graph:
    """Read an openvino.Model."""
    ops: list[Op] = []
    outputs: list[str] = []
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        sources = [value.get_source_output() for value in node.inputs()]
        inputs = tuple(_tensor(source) for source in sources if source.get_node().get_type_name() != "Constant")
        if kind == "Result":
            outputs += inputs
        elif kind not in ("Constant", "Parameter"):
            strided = kind in (*_CONVOLUTIONS, "MaxPool", "AvgPool")
            stride = max(node.get_attributes().get("strides", (1,))) if strided else 1
            outputs_of = tuple(_tensor(value) for value in node.outputs())
            ops.append(Op(node.get_friendly_name(), kind, inputs, outputs_of, stride))
    return Graph(ops, outputs)


def _tensor(output: Any) -> str:
    return f"{output.get_node().get_friendly_name()}:{output.get_index()}"
