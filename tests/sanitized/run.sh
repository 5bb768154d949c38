#!/usr/bin/env bash
# Runs tests below a sanitizer: run.sh address-undefined|fuzz|short|thread [FUZZ TARGETS...]
# PYTHON and FUZZ_SECONDS (for each fuzz target) come from the environment; see `make sanitize` and
# `make fuzz`, where atheris guides the inputs.  `short` draws the same inputs each time.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1; shift
case $kind in
fuzz | short) build=address-undefined ;;
*) build=$kind ;;
esac
core=$(ls "$PWD/build/sanitized-$build"/_core*.so)
# frames on gcc's side stack are not aligned as AVX-512 wants them
export ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4000
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1:suppressions=$PWD/tests/sanitized/tsan.txt"
seconds=${FUZZ_SECONDS:-60}

# Python with the core of this build, and these libraries before all others
python_with() {
  local libraries=()
  for name in "$@"; do
    case $name in /*) libraries+=("$name") ;; *) libraries+=("$(gcc -print-file-name="lib$name.so")") ;; esac
  done
  run=(env LD_PRELOAD="${libraries[*]}" OMNIMEANS_CORE="$core" PYTHONPATH="$PWD/tests/sanitized" "$PYTHON")
}
# runs it, and keeps count of the hours
noted() { "$PYTHON" tests/fuzz_hours.py "$1" -- "${run[@]}" "${@:2}"; }

tests=(tests/test_core.py tests/test_sums.py tests/test_init.py tests/test_fit.py tests/test_scaling.py
  tests/test_torture.py tests/test_empty_clusters.py tests/test_checked.py)
case $kind in
thread)
  python_with tsan
  run=(setarch -R "${run[@]}") # the addresses that ThreadSanitizer wants must be free
  if "${run[@]}" tests/sanitized/threads.py race >/dev/null 2>&1; then
    echo "ThreadSanitizer does not see a race that is there" >&2
    exit 1
  fi
  noted "fits in threads, ThreadSanitizer" tests/sanitized/threads.py "$seconds"
  ;;
short)
  python_with asan ubsan stdc++
  for target in "$@"; do
    "${run[@]}" tests/fuzzing.py "$target" --seconds "$seconds" --seed 1
  done
  ;;
fuzz)
  "$PYTHON" -m pip install -q atheris
  python_with "$("$PYTHON" -c "import atheris; print(atheris.path())")/asan_with_fuzzer.so" stdc++
  for target in "$@"; do
    noted "$target, guided by atheris, AddressSanitizer and UBSan" \
      tests/fuzzing.py "$target" --seconds "$seconds" --seed "$RANDOM" --atheris
  done
  ;;
address-undefined)
  python_with asan ubsan stdc++
  "${run[@]}" -m pytest -q -p no:cacheprovider "${tests[@]}"
  for target in "$@"; do
    noted "$target, drawn and mutated, AddressSanitizer and UBSan" \
      tests/fuzzing.py "$target" --seconds "$seconds" --seed "$RANDOM"
  done
  ;;
esac
