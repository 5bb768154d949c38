"""ONNX export: predict and transform as a graph that runs without Python or omnimeans.

The graph computes in float64, whatever the input: squared distances as ``|c|² - 2 x·c`` around the
mean of the centres, one matrix product.  omnimeans itself decides by exact differences, so labels
can differ where two centres are equally near to within the rounding of that product.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omnimeans import __version__, _validate
from omnimeans._files import write_atomically
from omnimeans._optional import need
from omnimeans._types import F64, Floats
from omnimeans.directions import LARGE, SMALL, STEP, unit_rows

OPSET, IR_VERSION = 17, 8  # what runtimes of 2022 can read
EXPORTED = frozenset({"KMeans", "MiniBatchKMeans"})  # whose predict is the nearest centre


def to_onnx(model: Any, path: str | os.PathLike[str] | None = None) -> Any:
    """Export a fitted model as an ONNX graph with the outputs ``label`` and ``distance``.

    The input ``X`` has shape (rows, d) and the type of ``cluster_centers_``.  ``label`` (int64) is
    what ``predict`` returns, ``distance`` (rows, k) what ``transform`` returns.  Labels equal those
    of ``predict`` except, possibly, for rows that are equally far from two centres to within the
    rounding of float64.

    Parameters
    ----------
    model : KMeans or MiniBatchKMeans
        A fitted model.
    path : str, path or None, default=None
        A file to write, too; an older one is replaced in one step.

    Returns
    -------
    onnx.ModelProto
        The graph.

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If the model takes rows with missing values.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If onnx is not installed; the extra ``onnx`` brings it.
    OSError
        If the file cannot be written.

    References
    ----------
    Open Neural Network Exchange, https://onnx.ai.

    Examples
    --------
    >>> import omnimeans as om
    >>> model = om.KMeans(n_clusters=2, init=[[0.0], [9.0]]).fit([[0.0], [1.0], [9.0]])
    >>> exported = om.to_onnx(model)
    >>> [output.name for output in exported.graph.output]
    ['label', 'distance']
    """
    name = type(model).__name__
    if name not in EXPORTED:
        raise TypeError(
            f"A {type(model).__module__}.{name} cannot be exported; "
            f"{' and '.join(sorted(EXPORTED))} can."
        )
    check_is_fitted(model, "cluster_centers_")
    if getattr(model, "missing", "error") == "partial":
        raise ValueError(
            "A model with missing='partial' cannot be exported: the graph knows no missing values, "
            "and would give their rows other labels than predict. Fill in the gaps, and fit with "
            "missing='error'."
        )
    onnx = need("onnx", extra="onnx")
    centers = _validate.fitted_centers(model.cluster_centers_, model.cluster_centers_.shape[1])
    graph = _Graph(onnx, centers, model.metric)
    exported = graph.model(
        {
            "estimator": name,
            "metric": model.metric,
            "n_clusters": str(len(centers)),
            "feature_names": "\n".join(map(str, getattr(model, "feature_names_in_", ()))),
        }
    )
    onnx.checker.check_model(exported)
    if path is not None:
        write_atomically(Path(path), exported.SerializeToString())
    return exported


class _Graph:
    """A graph in the making: nodes in order, and the constants that they use."""

    def __init__(self, onnx: Any, centers: Floats, metric: str) -> None:
        self.onnx, self.dtype = onnx, centers.dtype
        self.k, self.d = centers.shape
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.double = onnx.TensorProto.DOUBLE
        self.kind = onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        self.node("Cast", ["X"], "wide", to=self.double)
        MEASURES[metric](self, centers.astype(np.float64))
        self.node("Cast", ["away"], "distance", to=self.kind)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """Add a constant and return its name."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def squared_lengths(self, rows: str, output: str) -> str:
        """Add the squared length of each row, as a column."""
        self.node("Mul", [rows, rows], f"{output}_terms")
        axis = self.constant(f"{output}_axis", np.array([1], dtype=np.int64))
        return self.node("ReduceSum", [f"{output}_terms", axis], output, keepdims=1)

    def lowest(self, scores: str) -> None:
        """Add the number of the lowest score of each row, the first of equals."""
        self.node("ArgMin", [scores], "label", axis=1, keepdims=0, select_last_index=0)

    def model(self, properties: dict[str, str]) -> Any:
        """Return the whole model."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self.nodes,
            "omnimeans",
            [helper.make_tensor_value_info("X", self.kind, ["rows", self.d])],
            [
                helper.make_tensor_value_info("label", self.onnx.TensorProto.INT64, ["rows"]),
                helper.make_tensor_value_info("distance", self.kind, ["rows", self.k]),
            ],
            self.constants,
        )
        model = helper.make_model(
            graph,
            producer_name="omnimeans",
            producer_version=__version__,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, properties)
        return model


def _euclidean(graph: _Graph, centers: F64) -> None:
    """Add Euclidean distances."""
    _squared(graph, "wide", centers)
    graph.lowest("scores")
    graph.node("Sqrt", ["small"], "root")
    graph.node("Div", ["root", "down"], "larger")
    graph.node("Div", ["larger", "down_again"], "away")


def _squared(graph: _Graph, rows: str, centers: F64) -> int:
    """Add ``scores``, that is ``|c|² - 2 x·c``, and the squared distances, called ``small``.

    Both are in a frame around the median centre, divided by a power of two so that the centres are
    of ordinary size; return its exponent.
    """
    offset = np.median(centers, axis=0)
    near = centers - offset
    exponent = int(np.frexp(np.abs(near).max() or 1.0)[1])
    near = np.ldexp(near, -exponent)
    graph.node("Sub", [rows, graph.constant("offset", offset)], "moved")
    half = -exponent // 2  # in two steps, as 2**1074 has no float64
    graph.node("Mul", ["moved", graph.constant("down", np.ldexp(1.0, half))], "nearer")
    rest = graph.constant("down_again", np.ldexp(1.0, -exponent - half))
    graph.node("Mul", ["nearer", rest], "near")
    doubled = graph.constant("centers", -2.0 * near.T)
    lengths = graph.constant("lengths", np.square(near).sum(axis=1))
    graph.node("Gemm", ["near", doubled, lengths], "scores")
    graph.node("Add", ["scores", graph.squared_lengths("near", "length")], "squared")
    graph.node("Max", ["squared", graph.constant("zero", 0.0)], "small")
    return exponent


def _manhattan(graph: _Graph, centers: F64) -> None:
    """Add the city-block distances, centre by centre, which needs no more memory than one."""
    helper = graph.onnx.helper
    body = helper.make_graph(
        [
            helper.make_node("Sub", ["wide", "center"], ["gaps"]),
            helper.make_node("Abs", ["gaps"], ["sizes"]),
            helper.make_node("ReduceSum", ["sizes", "columns"], ["column"], keepdims=0),
        ],
        "one_center",
        [helper.make_tensor_value_info("center", graph.double, [graph.d])],
        [helper.make_tensor_value_info("column", graph.double, ["rows"])],
    )
    graph.constant("columns", np.array([1], dtype=np.int64))
    graph.node(
        "Scan",
        [graph.constant("centers", centers)],
        "away",
        body=body,
        num_scan_inputs=1,
        scan_output_axes=[1],
    )
    graph.lowest("away")


def _cosine(graph: _Graph, centers: F64) -> None:
    """Add one minus the cosine, half a squared distance between rows and centres of unit length.

    The rows are scaled as :func:`omnimeans.directions.unit_rows` does it.
    """
    tolerance = 4.0 * float(np.finfo(graph.dtype).eps) + (graph.d + 64) * 2.0**-54
    graph.node("Abs", ["wide"], "sizes")
    graph.node("ReduceMax", ["sizes"], "peak", axes=[1], keepdims=1)
    one = graph.constant("one", 1.0)
    graph.node("Greater", ["peak", graph.constant("large", LARGE)], "is_large")
    graph.node("Less", ["peak", graph.constant("little", SMALL)], "is_little")
    graph.node("Where", ["is_large", graph.constant("smaller", 1 / STEP), one], "shrink")
    graph.node("Where", ["is_little", graph.constant("bigger", STEP), "shrink"], "scale")
    graph.node("Mul", ["wide", "scale"], "ordinary")
    graph.squared_lengths("ordinary", "square")
    graph.node("Sub", ["square", one], "excess")
    graph.node("Abs", ["excess"], "off")
    graph.node("LessOrEqual", ["off", graph.constant("tolerance", tolerance)], "is_unit")
    graph.node("Sqrt", ["square"], "row_length")
    tiny = graph.constant("tiny", np.finfo(np.float64).tiny)
    graph.node("Max", ["row_length", tiny], "divisor")  # a row of zeros stays one
    graph.node("Div", ["ordinary", "divisor"], "divided")
    graph.node("Where", ["is_unit", "ordinary", "divided"], "direction")
    graph.node("Cast", ["direction"], "rounded", to=graph.kind)
    graph.node("Cast", ["rounded"], "unit", to=graph.double)
    exponent = _squared(graph, "unit", unit_rows(centers.astype(graph.dtype))[0].astype(np.float64))
    graph.node("Mul", ["small", graph.constant("half", 0.5 * 4.0**exponent)], "one_minus_cosine")
    graph.node("Equal", ["peak", "zero"], "is_blank")
    graph.node("Where", ["is_blank", one, "one_minus_cosine"], "away")
    graph.node("Where", ["is_blank", "zero", "scores"], "score")
    graph.lowest("score")


MEASURES = {"euclidean": _euclidean, "manhattan": _manhattan, "cosine": _cosine}
