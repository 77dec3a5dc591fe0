# ruff: noqa: E501 - messages stand as their programs print them
"""Families of messages beyond the public cases: each program's own words name the cause first."""

from __future__ import annotations

import pytest

from gpudoctor.triage.report_on_text import of_string

MESSAGES = [
    # container
    ("container-toolkit-missing", 'docker: Error response from daemon: could not select device driver "nvidia" with capabilities: [[gpu]].'),
    ("container-toolkit-missing", "docker: Error response from daemon: unknown or invalid runtime name: nvidia."),
    ("container-host-driver-missing", "nvidia-container-cli: initialization error: load library failed: libcuda.so.1: cannot open shared object file: no such file or directory"),
    ("container-host-driver-missing", "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/merged/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1: file exists: unknown"),
    ("nvml-driver-library-mismatch", "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown."),
    ("container-shm-too-small", "RuntimeError: DataLoader worker (pid 1234) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit."),
    ("container-shm-too-small", "misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-AbCdEf to 33030532 bytes, error: No space left on device (28)"),
    ("container-started-without-gpu", "WARNING: The NVIDIA Driver was not detected.  GPU functionality will not be available.\n   Use the NVIDIA Container Toolkit to start this container with GPU support; see\n   https://docs.nvidia.com/datacenter/cloud-native/ ."),
    ("driver-too-old", "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.6, please update your driver to a newer version, or use an earlier cuda container: unknown."),
    ("container-cgroup-device-loss", "After a few hours nvidia-smi inside the container says:\nFailed to initialize NVML: Unknown Error"),
    ("device-node-permissions", "Failed to initialize NVML: Insufficient Permissions"),
    ("cuda-visible-devices-hides-gpus", 'export CUDA_VISIBLE_DEVICES=""\nRuntimeError: No CUDA GPUs are available'),
    # driver
    ("kernel-module-missing-after-kernel-update", "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0-45-generic"),
    ("secure-boot-module-rejected", "modprobe: ERROR: could not insert 'nvidia': Required key not available"),
    ("nouveau-owns-gpu", "01:00.0 VGA compatible controller: NVIDIA Corporation GA104 [GeForce RTX 3070]\n\tKernel driver in use: nouveau\n\tKernel modules: nvidiafb, nouveau"),
    ("open-kernel-module-required", "NVRM: installed in this system requires use of the NVIDIA open kernel modules."),
    ("gpu-needs-other-driver-branch", "NVRM: The NVIDIA GeForce GT 710 GPU installed in this system is\nNVRM:  supported through the NVIDIA 470.xx Legacy drivers. Please\nNVRM:  visit http://www.nvidia.com/object/unix.html for more"),
    ("driver-too-old", "UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver"),
    ("driver-too-old", "RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version"),
    ("libcuda-kernel-module-mismatch", "Error 803: system has unsupported display driver / cuda driver combination"),
    ("nvml-driver-library-mismatch", "NVMLError_LibRmVersionMismatch: Driver/library version mismatch\nNVML library version: 550.120"),
    ("fabric-manager-not-running", "CUDA failure 802: system not yet initialized ; GPU=0"),
    ("gsp-firmware-timeout", "NVRM: Xid (PCI:0000:41:00): 120, pid='<unknown>', name=<unknown>, GSP task timeout @ pc:0x1a"),
    ("gpu-fell-off-bus", "NVRM: Xid (PCI:0000:0a:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."),
    ("gpu-fell-off-bus", "Unable to determine the device handle for GPU 0000:0A:00.0: GPU is lost.  Reboot the system to recover this GPU"),
    ("ecc-uncorrectable", "NVRM: Xid (PCI:0000:3b:00): 94, pid=7194, name=python, Contained: SM (0x1). RST: No, D-RST: No"),
    ("gpu-exclusive-process-mode", "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable"),
    ("ptx-unsupported-toolchain", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the provided PTX was compiled with an unsupported toolchain."),
    ("stub-libcuda-on-path", "CUDA error: CUDA driver is a stub library"),
    ("cuda-unknown-999-uvm-after-suspend", "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero."),
    # wheels
    ("torch-dropped-arch-old-gpu", "Found GPU0 Tesla K80 which is of cuda capability 3.7.\n    PyTorch no longer supports this GPU because it is too old.\n    The minimum cuda capability supported by this library is 5.0."),
    ("torch-lacks-arch-new-gpu", "NVIDIA RTX PRO 6000 Blackwell Workstation Edition with CUDA capability sm_120 is not compatible with the current PyTorch installation."),
    ("cpu-only-torch", "AssertionError: Torch not compiled with CUDA enabled"),
    ("cpu-only-torch", "NotImplementedError: Could not run 'aten::empty_strided' with arguments from the 'CUDA' backend."),
    ("python-unsupported", "ERROR: Could not find a version that satisfies the requirement torch (from versions: none)\nPython 3.14.0"),
    ("nonexistent-wheel", "ERROR: Could not find a version that satisfies the requirement torch==2.6.0+cu121 (from versions: 2.2.0+cu121, 2.3.0+cu121, 2.4.0+cu121, 2.5.1+cu121)"),
    ("torch-missing", "ModuleNotFoundError: No module named 'torch'"),
    ("torchvision-torchaudio-version-mismatch", "torchvision 0.20.1 requires torch==2.5.1, but you have torch 2.6.0 which is incompatible."),
    ("torchvision-torchaudio-version-mismatch", "AttributeError: partially initialized module 'torchvision' has no attribute 'extension' (most likely due to a circular import)"),
    ("cuda-library-pin-mismatch", "torch 2.6.0 requires nvidia-cublas-cu12==12.4.5.8; platform_system == \"Linux\", but you have nvidia-cublas-cu12 12.9.1.4 which is incompatible."),
    # libraries
    ("cudnn-version-incompatible", "RuntimeError: cuDNN version incompatibility: PyTorch was compiled against (9, 1, 0) but found runtime version (8, 9, 2)."),
    ("cudnn-sublibrary-not-found", "Could not locate cudnn_ops_infer64_8.dll. Please make sure it is in your library path!"),
    ("cudnn-sublibrary-mixed-versions", "RuntimeError: cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"),
    ("nvjitlink-older-on-library-path", "ImportError: libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12"),
    ("cupti-older-on-library-path", "ImportError: libtorch_cpu.so: undefined symbol: cuptiActivityEnableDriverApi, version libcupti.so.12"),
    ("nccl-older-copy-loaded", "ImportError: libtorch_cuda.so: undefined symbol: ncclCommWindowRegister"),
    ("cuda-wheel-library-missing", "ValueError: libcublas.so.*[0-9] not found in the system path ['/home/u/venv/lib/python3.10/site-packages']"),
    ("extension-other-cuda-major", "ImportError: libcudart.so.11.0: cannot open shared object file: No such file or directory\ntorch 2.6.0+cu124, flash_attn"),
    ("extension-torch-abi-mismatch", "ImportError: /opt/venv/lib/python3.11/site-packages/vllm/_C.abi3.so: undefined symbol: _ZNK3c1011StorageImpl27throw_data_ptr_access_errorEv"),
    ("libstdcxx-too-old", "ImportError: /opt/conda/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by x.cpython-311.so)"),
    ("glibc-too-old-for-wheel", "ImportError: /lib64/libm.so.6: version `GLIBC_2.29' not found (required by /opt/lib/python3.9/site-packages/torch_scatter/_scatter_cuda.so)"),
    ("duplicate-openmp-runtime", "OMP: Error #15: Initializing libomp.dylib, but found libiomp5.dylib already initialized."),
    ("nvrtc-builtins-missing", "nvrtc: error: failed to open libnvrtc-builtins.so.12.1.\n  Make sure that libnvrtc-builtins.so.12.1 is installed correctly."),
    ("xformers-built-for-other-torch", "WARNING[XFORMERS]: xFormers can't load C++/CUDA extensions. xFormers was built for:\n    PyTorch 2.5.1+cu121 with CUDA 1201 (you have 2.6.0+cu124)"),
    ("bitsandbytes-no-binary-for-cuda", "Could not find the bitsandbytes CUDA binary at PosixPath('/opt/bitsandbytes/libbitsandbytes_cuda128.so')"),
    ("triton-ptxas-too-old", "RuntimeError: Internal Triton PTX codegen error: \nptxas fatal   : Value 'sm_120' is not defined for option 'gpu-name'"),
    ("triton-torch-version-mismatch", "ImportError: cannot import name 'triton_key' from 'triton.compiler.compiler'"),
    ("triton-libcuda-link-missing", "/usr/bin/ld: cannot find -lcuda: No such file or directory\ncollect2: error: ld returned 1 exit status"),
    ("triton-not-installed-windows", "torch._inductor.exc.TritonMissing: Cannot find a working triton installation. Either the package is not installed or it is too old."),
    ("c-compiler-missing-for-triton", "torch._inductor.exc.InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')"),
    ("python-headers-missing", "/tmp/tmpx/main.c:5:10: fatal error: Python.h: No such file or directory"),
    ("nvcc-missing-cuda-home-unset", "OSError: CUDA_HOME environment variable is not set. Please set it to your CUDA install root."),
    ("nvcc-too-old-for-gpu", "nvcc fatal   : Unsupported gpu architecture 'compute_120'"),
    ("nvcc-torch-cuda-mismatch", "RuntimeError: \nThe detected CUDA version (11.8) mismatches the version that was used to compile\nPyTorch (12.4). Please make sure to use the same CUDA versions."),
    ("host-gcc-too-new-for-nvcc", "/usr/local/cuda/include/crt/host_config.h:143:2: error: #error -- unsupported GNU version! gcc versions later than 12 are not supported!"),
    ("flash-attn-unsupported-gpu", "RuntimeError: FlashAttention only supports Ampere GPUs or newer."),
    # run time
    ("oom-model-too-large", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 8.00 GiB of which 512.00 MiB is free. Of the allocated memory 6.90 GiB is allocated by PyTorch, and 120.00 MiB is reserved by PyTorch but unallocated."),
    ("gpu-memory-held-by-other-process", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 24.00 GiB of which 100.00 MiB is free. Process 1234 has 22.00 GiB memory in use. Of the allocated memory 1.20 GiB is allocated by PyTorch, and 20.00 MiB is reserved by PyTorch but unallocated."),
    ("handle-create-failed-really-oom", "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ("device-side-assert", "torch.AcceleratorError: CUDA error: device-side assert triggered"),
    ("label-out-of-range", "IndexError: Target 10 is out of bounds."),
    ("label-out-of-range", "/pytorch/aten/src/ATen/native/cuda/Loss.cu:94: operator(): block: [0,0,0], thread: [1,0,0] Assertion `input_val >= zero && input_val <= one` failed."),
    ("index-out-of-range-embedding", "IndexError: index out of range in self"),
    ("gather-scatter-out-of-range", "/pytorch/aten/src/ATen/native/cuda/ScatterGatherKernel.cu:144: operator(): block: [0,0,0], thread: [0,0,0] Assertion `idx_dim >= 0 && idx_dim < index_size && \"index out of bounds\"` failed.\nRuntimeError: CUDA error: device-side assert triggered"),
    ("dtype-mismatch", "RuntimeError: mat1 and mat2 must have the same dtype, but got Float and BFloat16"),
    ("dtype-mismatch", "RuntimeError: Input type (float) and bias type (c10::Half) should be the same"),
    ("illegal-memory-access", "torch.AcceleratorError: CUDA error: an illegal memory access was encountered"),
    ("illegal-memory-access", "CUDA error: misaligned address"),
    ("cuda-after-fork", "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start method"),
    ("more-processes-than-gpus", "RuntimeError: CUDA error: invalid device ordinal"),
    ("more-processes-than-gpus", "ncclInvalidUsage: This usually reflects invalid usage of NCCL library.\nDuplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000"),
    ("nccl-collective-timeout", "[rank3]:[E ProcessGroupNCCL.cpp:616] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1, OpType=ALLREDUCE, NumelIn=1) ran for 600012 milliseconds before timing out."),
    ("bf16-unsupported-gpu", "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has compute capability 7.5."),
    ("fp8-unsupported-gpu", "ValueError: type fp8e4nv not supported in this architecture. The supported fp8 dtypes are ('fp8e4b15', 'fp8e5')"),
    ("torch-load-weights-only-default", "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded, to do so you have two options"),
    ("display-watchdog-timeout", "RuntimeError: CUDA error: the launch timed out and was terminated"),
    # AMD, Intel, Apple
    ("rocm-torch-lacks-gfx", "RuntimeError: HIP error: invalid device function"),
    ("rocm-torch-lacks-gfx", "rocBLAS error: Cannot read /opt/rocm/lib/rocblas/library/TensileLibrary.dat: Illegal seek for GPU arch : gfx1036"),
    ("amd-device-permissions", "Unable to open /dev/kfd read-write: Permission denied"),
    ("intel-gpu-needs-xpu-torch", "AssertionError: Torch not compiled with XPU enabled"),
    ("amd-gpu-needs-rocm-torch", "GPU: AMD Radeon RX 7900 XTX, Ubuntu 24.04\nAssertionError: Torch not compiled with CUDA enabled"),
    ("no-cuda-on-mac", "MacBook Pro M3, macOS 14.5\nAssertionError: Torch not compiled with CUDA enabled"),
    ("platform-dropped-intel-mac", "macOS 13.6 Intel Mac x86_64, Python 3.11\nERROR: Could not find a version that satisfies the requirement torch==2.5.1 (from versions: 2.0.0, 2.0.1, 2.1.0, 2.1.1, 2.1.2, 2.2.0, 2.2.1, 2.2.2)"),
    # Windows and WSL
    ("windows-vc-redist-outdated", 'OSError: [WinError 1114] A dynamic link library (DLL) initialization routine failed. Error loading "C:\\Python311\\Lib\\site-packages\\torch\\lib\\c10.dll" or one of its dependencies.'),
    ("windows-missing-vc-openmp-runtime", 'OSError: [WinError 126] The specified module could not be found. Error loading "C:\\venv\\lib\\site-packages\\torch\\lib\\fbgemm.dll" or one of its dependencies.'),
    ("windows-paging-file-too-small", "OSError: [WinError 1455] The paging file is too small for this operation to complete."),
    ("wsl-libcuda-not-symlink", "/sbin/ldconfig.real: /usr/lib/wsl/lib/libcuda.so.1 is not a symbolic link"),
    ("wsl-linux-driver-installed", "WSL2 Ubuntu 22.04\n$ nvidia-smi\nFailed to initialize NVML: GPU access blocked by the operating system\n$ sudo apt install nvidia-utils-535"),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "text"), MESSAGES)
def test_the_message_names_its_cause(cause, text):
    names = [finding.name for finding in of_string(text).findings]
    assert names[:1] == [cause], names
