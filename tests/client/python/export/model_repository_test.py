import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import support  # noqa: E402

support.need("onnx", "google.protobuf")
import onnx  # noqa: E402
from google.protobuf import text_format  # noqa: E402
from stillwave import protocol  # noqa: E402
from stillwave.export import ExportError, model_repository  # noqa: E402


def seed_block():
    return onnx.load(str(support.MODELS / "seed_block" / "model.onnx"))


class ModelRepository(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.repository = pathlib.Path(folder.name) / "models"

    def write(self, version, config="x"):
        return model_repository.write(self.repository, "ecg", version, seed_block(), config)

    def refusal(self, *place):
        with self.assertRaises(ExportError) as raised:
            model_repository.check_place(self.repository, *place)
        return str(raised.exception)

    def test_the_configuration_is_a_model_config(self):
        text = model_repository.config_text('a "b" \\ c', seed_block(), 8, {"window_length": 128})
        config = text_format.Parse(text, protocol.Protocol().ModelConfig())
        self.assertEqual((config.name, config.max_batch_size), ('a "b" \\ c', 8))
        self.assertEqual((config.input[0].name, list(config.input[0].dims)), ("x", [3, -1]))
        self.assertEqual((config.output[0].name, list(config.output[0].dims)), ("y", [5]))
        self.assertEqual(config.parameters["window_length"].string_value, "128")

    def test_a_version_is_written_whole_with_nothing_beside_it(self):
        folder = self.write(3, "the text")
        self.assertEqual(folder, self.repository / "ecg" / "3")
        self.assertEqual(onnx.load(str(folder / "model.onnx")), seed_block())
        self.assertEqual(sorted(entry.name for entry in folder.parent.iterdir()), ["3", "config.pbtxt"])
        self.assertEqual((folder.parent / "config.pbtxt").read_text(encoding="utf-8"), "the text")

    def test_the_configuration_of_earlier_versions_stays(self):
        self.write(1, "first")
        self.write(2, "second")
        self.assertEqual((self.repository / "ecg" / "config.pbtxt").read_text(encoding="utf-8"), "first")

    def test_a_version_that_is_there_is_refused_and_the_next_is_named(self):
        self.write(1)
        self.write(9)
        self.assertIn("version 1 of ecg is there already", self.refusal("ecg", 1))
        self.assertIn("export version 10", self.refusal("ecg", 1))

    def test_names_and_versions_that_are_no_folders_are_refused(self):
        for name in ("", ".hidden", "a/b", "..", None, 7):
            self.assertIn(f"was {name!r}", self.refusal(name, 1))
        for version in (0, -1, "1", True):
            self.assertIn(f"was {version!r}", self.refusal("ecg", version))


if __name__ == "__main__":
    support.main()
