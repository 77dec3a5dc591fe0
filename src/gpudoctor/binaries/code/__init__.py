"""Forms of device code: NVIDIA's containers, AMD's bundles and archives, Intel's images."""
