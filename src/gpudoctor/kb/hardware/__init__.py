"""GPUs as they are sold: NVIDIA's, AMD's and Intel's."""
