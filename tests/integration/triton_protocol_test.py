"""The protocol as Triton's Python client speaks it, against the real server, with Debian's python3-grpcio and stubs
generated from proto/. The client itself is not in Debian; what it sends and reads is written out here.

Usage: triton_protocol_test.py SERVER MODEL STUBS [unittest arguments]
"""

import array
import asyncio
import mmap
import os
import queue
import re
import subprocess
import sys
import threading
import unittest

SKIPPED = 77  # tells ctest that the test did not run

try:
    import grpc
    from google.protobuf import json_format
except ImportError as missing:
    print(f"skipped: {missing}; scripts/setup --test installs it")
    sys.exit(SKIPPED)

SERVER, MODEL, STUBS = sys.argv[1:4]
del sys.argv[1:4]
sys.path.insert(0, STUBS)
from inference import open_inference_grpc_pb2 as messages  # noqa: E402
from inference import open_inference_grpc_pb2_grpc as services  # noqa: E402

PATIENCE = 120  # seconds, after which a call that hangs fails
NAME = "seed_block"
CHANNELS = 3
CLASSES = 5
# What Triton's clients set on every channel.
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", 2**31 - 1),
    ("grpc.max_receive_message_length", 2**31 - 1),
]


def signal(samples, length):
    """The bytes of a {samples, CHANNELS, length} FP32 tensor."""
    return array.array("f", ((i * 37 % 101) / 50 - 1 for i in range(samples * CHANNELS * length))).tobytes()


def infer_request(samples=1, length=16, request_id="", contents=True):
    """As the client builds it: raw contents, all outputs by name."""
    request = messages.ModelInferRequest(model_name=NAME, model_version="", id=request_id)
    request.inputs.add(name="x", datatype="FP32", shape=[samples, CHANNELS, length])
    request.outputs.add(name="y")
    if contents:
        request.raw_input_contents.append(signal(samples, length))
    return request


