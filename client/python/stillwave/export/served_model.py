"""One version of a model on a running server: whether it is ready, and what it answers."""
import time

import grpc
import numpy as np

from stillwave.export.errors import ExportError
from stillwave.protocol import Protocol

CALL_SECONDS = 60
# A server that polls its repository has a version after two looks, 30 s by default, and its load.
READY_SECONDS = 120
POLL_SECONDS = 0.2
WAITING = "its turn to be loaded has not come"  # the server's words for a model that it has seen and not begun
TYPES = {np.dtype(np.float32): "FP32"}
NUMPY_TYPES = {"FP32": np.float32, "INT64": np.int64, "INT32": np.int32, "BOOL": np.bool_}


class ServedModel:
    """Connected within a `with`. Not thread-safe."""

    def __init__(self, address, name, version):
        self._address, self._name, self._version = address, name, str(version)
        self._protocol = Protocol()
        self._channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1),
                                                                ("grpc.max_send_message_length", -1)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def _call(self, method, request, timeout=CALL_SECONDS):
        return self._protocol.call(self._channel, method, request, timeout)

    def load(self):
        """Asks for the load where clients may. A server that follows the folder by itself answers UNAVAILABLE."""
        try:
            self._call("RepositoryModelLoad", self._protocol.RepositoryModelLoadRequest(model_name=self._name),
                       timeout=READY_SECONDS)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                raise self._refused(error.details()) from error
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED):
                raise self._failed(error) from error

    def wait_until_ready(self, seconds=READY_SECONDS):
        """Raises ExportError with the server's reason when it refuses the model, or does not have it in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state, reason = self._state()
            if state == "READY":
                return
            if state == "UNAVAILABLE" and reason not in ("", WAITING):
                raise self._refused(reason)
            time.sleep(POLL_SECONDS)
        raise ExportError(f"the server at {self._address} must have {self._name} version {self._version} within "
                          f"{seconds} s; does it follow this repository (--model_control_mode=poll)?")

    def _state(self):
        """(state, reason) in the server's index."""
        try:
            index = self._call("RepositoryIndex", self._protocol.RepositoryIndexRequest())
        except grpc.RpcError as error:
            raise self._failed(error) from error
        for model in index.models:
            # A model whose configuration is refused has no versions.
            if model.name == self._name and model.version in (self._version, ""):
                return model.state, model.reason
        return "", ""

    def _refused(self, reason):
        return ExportError(f"the server at {self._address} refuses {self._name} version {self._version}: {reason}")

    def _failed(self, error):
        return ExportError(f"the server at {self._address}: {error.code().name}: {error.details()}")

    def infer(self, inputs):
        """Outputs by name for {name: float32 array}."""
        request = self._protocol.ModelInferRequest(model_name=self._name, model_version=self._version)
        for name, array in inputs.items():
            request.inputs.add(name=name, datatype=TYPES[array.dtype], shape=array.shape)
            request.raw_input_contents.append(np.ascontiguousarray(array).tobytes())
        try:
            response = self._call("ModelInfer", request)
        except grpc.RpcError as error:
            shapes = {name: list(array.shape) for name, array in inputs.items()}
            raise ExportError(f"the server at {self._address} answers {error.code().name} to {shapes}: "
                              f"{error.details()}") from error
        return {output.name: np.frombuffer(raw, NUMPY_TYPES[output.datatype]).reshape(list(output.shape))
                for output, raw in zip(response.outputs, response.raw_output_contents)}
