#!/usr/bin/env bash
# The main job, shown on real nodes: two noded and one Erlang/OTP node in one cluster over mutually
# authenticated TLS. `./dev demo` builds and runs it; every step is checked, and it cleans up.
# usage: demo.sh NODED NODECTL
set -euo pipefail

noded=$(realpath "$1") nodectl=$(realpath "$2")
scratch=$(mktemp -d) pids=()
cd "$scratch"

cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap cleanup EXIT

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'demo: FAILED: %s\n' "$*" >&2; tail -n 20 "$scratch"/*.log >&2 || true; exit 1; }
# Runs a command, shows it and its output, and checks what it prints.
expect() {
  local wanted=$1 output; shift
  printf '$ %s\n' "${*//$scratch\//}"
  output=$("$@" 2>&1) || true
  printf '%s\n' "$output"
  [[ $output == *"$wanted"* ]] || fail "expected to see: $wanted"
}
# Waits until a line of a log matches.
await() {
  local log=$1 pattern=$2 i
  for i in $(seq 300); do
    grep -qE "$pattern" "$log" 2>/dev/null && return 0
    sleep 0.1
  done
  fail "no '$pattern' in ${log##*/}"
}
free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  printf '%s' "$port"
}

export HOME=$scratch PATH=$scratch/bin:$PATH
export ERL_EPMD_PORT; ERL_EPMD_PORT=$(free_port)
mkdir bin && ln -s "$noded" bin/noded && ln -s "$nodectl" bin/nodectl

step 'An authority, and a certificate for each node'
nodectl certs init certs --nodes a@127.0.0.1,b@127.0.0.1,otp@127.0.0.1,you@127.0.0.1 | sed "s#$scratch/##"
nodectl certs init strangers --nodes you@127.0.0.1 > /dev/null
tls() { printf -- '-proto_dist inet_tls -ssl_dist_optfile %s/ssl_dist.%s@127.0.0.1.conf' "$1" "$2"; }

step 'Two noded and one Erlang/OTP node, over inet_tls'
for name in a b; do
  noded -name "$name@127.0.0.1" -setcookie oatmeal $(tls certs "$name") 2> "$name.log" & pids+=($!)
  await "$name.log" node_started
  grep node_started "$name.log"
done
erl -noshell -noinput -name otp@127.0.0.1 -setcookie oatmeal $(tls certs otp) -start_epmd false \
  -eval 'io:format("Erlang/OTP ~s is up~n", [erlang:system_info(otp_release)])' > otp.log 2>&1 & pids+=($!)
await otp.log 'is up'
cat otp.log

step 'Pings and calls, every way'
export ERL_FLAGS; ERL_FLAGS="-setcookie oatmeal $(tls "$scratch/certs" you)"
expect pong nodectl ping a@127.0.0.1
expect pong nodectl ping otp@127.0.0.1
expect pong nodectl call a@127.0.0.1 net_adm ping "'b@127.0.0.1'"
expect pong nodectl call a@127.0.0.1 net_adm ping "'otp@127.0.0.1'"
expect pong nodectl call b@127.0.0.1 net_adm ping "'otp@127.0.0.1'"
expect pong nodectl call otp@127.0.0.1 net_adm ping "'a@127.0.0.1'"
expect '{hello,[1,2,3]}' nodectl call a@127.0.0.1 rpc call "'b@127.0.0.1'" noded echo '[{hello,[1,2,3]}]'
expect '[1,2,3]' nodectl call a@127.0.0.1 rpc call "'otp@127.0.0.1'" lists seq '[1,3]'
expect "'b@127.0.0.1'" nodectl call otp@127.0.0.1 rpc call "'b@127.0.0.1'" erlang node '[]'
expect '{badrpc,{' nodectl call otp@127.0.0.1 rpc call "'a@127.0.0.1'" no such '[1]'
expect 499500 nodectl eval otp@127.0.0.1 'lists:sum([X || X <- lists:seq(1, 999)])'

step 'The links: protocol version, cipher suite, certificate of the peer'
for log in a.log b.log; do
  grep ' link_up ' "$log" | grep -v 'peer=nodectl' | sed -E 's/.*(node=[^ ]+) (peer=[^ ]+) (direction=[^ ]+).*(tls=[^ ]+) (cipher=[^ ]+) (certificate=.*)/\1 \2 \3\n    \4 \5 \6/'
done
printf '%s\n' 'noded b, asked from here:'
expect tls_version nodectl info b@127.0.0.1

step 'A wrong cookie is refused'
ERL_FLAGS="-setcookie porridge $(tls "$scratch/certs" you)" expect cookie nodectl ping a@127.0.0.1
await a.log 'handshake_refused.*bad_cookie'
grep -m1 'handshake_refused.*bad_cookie' a.log

step 'A certificate of another authority is refused'
ERL_FLAGS="-setcookie oatmeal $(tls "$scratch/strangers" you)" expect nodectl: nodectl ping a@127.0.0.1
await a.log 'handshake_refused.*(unknown_ca|bad_certificate)'
grep -m1 -E 'handshake_refused.*(unknown_ca|bad_certificate)' a.log

step 'A clean stop is seen at once'
kill -TERM "${pids[1]}"
await a.log 'link_down.*peer=b@127.0.0.1'
grep 'link_down.*peer=b@127.0.0.1' a.log
printf '\ndemo: all of it worked\n'
