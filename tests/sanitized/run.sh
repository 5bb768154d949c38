#!/usr/bin/env bash
# Runs tests below a sanitizer: run.sh address-undefined|fuzz|thread [FUZZ TARGETS...]
# PYTHON and FUZZ_SECONDS (for each fuzz target) come from the environment; see `make sanitize` and
# `make fuzz`, where atheris guides the inputs.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1; shift
build=${kind/fuzz/address-undefined}
OMNIMEANS_CORE=$(ls "$PWD/build/sanitized-$build"/_core*.so)
export OMNIMEANS_CORE PYTHONPATH="$PWD/tests/sanitized"
# frames on gcc's side stack are not aligned as AVX-512 wants them
export ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4000
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1:suppressions=$PWD/tests/sanitized/tsan.txt"

tests=(tests/test_core.py tests/test_sums.py tests/test_init.py tests/test_fit.py tests/test_scaling.py
  tests/test_torture.py tests/test_empty_clusters.py tests/test_checked.py)
if [ "$kind" = thread ]; then
  # the addresses that ThreadSanitizer wants must be free
  run=(setarch -R env LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" "$PYTHON")
  if "${run[@]}" tests/sanitized/threads.py race >/dev/null 2>&1; then
    echo "ThreadSanitizer does not see a race that is there" >&2
    exit 1
  fi
  "${run[@]}" tests/sanitized/threads.py "${FUZZ_SECONDS:-60}"
elif [ "$kind" = fuzz ]; then
  "$PYTHON" -m pip install -q atheris
  asan=$("$PYTHON" -c "import atheris; print(atheris.path())")/asan_with_fuzzer.so
  run=(env LD_PRELOAD="$asan $(gcc -print-file-name=libstdc++.so)" "$PYTHON")
  for target in "$@"; do
    "${run[@]}" tests/fuzzing.py "$target" --seconds "${FUZZ_SECONDS:-60}" --seed "$RANDOM" --atheris
  done
else
  preload=$(for name in asan ubsan stdc++; do gcc -print-file-name="lib$name.so"; done | xargs)
  run=(env LD_PRELOAD="$preload" "$PYTHON")
  "${run[@]}" -m pytest -q -p no:cacheprovider "${tests[@]}"
  for target in "$@"; do "${run[@]}" tests/fuzzing.py "$target" --seconds "${FUZZ_SECONDS:-60}"; done
fi
