"""Compiles the protocol's descriptors into the package; everything else is in pyproject.toml."""
import pathlib
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class BuildWithDescriptors(build_py):
    def run(self):
        super().run()
        from stillwave import protocol

        output = pathlib.Path(self.build_lib) / "stillwave" / protocol.DESCRIPTORS
        output.parent.mkdir(parents=True, exist_ok=True)
        protocol.compile_descriptors(HERE.parents[1] / "proto", output)


setup(cmdclass={"build_py": BuildWithDescriptors})
