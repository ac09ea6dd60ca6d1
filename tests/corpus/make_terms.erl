%% Random terms of every kind, the same for the same seed, with what OTP makes of them; for
%% tests/interop/term_corpus_test.cc and tests/corpus/refresh.sh.
%%
%%   Terms = make_terms:make(Seed, Count), ok = make_terms:write(Terms, Path),
%%   ok = make_terms:check(Terms, TheirPath).
%%
%% Needs `erl +pc unicode`: the texts depend on it.
-module(make_terms).
-export([make/2, write/2, check/2, nodes/0, samples/1, write_samples/2]).

-define(NODES, ['a@b.com', 'shop@host', 'nodé@höst', 'Big@10.0.0.1']).

%% What stands for a node in the text of a pid: known to this virtual machine only.
nodes() ->
    [{0, 'nonode@nohost'} |
     [{index(pid_to_list(foreign_pid(Node, 1, 1, 1))), Node} || Node <- ?NODES]].

index([$< | Text]) ->
    [Index | _] = string:split(Text, "."),
    list_to_integer(Index).

make(Seed, Count) ->
    rand:seed(exsss, Seed),
    Special = special(),
    true = Count >= length(Special),
    Special ++ [term(rand:uniform(6)) || _ <- lists:seq(1, Count - length(Special))].

%% For each term four fields with their lengths: external format in one of its variants, the same
%% as term_to_binary(Term, [{minor_version, 2}]) has it, text, and how the text may be compared.
write(Terms, Path) ->
    {ok, File} = file:open(Path, [write, raw, binary, {delayed_write, 1 bsl 20, 2000}]),
    lists:foldl(fun(Term, I) ->
                        Text = unicode:characters_to_binary(io_lib:format("~0tp", [Term])),
                        Fields = [term_to_binary(Term, variant(I)),
                                  term_to_binary(Term, [{minor_version, 2}]),
                                  Text, comparable(Term)],
                        ok = file:write(File, [[<<(byte_size(F)):32>>, F] || F <- Fields]),
                        I + 1
                end, 0, Terms),
    file:close(File).

variant(I) ->
    Version = {minor_version, I rem 3},
    case I rem 4 of
        0 -> [Version, {compressed, 1 + I rem 9}];
        _ -> [Version]
    end.

%% Their bytes for every term must be read here as the same term, down to the sign of zero where
%% the order of entries in large maps allows to see it.
check(Terms, Path) ->
    {ok, Bytes} = file:read_file(Path),
    check_all(Terms, Bytes, 0).

check_all([], <<>>, _) -> ok;
check_all([Term | Terms], <<Size:32, Bytes:Size/binary, Rest/binary>>, I) ->
    try binary_to_term(Bytes) of
        Read ->
            Same = Read =:= Term andalso
                erlang:phash2(Read) =:= erlang:phash2(Term) andalso
                (has(fun large_map/1, Term) orelse
                 term_to_binary(Read, [{minor_version, 2}]) =:=
                     term_to_binary(Term, [{minor_version, 2}])),
            case Same of
                true -> check_all(Terms, Rest, I + 1);
                false -> {mismatch, I, Term, Read}
            end
    catch
        error:Reason -> {unreadable, I, Term, Reason}
    end;
check_all(Terms, Rest, I) -> {wrong_count, I, length(Terms), byte_size(Rest)}.

%% <<"text">>: OTP's text is the one to print. <<"value">>: it must parse to the term (OTP prints
%% large maps in the order of its hash). <<"bytes">>: it says nothing, as the virtual machine prints
%% the names of funs by rules of its own (bytes of UTF-8 as Latin-1, no quotes for reserved
%% words, quotes for @, \033 for escape), and we print huge integers in base 16.
comparable(Term) ->
    case {has(fun odd_name/1, Term) orelse has(fun huge/1, Term), has(fun large_map/1, Term),
          has(fun unwritable/1, Term)} of
        {false, false, _} -> <<"text">>;
        {false, true, false} -> <<"value">>;
        _ -> <<"bytes">>
    end.

odd_name(F) when is_function(F) ->
    {module, M} = erlang:fun_info(F, module),
    {name, N} = erlang:fun_info(F, name),
    erlang:fun_info(F, type) =:= {type, external} andalso
        lists:any(fun(A) ->
                          erl_scan:reserved_word(A) orelse lists:any(fun(C) -> C < 32 orelse C > 126 orelse C =:= $@ end, atom_to_list(A))
                  end, [M, N]);
