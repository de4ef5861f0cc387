"""Python tools around the Stillwave inference server."""