class Server:
    """The program, started once for all tests."""

    def __init__(self):
        self.process = subprocess.Popen(
            [SERVER, f"--model={MODEL}", "--workers=2", "--shared_memory", "--grpc_address=127.0.0.1:0",
             "--http_address=127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True)
        self.address = None
        for line in self.process.stderr:
            found = re.search(r" serving .*grpc_address=(\S+)", line)
            if found:
                self.address = found.group(1)
                break
        # The log must not fill its pipe.
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()
        if self.address is None:
            raise RuntimeError("the server did not start")

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)


class TritonProtocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.channel = grpc.insecure_channel(cls.server.address, options=CHANNEL_OPTIONS)
        cls.stub = services.GRPCInferenceServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        status = cls.server.stop()
        assert status == 0, f"the server ended with {status}"

    def call(self, method, request):
        return getattr(self.stub, method)(request, timeout=PATIENCE)

    def refusal(self, method, request):
        with self.assertRaises(grpc.RpcError) as raised:
            self.call(method, request)
        return raised.exception.code(), raised.exception.details()

    def infer(self, request):
        return self.call("ModelInfer", request)

    def test_the_server_and_the_model_describe_themselves(self):
        self.assertTrue(self.call("ServerLive", messages.ServerLiveRequest()).live)
        self.assertTrue(self.call("ServerReady", messages.ServerReadyRequest()).ready)
        self.assertTrue(self.call("ModelReady", messages.ModelReadyRequest(name=NAME)).ready)
        server = self.call("ServerMetadata", messages.ServerMetadataRequest())
        self.assertEqual(server.name, "stillwave")
        for extension in ("statistics", "model_configuration", "model_repository", "system_shared_memory"):
            self.assertIn(extension, server.extensions)
        model = self.call("ModelMetadata", messages.ModelMetadataRequest(name=NAME))
        self.assertEqual(list(model.inputs[0].shape), [-1, CHANNELS, -1])

    def test_the_configuration_is_the_json_that_clients_parse(self):
        config = self.call("ModelConfig", messages.ModelConfigRequest(name=NAME)).config
        text = json_format.MessageToDict(config, preserving_proto_field_name=True)
        self.assertEqual(text["max_batch_size"], 32)
        self.assertEqual(text["input"][0]["data_type"], "TYPE_FP32")
        self.assertEqual(text["input"][0]["dims"], [str(CHANNELS), "-1"])
        self.assertIn("dynamic_batching", text)
        self.assertFalse(config.model_transaction_policy.decoupled)

    def test_outputs_are_raw(self):
        response = self.infer(infer_request(samples=2, request_id="seven"))
        self.assertEqual(response.id, "seven")
        self.assertEqual(list(response.outputs[0].shape), [2, CLASSES])
        self.assertEqual(len(response.raw_output_contents[0]), 2 * CLASSES * 4)
        self.assertFalse(response.outputs[0].HasField("contents"))

    def test_the_parameters_that_the_client_sends_are_taken(self):
        request = infer_request()
        request.parameters["priority"].uint64_param = 1
        request.parameters["timeout"].int64_param = 60_000_000
        request.parameters["own"].double_param = 0.5
        request.outputs[0].parameters["binary_data"].bool_param = True
        self.assertEqual(len(self.infer(request).outputs), 1)

    def test_what_cannot_be_done_is_refused_by_name(self):
        request = infer_request()
        request.parameters["sequence_id"].int64_param = 3
        self.assertEqual(self.refusal("ModelInfer", request)[0], grpc.StatusCode.INVALID_ARGUMENT)
        request = infer_request()
        request.outputs[0].parameters["classification"].int64_param = 2
        code, details = self.refusal("ModelInfer", request)
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("classification", details)
        for kind in ("Cuda", "System"):
            self.assertTrue(hasattr(self.stub, f"{kind}SharedMemoryStatus"))
        code, details = self.refusal("CudaSharedMemoryStatus", messages.CudaSharedMemoryStatusRequest())
        self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn("CUDA", details)
        self.assertEqual(self.refusal("TraceSetting", messages.TraceSettingRequest())[0],
                         grpc.StatusCode.UNIMPLEMENTED)

    def test_statistics_count(self):
        def read():
            return self.call("ModelStatistics", messages.ModelStatisticsRequest(name=NAME)).model_stats[0]

        before = read()
        for _ in range(3):
            self.infer(infer_request(samples=4))
        after = read()
        self.assertEqual(after.inference_count - before.inference_count, 12)
        self.assertEqual(after.inference_stats.success.count - before.inference_stats.success.count, 3)
        self.assertGreater(after.inference_stats.compute_infer.ns, before.inference_stats.compute_infer.ns)
        self.assertIn(4, [batch.batch_size for batch in after.batch_stats])

    def test_calls_in_flight_are_all_answered(self):
        futures = [self.stub.ModelInfer.future(infer_request(samples=1 + i % 4, request_id=str(i)), timeout=PATIENCE)
                   for i in range(100)]
        for i, future in enumerate(futures):
            response = future.result(PATIENCE)
            self.assertEqual(response.id, str(i))
            self.assertEqual(list(response.outputs[0].shape), [1 + i % 4, CLASSES])

    def test_a_stream_as_the_client_drives_it(self):
        requests = queue.Queue()
        stream = self.stub.ModelStreamInfer(iter(requests.get, None), timeout=PATIENCE)
        for i in range(50):
            request = infer_request(request_id=str(i))
            request.parameters["triton_enable_empty_final_response"].bool_param = True
            if i == 20:
                request.inputs[0].datatype = "INT32"
            requests.put(request)
        for i in range(50):
            response = next(stream)
            self.assertEqual(response.infer_response.id, str(i))
            self.assertEqual(response.error_message != "", i == 20, response.error_message)
            if i != 20:
                self.assertTrue(response.infer_response.parameters["triton_final_response"].bool_param)
        requests.put(None)
        self.assertEqual(list(stream), [])
        self.assertEqual(stream.code(), grpc.StatusCode.OK)

    def test_a_stream_ends_with_the_error_when_the_client_asks_for_it(self):
        bad = infer_request()
        bad.inputs[0].name = "z"
        stream = self.stub.ModelStreamInfer(iter([infer_request(), bad, infer_request()]), timeout=PATIENCE,
                                            metadata=[("triton_grpc_error", "true")])
        self.assertEqual(next(stream).error_message, "")
        with self.assertRaises(grpc.RpcError) as raised:
            next(stream)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("'z'", raised.exception.details())

    def test_tensors_in_shared_memory(self):
        samples, length = 2, 16
        values = signal(samples, length)
        output_bytes = samples * CLASSES * 4
        key = f"/stillwave_test_{os.getpid()}"
        path = f"/dev/shm{key}"
        expected = self.infer(infer_request(samples, length)).raw_output_contents[0]
        with open(path, "w+b") as file:
            try:
                file.truncate(len(values) + output_bytes)
                with mmap.mmap(file.fileno(), 0) as memory:
                    memory[:len(values)] = values
                    self.call("SystemSharedMemoryRegister", messages.SystemSharedMemoryRegisterRequest(
                        name="tensors", key=key, offset=0, byte_size=len(memory)))
                    status = self.call("SystemSharedMemoryStatus", messages.SystemSharedMemoryStatusRequest())
                    self.assertEqual(status.regions["tensors"].byte_size, len(memory))
                    request = infer_request(samples, length, contents=False)
                    for tensor, size, offset in ((request.inputs[0], len(values), 0),
                                                 (request.outputs[0], output_bytes, len(values))):
                        tensor.parameters["shared_memory_region"].string_param = "tensors"
                        tensor.parameters["shared_memory_byte_size"].int64_param = size
                        if offset != 0:
                            tensor.parameters["shared_memory_offset"].int64_param = offset
                    response = self.infer(request)
                    self.assertEqual(response.outputs[0].parameters["shared_memory_byte_size"].int64_param,
                                     output_bytes)
                    self.assertEqual(memory[len(values):], expected)
                self.call("SystemSharedMemoryUnregister", messages.SystemSharedMemoryUnregisterRequest(name="tensors"))
                self.assertEqual(self.refusal("ModelInfer", request)[0], grpc.StatusCode.NOT_FOUND)
            finally:
                os.unlink(path)

    def test_the_asynchronous_client(self):
        async def run():
            async with grpc.aio.insecure_channel(self.server.address, options=CHANNEL_OPTIONS) as channel:
                stub = services.GRPCInferenceServiceStub(channel)
                answers = await asyncio.gather(
                    *(stub.ModelInfer(infer_request(request_id=str(i)), timeout=PATIENCE) for i in range(20)))
                stream = stub.ModelStreamInfer(iter([infer_request(request_id="a"), infer_request(request_id="b")]),
                                               timeout=PATIENCE)
                return [answer.id for answer in answers], [response.infer_response.id async for response in stream]

        ids, streamed = asyncio.run(run())
        self.assertEqual(ids, [str(i) for i in range(20)])
        self.assertEqual(streamed, ["a", "b"])

    def test_log_settings(self):
        request = messages.LogSettingsRequest()
        request.settings["log_verbose_level"].uint32_param = 1
        self.assertEqual(self.call("LogSettings", request).settings["log_verbose_level"].uint32_param, 1)
        request.settings["log_verbose_level"].uint32_param = 0
        self.assertEqual(self.call("LogSettings", request).settings["log_verbose_level"].uint32_param, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