odd_name(_) -> false.

huge(I) when is_integer(I) -> abs(I) bsr (8 * 8192) =/= 0;
huge(_) -> false.

large_map(M) -> is_map(M) andalso map_size(M) > 32.

unwritable(F) when is_function(F) -> erlang:fun_info(F, type) =:= {type, local};
unwritable(T) -> is_pid(T) orelse is_port(T) orelse is_reference(T).

has(Is, Term) ->
    Is(Term) orelse has_inside(Is, Term).

has_inside(Is, [Head | Tail]) -> has(Is, Head) orelse has(Is, Tail);
has_inside(Is, Tuple) when is_tuple(Tuple) -> has(Is, tuple_to_list(Tuple));
has_inside(Is, Map) when is_map(Map) -> has(Is, maps:to_list(Map));
has_inside(_, _) -> false.

%% One of each, to be kept as vectors: name, term, options of term_to_binary.
samples(Seed) ->
    rand:seed(exsss, Seed),
    Kinds = [{"integer", fun integer/0}, {"float", fun float/0}, {"atom", fun atom/0},
             {"binary", fun binary/0}, {"bit_string", fun bit_string/0}, {"string", fun string/0},
             {"pid", fun pid/0}, {"port", fun port/0}, {"reference", fun reference/0},
             {"export", fun export/0}, {"closure", fun closure/0}],
    [{Name, [Make() || _ <- lists:seq(1, 12)], []} || {Name, Make} <- Kinds] ++
        [{"map", maps:from_list([{K, integer()} || K <- lists:seq(1, 8)]), []},
         {"large_map", maps:from_list([{K, K} || K <- lists:seq(1, 40)]), []},
         {"large_tuple", list_to_tuple(lists:seq(1, 300)), []},
         {"improper", [1, [2 | 3] | {}], []},
         {"old", {float(), 'atöm', pid(), [float()]}, [{minor_version, 0}]},
         {"compressed", lists:duplicate(100, {ok, <<"text">>}), [compressed]} |
         [{"nested" ++ integer_to_list(I), term(4), []} || I <- lists:seq(1, 12)]].

%% One line each: name, external format, the same by minor version 2 (`-` where the order of a hash
%% decides), both in base 64, text.
write_samples(Samples, Path) ->
    Lines = [[Name, $\s, base64:encode(term_to_binary(Term, Options)), $\s,
              case has(fun large_map/1, Term) of
                  true -> "-";
                  false -> base64:encode(term_to_binary(Term, [{minor_version, 2}]))
              end, $\s, unicode:characters_to_binary(io_lib:format("~0tp", [Term])), $\n]
             || {Name, Term, Options} <- Samples],
    file:write_file(Path, Lines).

