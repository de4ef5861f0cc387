"""The messages of the Open Inference Protocol, from the descriptors of proto/, and calls of its service.

No generated code: it would tie the package to one version of the protobuf library.
"""
import importlib.resources
import pathlib
import shutil
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DESCRIPTORS = "protocol.desc"  # written when the package is built; see setup.py
PROTOS = ("inference/model_config.proto", "inference/open_inference_grpc.proto")
SERVICE = "inference.GRPCInferenceService"


def compile_descriptors(proto_path, output):
    """Compiles PROTOS, which lie under `proto_path`, to a file of descriptors."""
    protoc = shutil.which("protoc")
    compiler = [protoc] if protoc else [sys.executable, "-m", "grpc_tools.protoc"]
    subprocess.run([*compiler, f"--proto_path={proto_path}", f"--descriptor_set_out={output}", *PROTOS], check=True)


def _descriptors():
    try:
        return importlib.resources.files("stillwave").joinpath(DESCRIPTORS).read_bytes()
    except FileNotFoundError:
        pass
    # Run from a source tree.
    proto_path = pathlib.Path(__file__).resolve().parents[3] / "proto"
    if not (proto_path / PROTOS[0]).exists():
        raise FileNotFoundError(f"the package stillwave must hold {DESCRIPTORS}; install it with pip")
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / DESCRIPTORS
        compile_descriptors(proto_path, output)
        return output.read_bytes()


class Protocol:
    """Message classes by name (`protocol.ModelInferRequest`), and calls over a channel. Thread-safe."""

    def __init__(self):
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(_descriptors()).file:
            pool.AddSerializedFile(file.SerializeToString())
        self._pool = pool
        self._service = pool.FindServiceByName(SERVICE)

    def __getattr__(self, name):
        return self._message_class(self._pool.FindMessageTypeByName(f"inference.{name}"))

    def _message_class(self, descriptor):
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self._pool).GetPrototype(descriptor)

    def call(self, channel, method, request, timeout):
        """The response of a unary method; raises grpc.RpcError."""
        response = self._message_class(self._service.methods_by_name[method].output_type)
        unary = channel.unary_unary(f"/{SERVICE}/{method}", request_serializer=type(request).SerializeToString,
                                    response_deserializer=response.FromString)
        return unary(request, timeout=timeout)
