"""Say what GPU PyTorch and NVML see here: `key: value` lines; the last one is `gpu: NAME` or `no gpu: WHY`."""

from __future__ import annotations

import shutil
import subprocess

import torch

from benchsuite.backends.cuda import torch_without_cuda
from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import read_machine
from benchsuite.machine.nvml import read_gpu

_SMI = (
    "name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit,persistence_mode,compute_mode,"
    "mig.mode.current,ecc.mode.current"
)


def main() -> None:
    """Print the facts, the GPU last."""
    print(f"torch: {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
    print(f"built for: {' '.join(torch.cuda.get_arch_list()) or 'not told without a GPU'}")
    print(f"C compiler: {shutil.which('gcc') or shutil.which('cc') or shutil.which('clang') or 'none'}")
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", f"--query-gpu={_SMI}", "--format=csv"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
        print(f"nvidia-smi: {(told.stdout or told.stderr).strip()}")
    machine = read_machine(recorded_packages())
    for gpu in machine.gpus:
        print(f"NVML: {gpu.name}, compute capability {gpu.compute}, {gpu.memory_bytes / 1e9:.1f} GB, {gpu.uuid}")
        print(f"NVML: {read_gpu(gpu.uuid)}")
    if not machine.gpus:
        print("no gpu: NVML lists none")
    elif not torch.cuda.is_available():
        print(f"no gpu: {torch_without_cuda(torch)}")
    else:
        gpu = machine.gpus[0]
        print(
            f"gpu: {gpu.name}, compute capability {gpu.compute}, driver {machine.gpu_driver}, torch {torch.__version__}"
        )


if __name__ == "__main__":
    main()
