"""Models as files: safetensors with a versioned JSON header, no pickle; reading runs nothing."""

from omnimeans.persistence.exchange import to_onnx
from omnimeans.persistence.files import load, save

__all__ = ["load", "save", "to_onnx"]
