#!/usr/bin/env bash
# Check what of benchsuite needs an NVIDIA GPU, on a machine without a network: run.sh [--rehearse] WHEELS [OUT]
set -euo pipefail
exec "${PYTHON:-python3}" "$(dirname "${BASH_SOURCE[0]}")/check.py" "$@"
