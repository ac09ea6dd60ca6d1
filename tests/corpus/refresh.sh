#!/usr/bin/env bash
# Makes the vectors in this folder (terms_otpN, N the release of the `erl` on the path) and the seeds of
# the fuzz targets for terms anew. Not part of any test: run it by hand to add a release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
repository=$PWD/../..

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/refresh.erl" <<'ERL'
-module(refresh).
-export([main/1]).

main(Repository) ->
    Seeds = filename:join(Repository, "tests/fuzz/corpus"),
    Samples = make_terms:samples(7),
    Vectors = filename:join(Repository, "tests/corpus/terms_otp" ++ erlang:system_info(otp_release)),
    ok = make_terms:write_samples(Samples, Vectors),
    [ok = write([Seeds, "etf", Name], term_to_binary(Term, Options)) || {Name, Term, Options} <- Samples],
    [ok = write([Seeds, "term_text", Name], unicode:characters_to_binary(io_lib:format("~0tp", [Term]))) ||
        {Name, Term, _} <- Samples].

write(Path, Bytes) ->
    File = filename:join(Path),
    ok = filelib:ensure_dir(File),
    file:write_file(File, Bytes).
ERL
erlc -o "$scratch" make_terms.erl "$scratch/refresh.erl"
erl -noshell +pc unicode -pa "$scratch" -eval "refresh:main(\"$repository\"), halt()."
