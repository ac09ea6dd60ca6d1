#!/usr/bin/env bash
# How long a person waits for `nodectl call`, from process start to printed answer, against a running
# noded: over TLS and plain, beside a nodectl that only prints its version. Rounds are interleaved,
# medians and ratios are printed; nothing is judged. usage: nodectl_call.sh NODED NODECTL [ROUNDS]
set -euo pipefail

noded=$(realpath "$1") nodectl=$(realpath "$2") rounds=${3:-50}
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

# Milliseconds that a command takes, appended to a file.
timed() {
  local file=$1 begin end; shift
  begin=$(date +%s%N); "$@" > out.log; end=$(date +%s%N)
  printf '%d\n' $(((end - begin) / 1000)) >> "$file"
}
for _ in $(seq "$rounds"); do
  timed version "$nodectl" -version
  timed plain_call "$nodectl" call plain@127.0.0.1 erlang node -setcookie c
  timed tls_call "$nodectl" call tls@127.0.0.1 erlang node -setcookie c $(tls you)
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
awk -v v="$(median version)" -v p="$(median plain_call)" -v t="$(median tls_call)" -v n="$rounds" 'BEGIN {
  printf "nodectl, median of %d rounds, process start to printed answer\n", n
  printf "  -version              %7.1f ms\n", v / 1000
  printf "  call over inet_tcp    %7.1f ms  %.1f x -version\n", p / 1000, p / v
  printf "  call over inet_tls    %7.1f ms  %.1f x -version, %.1f x inet_tcp\n", t / 1000, t / v, t / p
}'