special() ->
    Borders = [0, 7, 8, 15, 16, 24, 27, 28, 31, 32, 53, 59, 60, 63, 64, 65, 127, 128, 2039, 2040, 2041,
               16000, 65535, 65536, 70000],
    [S * ((1 bsl B) + D) || B <- Borders, D <- [-2, -1, 0, 1], S <- [1, -1]] ++
        [0.0, -0.0, 5.0e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740991.0,
         9007199254740992.0, 9007199254740993.0, 1.0e22, 1.0e23, 0.1, 123456789.0] ++
        [F || E <- lists:seq(-12, 22), F <- [math:pow(10, E), -1.25 * math:pow(10, E), math:pow(10, E) / 3]] ++
        [list_to_atom(lists:duplicate(255, C)) || C <- [$a, 16#e9, 16#436, 16#1f600]] ++
        [list_to_atom([C]) || C <- lists:seq(0, 300)] ++
        [list_to_atom([$a, C]) || C <- lists:seq(0, 300)] ++
        [[C] || C <- lists:seq(0, 300)] ++ [<<C>> || C <- lists:seq(0, 255)] ++
        [<<C/utf8>> || C <- lists:seq(0, 300)] ++
        [<<16#ed, 16#a0, 16#a0>>, <<16#c3>>, <<16#c3, 16#a9, 16#ff>>, <<16#f0, 16#9f, 16#98>>, <<16#ffff/utf8>>] ++
        [<<V:S>> || S <- lists:seq(1, 24), V <- [0, 1, (1 bsl S) - 1, 16#a5a5a5]] ++
        [[C] || C <- [16#7ff, 16#800, 16#d7ff, 16#d800, 16#dfff, 16#e000, 16#fffd, 16#fffe, 16#ffff, 16#10000,
                      16#10ffff, 16#110000, -1]] ++
        [lists:duplicate(N, $a) || N <- [255, 256, 65534, 65535, 65536, 70000]] ++
        [lists:duplicate(N, 300) || N <- [255, 256, 65536]] ++
        [list_to_tuple(lists:seq(1, N)) || N <- [0, 1, 254, 255, 256, 257, 5000]] ++
        [maps:from_list([{K, K} || K <- lists:seq(1, N)]) || N <- [0, 1, 31, 32, 33, 64, 1000]] ++
        [binary:copy(<<"x">>, N) || N <- [0, 1, 63, 64, 65, 4096, 100000]] ++
        [binary:copy(<<0, 255>>, 50000)] ++
        [lists:foldl(fun(_, T) -> Wrap(T) end, leaf, lists:seq(1, N)) ||
            {N, Wrap} <- [{1000, fun(T) -> [T] end}, {1000, fun(T) -> {T} end}, {1000, fun(T) -> #{k => T} end},
                          {500, fun(T) -> [1 | {T}] end}]] ++
        ['after', 'and', 'andalso', 'band', 'begin', 'bnot', 'bor', 'bsl', 'bsr', 'bxor', 'case', 'catch',
         'cond', 'div', 'else', 'end', 'fun', 'if', 'let', 'maybe', 'not', 'of', 'or', 'orelse', 'query',
         'receive', 'rem', 'try', 'when', 'xor', '', 'a.b', 'a b', 'a@b', '_', '@', '\'', '"', '\\'] ++
        [#{1 => a, 1.0 => b, atom => c, {} => d, [] => e, "x" => f, <<>> => g, #{} => h, self() => i,
           make_ref() => j, fun lists:map/2 => k, -1 => l, 1 bsl 70 => m, [1 | 2] => n, <<1:1>> => o}] ++
        [self(), make_ref(), hd(erlang:ports()), closure(), fun lists:map/2, fun erl_eval:expr/2] ++
        [foreign_reference(Node, [Word]) || Node <- ?NODES, Word <- [0, 1, 16#3ffff]] ++
        [fun_of(atom(), atom(), 1) || _ <- lists:seq(1, 50)].

pick(List) -> lists:nth(rand:uniform(length(List)), List).
upto(N) -> rand:uniform(N + 1) - 1.
many(N, Make) -> [Make() || _ <- lists:seq(1, upto(N))].

term(0) -> leaf();
term(Depth) ->
    Inner = fun() -> term(Depth - 1) end,
    case rand:uniform(11) of
        1 -> many(4, Inner);
        2 -> case many(4, Inner) of [] -> []; Some -> Some ++ leaf() end;
        3 -> list_to_tuple(many(4, Inner));
        4 -> maps:from_list([{Inner(), Inner()} || _ <- lists:seq(1, upto(3))]);
        5 when Depth > 5 -> maps:from_list([{leaf(), leaf()} || _ <- lists:seq(1, 20 + upto(30))]);
        5 -> maps:from_list([{pick([integer(), atom(), float()]), string()} || _ <- lists:seq(1, pick([3, 10, 31, 32, 33]))]);
        6 -> [Inner() | leaf()];
        7 when Depth =:= 1 -> list_to_tuple([leaf() || _ <- lists:seq(1, 250 + upto(12))]);
        7 -> #{atom() => Inner()};
        8 -> Inner();
        _ -> leaf()
    end.

leaf() ->
    case rand:uniform(16) of
        N when N < 4 -> integer();
        4 -> float();
        5 -> float();
        N when N < 8 -> atom();
        8 -> binary();
        9 -> bit_string();
        10 -> string();
        11 -> string();
        12 -> pid();
        13 -> port();
        14 -> reference();
        15 -> export();
        16 -> pick([closure(), [], {}, #{}, <<>>])
    end.

integer() ->
    case rand:uniform(4) of
        1 -> upto(300) - 20;
        2 -> rand:uniform(1 bsl 34) - (1 bsl 33);
        3 -> pick([1, -1]) * ((1 bsl upto(130)) + upto(2) - 1);
        4 -> pick([1, -1]) * rand:uniform(1 bsl pick([64, 70, 128, 500, upto(2600)]))
    end.

float() ->
    case rand:uniform(4) of
        1 -> rand:normal() * math:pow(10, upto(40) - 20);
        2 -> float(upto(100000000)) / pick([1, 2, 8, 10, 100, 1000, 100000]);
        3 -> float(rand:uniform(1 bsl 60));
        4 -> any_float()
    end.

any_float() ->
    case rand:bytes(8) of
        <<F:64/float>> -> F;
        _ -> any_float()
    end.

character() ->
    case rand:uniform(5) of
        1 -> upto(31);
        2 -> 127 + upto(200);
        3 -> pick([16#436, 16#3b1, 16#20ac, 16#4e2d, 16#1f600, 16#200b, 16#e000, 16#10ffff, 16#2028]);
        _ -> 32 + upto(94)
    end.

atom() ->
    case rand:uniform(6) of
        1 -> pick([ok, error, true, false, undefined, 'fun', 'end', 'a@b.c', 'Elixir.Enum', '']);
        2 -> list_to_atom(many(pick([5, 30, 255]), fun character/0));
        3 -> list_to_atom([$a + upto(25) | many(8, fun character/0)]);
        4 -> list_to_atom([$a + upto(25) | many(20, fun() -> pick("abcxyzABC019_@") end)]);
        _ -> plain_atom()
    end.

plain_atom() -> list_to_atom([$a + upto(25) | many(20, fun() -> pick("abcxyzABC019_") end)]).

binary() ->
    case rand:uniform(3) of
        1 -> rand:bytes(upto(60));
        2 -> unicode:characters_to_binary(many(40, fun character/0));
        3 -> list_to_binary(many(40, fun() -> pick([32 + upto(94), 160 + upto(95)]) end))
    end.

bit_string() ->
    Size = upto(200),
    Bytes = rand:bytes(25),
    <<Bits:Size/bits, _/bits>> = Bytes,
    Bits.

string() ->
    case rand:uniform(4) of
        1 -> many(50, fun character/0);
        2 -> many(50, fun() -> upto(255) end);
        3 -> many(50, fun() -> 32 + upto(94) end);
        4 -> many(10, fun character/0) ++ atom()
    end.

node_bytes(Node) ->
    <<131, Bytes/binary>> = term_to_binary(Node, [{minor_version, 2}]),
    Bytes.

foreign_pid(Node, Id, Serial, Creation) ->
    binary_to_term(<<131, 88, (node_bytes(Node))/binary, Id:32, Serial:32, Creation:32>>).

word() -> pick([0, 1, upto(1000), rand:uniform(1 bsl 32) - 1, (1 bsl 32) - 1]).

pid() ->
    case rand:uniform(3) of
        1 -> list_to_pid("<0." ++ integer_to_list(upto(32767)) ++ "." ++ integer_to_list(upto(8191)) ++ ">");
        2 -> self();
        3 -> foreign_pid(pick(?NODES), word(), word(), word())
    end.

port() ->
    case rand:uniform(4) of
        1 -> list_to_port("#Port<0." ++ integer_to_list(upto((1 bsl 28) - 1)) ++ ">");
        2 -> binary_to_term(<<131, 89, (node_bytes(pick(?NODES)))/binary, (upto((1 bsl 28) - 1)):32, (word()):32>>);
        _ -> binary_to_term(<<131, 120, (node_bytes(pick(?NODES)))/binary, (rand:uniform(1 bsl 64) - 1):64, (word()):32>>)
    end.

reference() ->
    case rand:uniform(3) of
        1 -> make_ref();
        2 -> alias();
        3 ->
            %% Not of one word: as a key of a large map OTP 25 does not find such a reference again.
            foreign_reference(pick(?NODES), [upto((1 bsl 18) - 1) | [word() || _ <- lists:seq(1, rand:uniform(4))]])
    end.

foreign_reference(Node, Words) ->
    binary_to_term(<<131, 90, (length(Words)):16, (node_bytes(Node))/binary, (word()):32,
                     << <<Word:32>> || Word <- Words >>/binary>>).

export() ->
    case rand:uniform(3) of
        1 -> fun_of(plain_atom(), 'quoted name', 2);
        2 -> fun_of(plain_atom(), plain_atom(), upto(255));
        3 -> fun lists:map/2
    end.

fun_of(Module, Function, Arity) -> fun Module:Function/Arity.

closure() ->
    A = leaf_value(),
    B = {A, upto(10)},
    pick([fun() -> ok end, fun(X) -> {A, X} end, fun(X, Y) -> [X, Y, B | A] end]).

leaf_value() -> pick([1, 2.5, atom(), <<"free">>, "free", integer()]).
