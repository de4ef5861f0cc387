"""Folders of a model repository: NAME/config.pbtxt and NAME/VERSION/model.onnx."""
import json
import pathlib
import shutil
import tempfile

from onnx import TensorProto

from stillwave.export.errors import ExportError

CONFIG = "config.pbtxt"
MODEL = "model.onnx"
DATA_TYPES = {TensorProto.FLOAT: "TYPE_FP32", TensorProto.INT64: "TYPE_INT64", TensorProto.INT32: "TYPE_INT32",
              TensorProto.BOOL: "TYPE_BOOL"}


def config_text(name, model, max_batch_size, parameters):
    """The text of config.pbtxt for a model whose axis 0 is the batch."""
    lines = [f"name: {_quoted(name)}", 'backend: "onnxruntime"', f"max_batch_size: {max_batch_size}"]
    for field, values in (("input", model.graph.input), ("output", model.graph.output)):
        for value in values:
            tensor = value.type.tensor_type
            # With max_batch_size, dims leave the batch axis out.
            dims = ", ".join(str(-1 if dim.dim_param else dim.dim_value) for dim in tensor.shape.dim[1:])
            lines.append(f"{field} {{ name: {_quoted(value.name)} data_type: {DATA_TYPES[tensor.elem_type]} "
                         f"dims: [ {dims} ] }}")
    for key, value in parameters.items():
        lines.append(f"parameters {{ key: {_quoted(key)} value {{ string_value: {_quoted(str(value))} }} }}")
    return "\n".join(lines) + "\n"


def _quoted(text):
    # Protocol Buffers' text form takes UTF-8 and the same escapes for quotes, backslashes and newlines.
    return json.dumps(text, ensure_ascii=False)


def check_place(repository, name, version):
    """Raises ExportError for a name or version that cannot be a folder, or one that is taken."""
    if not isinstance(name, str) or not name or name.startswith(".") or "/" in name or "\0" in name:
        raise ExportError(f"name must be a folder's name without a leading dot; was {name!r}")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ExportError(f"version must be a positive number; was {version!r}")
    folder = pathlib.Path(repository) / name / str(version)
    if folder.exists():
        raise ExportError(f"version {version} of {name} is there already ({folder}); a version never changes: "
                          f"export version {_newest(folder.parent) + 1}")


def _newest(folder):
    return max(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())


def write(repository, name, version, model, config):
    """Writes both files and returns the version's folder.

    A server that watches the repository sees a version whole or not at all. A config.pbtxt that is there stays:
    it speaks for all versions."""
    check_place(repository, name, version)
    folder = pathlib.Path(repository) / name
    folder.mkdir(parents=True, exist_ok=True)
    # Beside its place, on the same file system; servers pass over names with a dot.
    draft = pathlib.Path(tempfile.mkdtemp(prefix=f".{version}.", dir=folder))
    try:
        (draft / MODEL).write_bytes(model.SerializeToString())
        draft.chmod(0o755)
        if not (folder / CONFIG).exists():
            (draft / CONFIG).write_text(config, encoding="utf-8")
            (draft / CONFIG).rename(folder / CONFIG)
        return draft.rename(folder / str(version))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
