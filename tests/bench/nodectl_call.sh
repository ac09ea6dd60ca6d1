#!/usr/bin/env bash
# How long a person waits for `nodectl call`, from process start to printed answer, against a running
# noded: over TLS and plain, beside a nodectl that only prints its version and the smallest program.
# Rounds are interleaved, medians and ratios are printed; nothing is judged.
# usage: nodectl_call.sh NODED NODECTL ANSWER_TIME [ROUNDS]
set -euo pipefail

noded=$(realpath "$1") nodectl=$(realpath "$2") answer_time=$(realpath "$3") rounds=${4:-50}
scratch=$(mktemp -d) pids=()
cd "$scratch"
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap cleanup EXIT
export HOME=$scratch ERL_EPMD_PORT=$((20000 + RANDOM % 20000))

"$nodectl" certs init certs --nodes tls@127.0.0.1,plain@127.0.0.1,you@127.0.0.1 > certs.log
tls() { printf -- '-proto_dist inet_tls -ssl_dist_optfile %s/certs/ssl_dist.%s@127.0.0.1.conf' "$scratch" "$1"; }
"$noded" -name tls@127.0.0.1 -setcookie c $(tls tls) 2> tls.log & pids+=($!)
for i in $(seq 100); do grep -q node_started tls.log && break; sleep 0.1; done
"$noded" -name plain@127.0.0.1 -setcookie c 2> plain.log & pids+=($!)
for i in $(seq 100); do grep -q node_started plain.log && break; sleep 0.1; done

# Microseconds to a command's answer and to its exit, appended to a file.
timed() {
  local file=$1; shift
  "$answer_time" "$@" >> "$file"
}
for _ in $(seq "$rounds"); do
  timed nothing /bin/echo
  timed version "$nodectl" -version
  timed plain_call "$nodectl" call plain@127.0.0.1 erlang node -setcookie c
  timed tls_call "$nodectl" call tls@127.0.0.1 erlang node -setcookie c $(tls you)
done
# The median of a file's column: 1 the answer, 2 the exit.
median() {
  cut -d ' ' -f "$2" "$1" | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'
}
ratio() { awk -v a="$(median "$1" 1)" -v b="$(median "$2" 1)" 'BEGIN { printf "%.1f", a / b }'; }
row() {
  local label=$1 file=$2
  printf '  %-20s %7s ms  %7s ms  %5s x -version\n' \
    "$label" "$(median "$file" 1)" "$(median "$file" 2)" "$(ratio "$file" version)"
}
printf 'nodectl, median of %d rounds, from process start to the answer, and to the exit\n' "$rounds"
row '/bin/echo' nothing
row '-version' version
row 'call over inet_tcp' plain_call
row 'call over inet_tls' tls_call
