#!/usr/bin/env bash
# Puts the source of mbedTLS 3.6 LTS into the folder named by the first argument.
#
# Debian 12 ships 2.28 (no TLS 1.3), Debian 13's source package is 3.6. A private apt configuration asks
# for that one source package and leaves the machine's own lists alone; its only source is the machine's
# own Debian entry, rewritten to deb-src of the newer release. apt checks the archive's signature.
# With NODED_MBEDTLS_TARBALL=FILE an upstream release tarball that is already at hand is used instead.
set -euo pipefail

readonly suite=trixie series=3.6
dest=${1:?usage: fetch.sh FOLDER}
stamp=$dest/.noded-complete
[ -e "$stamp" ] && exit 0

fail() { echo "mbedtls: $1" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt's download user must be able to enter it

# Prints a deb822 deb-src entry for $suite made from the machine's first Debian entry.
derive_source() {
  local file uri signed
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] || continue
    # A paragraph that offers binaries of a bookworm/trixie base suite, not the security one.
    awk -v suite="$suite" 'BEGIN { RS=""; FS="\n" } {
      uris = ""; signed = ""; suites = ""; types = ""; in_key = 0; enabled = 1
      for (i = 1; i <= NF; i++) {
        line = $i
        if (line ~ /^#/) continue
        if (line ~ /^[ \t]/) { if (in_key) signed = signed "\n" line; continue }
        in_key = 0
        if (line ~ /^URIs:/)      { uris = line; sub(/^URIs:[ \t]*/, "", uris) }
        if (line ~ /^Suites:/)    { suites = line }
        if (line ~ /^Types:/)     { types = line }
        if (line ~ /^Enabled:[ \t]*no/) { enabled = 0 }
        if (line ~ /^Signed-By:/) { signed = line; in_key = 1 }
      }
      if (enabled && uris != "" && types ~ /deb/ && suites ~ /(^|[ \t])(bookworm|trixie|stable)([ \t]|$)/) {
        print "Types: deb-src\nURIs: " uris "\nSuites: " suite "\nComponents: main"
        if (signed != "") print signed
        exit
      }
    }' "$file" > "$work/entry"
    if [ -s "$work/entry" ]; then cat "$work/entry"; return 0; fi
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] || continue
    # deb [options] URI SUITE COMPONENT...
    uri=$(sed -nE 's/^deb[ \t]+(\[[^]]*\][ \t]+)?([^ \t]+)[ \t]+(bookworm|trixie|stable)[ \t]+.*main.*/\2/p' "$file" | head -n 1)
    if [ -n "$uri" ]; then
      signed=$(sed -nE 's/^deb[ \t]+\[[^]]*signed-by=([^] \t]+).*/\1/p' "$file" | head -n 1)
      printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$suite"
      printf 'Signed-By: %s\n' "${signed:-/usr/share/keyrings/debian-archive-keyring.gpg}"
      return 0
    fi
  done
  return 1
}

if [ -n "${NODED_MBEDTLS_TARBALL:-}" ]; then
  tarball=$NODED_MBEDTLS_TARBALL
  [ -r "$tarball" ] || fail "NODED_MBEDTLS_TARBALL names $tarball, which cannot be read"
else
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/source"
  derive_source > "$work/parts/source.sources" ||
    fail "no Debian entry found in /etc/apt/sources.list or sources.list.d to derive the $suite source from; add one, or set NODED_MBEDTLS_TARBALL to an mbedTLS $series release tarball"
  cat > "$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Get::List-Cleanup "0";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  echo "mbedtls: asking Debian $suite for its source package" >&2
  APT_CONFIG=$work/apt.conf apt-get update -qq ||
    fail "apt-get update for the $suite source list failed (see above); check the machine's Debian entry and its network"
  (cd "$work/source" && APT_CONFIG=$work/apt.conf apt-get source -qq --download-only mbedtls >&2) ||
    fail "apt-get source mbedtls failed (see above)"
  tarball=$(find "$work/source" -name 'mbedtls_*.orig.tar.*' ! -name '*.asc' | head -n 1)
  [ -n "$tarball" ] || fail "the source package has no orig tarball"
fi

mkdir -p "$work/unpacked"
tar -xf "$tarball" -C "$work/unpacked" --strip-components=1
version=$(sed -nE 's/^#define MBEDTLS_VERSION_STRING +"([^"]+)".*/\1/p' "$work/unpacked/include/mbedtls/build_info.h")
case $version in
  $series.*) ;;
  *) fail "the tarball holds version '${version:-unknown}', but noded is built on the $series series" ;;
esac
[ -e "$work/unpacked/library/error.c" ] ||
  fail "the tarball has no generated files (library/error.c); use a release tarball, not a git archive"

rm -rf "$dest"
mkdir -p "$(dirname "$dest")"
cp -r "$work/unpacked" "$dest"
# Bazel must not read a BUILD file of theirs, nor their tests' symbolic links.
rm -rf "$dest/tests" "$dest/programs" "$dest/configs" "$dest/doxygen"
touch "$stamp"
echo "mbedtls: $version is in $dest" >&2
