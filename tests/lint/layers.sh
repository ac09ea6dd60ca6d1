#!/usr/bin/env bash
# Holds the tree to its layout: who may include whom, which parts know no socket, how long a file may be.
# Prints every breach with its mend; exit status 1 when there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

breaches=0
breach() { printf 'layout: %s\n' "$*" >&2; breaches=$((breaches + 1)); }

sources() { git ls-files -co --exclude-standard "$@"; }

# Includes run upward in this list only.
layers=(base tls dist node cli)
for i in "${!layers[@]}"; do
  for above in "${layers[@]:i+1}"; do
    while IFS= read -r hit; do
      breach "$hit: ${layers[i]}/ may not include $above/; move the code or turn the dependency round"
    done < <(sources "${layers[i]}/*.h" "${layers[i]}/*.cc" | xargs -r grep -n "#include \"$above/" || true)
  done
done
while IFS= read -r hit; do
  breach "$hit: in dist/ only carrier/tls* may include tls/"
done < <(sources 'dist/*.h' 'dist/*.cc' | grep -v '^dist/carrier/tls' | xargs -r grep -n '#include "tls/' || true)

# Protocol code knows no socket, thread or loop.
waits='^(tls/(crl_fetcher|tls_stream|ssl|engine_driver)|dist/(epmd_client|epmd_server|link|handshake_driver)|dist/carrier/|base/(awaited|deadline|loop|task|stream|tcp_|memory_stream|prefixed_stream|stream_test))'
while IFS= read -r hit; do
  breach "$hit: this part is sans-IO; drive it from a driver instead"
done < <(sources 'base/*.h' 'base/*.cc' 'tls/*.h' 'tls/*.cc' 'dist/*.h' 'dist/*.cc' | grep -vE "$waits" |
  xargs -r grep -nE '#include [<"](asio|grpcpp|base/(deadline|loop|task|stream)\.h)' || true)

# mbedTLS is met in tls/ alone, but for base's digests.
while IFS= read -r hit; do
  breach "$hit: mbedTLS belongs to tls/"
done < <(sources 'base/*' 'dist/*' 'node/*' 'cli/*' | grep -v '^base/digest' | xargs -r grep -nE '#include [<"](mbedtls|psa)/' || true)

for file in $(sources '*.h'); do
  grep -q '^#pragma once' "$file" || case $file in third_party/*) ;; *) breach "$file: no #pragma once" ;; esac
  lines=$(wc -l < "$file")
  [ "$lines" -le 200 ] || breach "$file: $lines lines; a header with more than 200 holds a second idea: split it"
done
for file in $(sources '*.cc' | grep -v '_test\.cc$'); do
  lines=$(wc -l < "$file")
  [ "$lines" -le 500 ] || breach "$file: $lines lines; a source with more than 500 holds a second idea: split it"
done

[ "$breaches" = 0 ] || { printf 'layout: %d breaches\n' "$breaches" >&2; exit 1; }
