"""What the tests of client/python share."""
import importlib
import pathlib
import sys
import unittest

SKIPPED = 77  # tells ctest that the test did not run
ROOT = pathlib.Path(__file__).resolve().parents[3]
MODELS = ROOT / "tests" / "data" / "models"

sys.path.insert(0, str(ROOT / "client" / "python"))


def need(*modules):
    """Ends the program as skipped, with the reason, where one of the modules is missing."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as missing:
            print(f"skipped: {missing}; client/python/README.md says how to run this")
            sys.exit(SKIPPED)


def need_exporter(test, exporter):
    """Skips a test, or a part of one, with the reason, where PyTorch lacks the exporter."""
    from stillwave.export import ExportError, exporters

    try:
        exporters.choose(exporter)
    except ExportError as reason:
        test.skipTest(str(reason))


def main():
    unittest.main(verbosity=2)
