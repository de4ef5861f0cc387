# Shared by the scripts of this folder: `source` it after `set -euo pipefail`.
# Sets REPOSITORY and changes to it; prints progress with the seconds since the script's start.
# shellcheck shell=bash

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$REPOSITORY" || exit 1
# Lets clones in other folders share what ccache holds.
export CCACHE_BASEDIR=$REPOSITORY CCACHE_NOHASHDIR=1

say() { printf '\n[%3d s] %s\n' "$SECONDS" "$*"; }
note() { printf '        %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}
usage_error() {
  printf '%s: %s; see --help\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# quietly WHAT LOG COMMAND...: runs COMMAND with its output in LOG, shows LOG's last line every 15 seconds, and on
# failure the end of LOG.
quietly() {
  local what=$1 log=$2 job status=0 shown=$SECONDS
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    if ((SECONDS - shown >= 15)); then
      shown=$SECONDS
      printf '[%3d s]   … %s\n' "$SECONDS" "$(tail -n 1 "$log" | tr -d '\r' | cut -c1-100)"
    fi
    sleep 0.2
  done
  wait "$job" || status=$?
  if ((status != 0)); then
    printf '\n%s failed (exit status %d). The end of %s:\n' "$what" "$status" "$log" >&2
    tail -n 40 "$log" >&2
    return "$status"
  fi
}

# configure_preset PRESET [CMAKE_ARGUMENT...]
configure_preset() {
  local preset=$1
  shift
  say "configuring preset '$preset'"
  quietly "the configuration" "build/$preset/configure.log" cmake --preset "$preset" "$@" \
    || fail "the configuration failed; if a package is missing, scripts/setup names and installs it"
}

# build_preset PRESET [TARGET...]: all targets when none is named
build_preset() {
  local preset=$1 target targets=() seconds=$SECONDS
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  say "building ${*:-everything} on $(nproc) cores (the first time takes minutes; log: build/$preset/build.log)"
  quietly "the build" "build/$preset/build.log" cmake --build --preset "$preset" --parallel "${JOBS:-$(nproc)}" \
    "${targets[@]}" || fail "the build failed; the compiler's first error is in build/$preset/build.log"
  note "built in $((SECONDS - seconds)) s"
}
