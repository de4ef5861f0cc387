"""Exports a trained PyTorch network into a model repository, its batch normalization kept and its answers verified.

    import stillwave.export
    stillwave.export.export(network.eval(), torch.zeros(1, 3, 128), "models", "ecg", verify="stillwave-server")

PyTorch is imported only by what needs it: reading and describing files works without.
"""
from stillwave.export.errors import ExportError
from stillwave.export.pipeline import Exported, export

__all__ = ["ExportError", "Exported", "export"]
