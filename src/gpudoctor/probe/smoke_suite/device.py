"""What torch says of the device, and which tests that makes meaningful.

Under ROCm `torch.cuda` is the interface all the same, and `torch.version.hip` is set ("HIP
(ROCm) semantics", PyTorch documentation).
"""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional


def version(torch: Any) -> Dict[str, Any]:
    """What torch is: version, CUDA or HIP, compiled architectures, libraries."""
    info: Dict[str, Any] = {
        "version": str(getattr(torch, "__version__", "")),
        "cuda": getattr(getattr(torch, "version", None), "cuda", None),
        "hip": getattr(getattr(torch, "version", None), "hip", None),
        "file": getattr(torch, "__file__", None),
    }
    for name, read in (
        ("architectures", lambda: list(torch.cuda.get_arch_list())),
        ("cudnn", lambda: torch.backends.cudnn.version()),
    ):
        try:
            info[name] = read()
        except Exception:
            info[name] = None
    return info


def describe(torch: Any, device: Any) -> Dict[str, Any]:
    """Name, capability, memory and multiprocessors of a GPU; an empty object for the CPU."""
    if device.type != "cuda":
        return {"name": "CPU", "threads": torch.get_num_threads()}
    properties = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    return {
        "name": properties.name,
        "capability": "%d.%d" % (properties.major, properties.minor),
        "memory_bytes": total,
        "memory_free_bytes": free,
        "multiprocessors": properties.multi_processor_count,
        "integrated": bool(getattr(properties, "is_integrated", False)),
        "devices": torch.cuda.device_count(),
        "l2_bytes": getattr(properties, "L2_cache_size", None),
        "gfx": gfx_of(torch, device),
    }


def gfx_of(torch: Any, device: Any) -> Optional[str]:
    """The instruction set of an AMD GPU, `gfx90a`; None of any other device."""
    if device.type != "cuda" or not is_hip(torch):
        return None
    name = str(getattr(torch.cuda.get_device_properties(device), "gcnArchName", ""))
    return name.split(":")[0] or None


def is_hip(torch: Any) -> bool:
    """Whether torch was built for ROCm."""
    return bool(getattr(getattr(torch, "version", None), "hip", None))


def features(
    torch: Any, device: Any, info: Dict[str, Any], plan: Dict[str, Any]
) -> Dict[str, bool]:
    """Words that tests may need: dtypes, `cuda`, `float8`, `attention`, `several-gpus` …

    The capability from which the hardware has a dtype comes with the plan (`capabilities`).
    """
    on_gpu = device.type == "cuda"
    hip = is_hip(torch)
    found = {
        "float32": True,
        "float64": True,
        "cuda": on_gpu,
        "nvidia": on_gpu and not hip,
        "cpu": not on_gpu,
        "attention": hasattr(torch.nn.functional, "scaled_dot_product_attention"),
        "compile": hasattr(torch, "compile") and sys.platform != "win32",
        "graphs": on_gpu and hasattr(torch.cuda, "CUDAGraph"),
        "several-gpus": on_gpu and int(info.get("devices", 1)) > 1,
    }
    for dtype, least in plan["capabilities"].items():
        if on_gpu and not hip:
            own = tuple(int(part) for part in str(info["capability"]).split("."))
            found[dtype] = own >= tuple(int(part) for part in str(least).split("."))
        else:
            found[dtype] = dtype in ("float16", "bfloat16")
    # Without a GPU, the compiler writes C++ instead of Triton.
    found["compile"] = found["compile"] and (hip or not on_gpu or found.get("triton", False))
    found["float8"] = (
        (found.get("float8", False) or float8_type(torch, device, plan) is not None)
        and hasattr(torch, "float8_e4m3fn")
        and hasattr(torch, "_scaled_mm")
    )
    return found


def float8_type(torch: Any, device: Any, plan: Dict[str, Any]) -> Optional[str]:
    """The name of the float8 type that the device multiplies; None: that ROCm has none for it.

    CDNA 3 has a format of its own (no infinities, no negative zero); the plan says which GPU has
    which.
    """
    if not is_hip(torch):
        return "float8_e4m3fn"
    known = plan.get("float8_types", {})
    return known.get(gfx_of(torch, device)) if device.type == "cuda" else None


def left_out(torch: Any, device: Any, found: Dict[str, bool]) -> Dict[str, str]:
    """What a ROCm build cannot do on an AMD GPU, with the reason: by test, dtype or feature."""
    if device.type != "cuda" or not is_hip(torch):
        return {}
    reasons = {
        "tfloat32": "TF32 is a format of NVIDIA's GPUs; ROCm multiplies float32 as it is",
        "attention-cudnn": "cuDNN is NVIDIA's; its place in ROCm is MIOpen's, without attention",
    }
    if not found["float8"]:
        reasons["float8"] = "ROCm has no float8 products for %s" % (gfx_of(torch, device) or "it")
    if not hasattr(torch._C, "_nccl_all_reduce"):
        reasons["all-reduce"] = "this build has no RCCL, ROCm's NCCL"
    if sys.platform == "win32":
        reasons["compile"] = "Triton for AMD GPUs is for Linux alone"
    return reasons
