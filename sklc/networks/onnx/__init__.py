"""Graphs and sessions of ONNX."""
