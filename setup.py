"""Packaging of mobilenet_tf."""

from pathlib import Path

from setuptools import find_packages, setup

# Versions that the records and the tests were made with.
PINS = [
    "absl-py==2.5.1",
    "keras==3.15.1",
    "matplotlib==3.11.2",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "tensorflow==2.21.0",
    "tensorflow-datasets==4.9.10",
]

setup(
    name="mobilenet_tf",
    version="0.1.0",
    description="MobileNets and SqueezeNet in Keras 3: networks, tables and tools",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["mobilenet_tf*"]),
    package_data={
        "mobilenet_tf": ["py.typed"],
        "mobilenet_tf.codec": ["FORMAT.md"],
        "mobilenet_tf.models": ["imagenet_classes.txt"],
    },
    install_requires=[
        "absl-py>=1.4",
        "h5py",
        "keras>=3.13",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "tensorflow>=2.19,<2.22",
        "tensorflow-datasets>=4.9.9",
        # tensorflow-datasets needs both and declares neither.
        "importlib_resources",
        "pillow",
    ],
    extras_require={
        "pinned": PINS,
        "jax": ["jax"],
        "torch": ["torch"],
        # The toolkit's own requirements (NumPy 1, absl 1, so no Python 3.13) are older
        # than it needs; the Makefile installs it without them beside the pins.
        "compression": [
            "constriction>=0.4",
            "tensorflow-model-optimization==0.8.0",
            "tf_keras>=2.19,<2.22",
        ],
        "export": ["ai-edge-litert>=2.1", "onnx", "onnxruntime", "tf2onnx>=1.17"],
        "test": [
            "ai-edge-litert==2.3.0",
            "brotli==1.2.1",
            "constriction==0.5.0",
            "dm-tree==0.1.10",
            "jax==0.10.2",
            "onnx==1.23.2",
            "onnxruntime==1.31.1",
            "pytest==9.2.0",
            "pytest-xdist==3.8.0",
            "six==1.17.0",
            "tf2onnx==1.17.0",
            "tf_keras==2.21.0",
            "zstandard==0.25.0",
        ],
        "dev": ["pre-commit", "ruff==0.17.5"],
    },
)
