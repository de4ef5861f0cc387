"""What goes wrong in an export for a reason that its caller can remove."""


class ExportError(Exception):
    """Says what was refused, by which rule, and what to do about it."""
