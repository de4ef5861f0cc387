"""The command line of stillwave.export."""
import argparse
import importlib
import os
import sys

from stillwave.export import ExportError, export
from stillwave.export.pipeline import BATCHNORM, TIME


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m stillwave.export",
        description="Exports a PyTorch network into a model repository, its batch normalization kept.",
        epilog="Example: python3 -m stillwave.export nets:trained_ecg --input 1,1,128 --repository models --name ecg "
               "--verify stillwave-server")
    parser.add_argument("network", metavar="MODULE:FACTORY",
                        help="a function without arguments that returns the network, in evaluation mode")
    parser.add_argument("--input", metavar="N,C,T", action="append", required=True, type=_shape,
                        help="shape of an input; again for more")
    parser.add_argument("--repository", metavar="DIR", required=True)
    parser.add_argument("--name", required=True, help="of the model")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--opset", type=int)
    parser.add_argument("--exporter", choices=("auto", "torchscript", "dynamo"), default="auto")
    parser.add_argument("--batchnorm", choices=BATCHNORM, default="keep")
    parser.add_argument("--time", choices=TIME, default="auto")
    parser.add_argument("--max_batch_size", type=int, default=32)
    parser.add_argument("--parameter", metavar="KEY=VALUE", action="append", default=[], type=_parameter,
                        help="for config.pbtxt; again for more")
    parser.add_argument("--verify", metavar="SERVER", default="none",
                        help="HOST:PORT, or a stillwave-server program (default: none)")
    return parser.parse_args(arguments)


def _shape(text):
    return tuple(int(size) for size in text.split(","))


def _parameter(text):
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE; was {text!r}")
    return key, value


def _network(text):
    """What the function of MODULE:FACTORY returns; modules of the current folder are found."""
    name, _, factory = text.partition(":")
    if not name or not factory:
        raise ExportError(f"the network must be MODULE:FACTORY; was {text!r}")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that is there may lack another one, which is for its author.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ExportError(f"there is no module {name} in this folder or on PYTHONPATH, of which {text} was to be "
                          "taken") from error
    make = getattr(module, factory, None)
    if not callable(make):
        raise ExportError(f"module {name} must have a function {factory} that returns the network; it has none")
    return make()


def main(arguments=None):
    options = parse(arguments)
    import torch

    generator = torch.Generator().manual_seed(0)
    example = tuple(torch.randn(shape, generator=generator) for shape in options.input)
    try:
        exported = export(_network(options.network), example, options.repository, options.name, version=options.version,
                          opset=options.opset, exporter=options.exporter, batchnorm=options.batchnorm,
                          time=options.time, max_batch_size=options.max_batch_size, parameters=dict(options.parameter),
                          verify=options.verify)
    except ExportError as error:
        print(f"stillwave.export: {error}", file=sys.stderr)
        return 1
    print(f"{exported.folder}, by the {exported.exporter} exporter")
    for title, layers in (("batch normalization kept", exported.kept_layers),
                          ("folded, with statistics", exported.folded_layers),
                          ("folded, cannot be watched", exported.lost_layers)):
        if layers:
            print(f"  {title}: {', '.join(layers)}")
    if exported.verification:
        result = exported.verification
        print(f"  verified: off by {result.error:.3g} at most, {result.allowed:.3g} allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
