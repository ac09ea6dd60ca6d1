#include <utility>

#include "base/status.h"
#include "dist/bit_sink.h"
#include "dist/term_scan.h"
#include "dist/term_text.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const base::Limits& limits)
      : in_(text), limits_(limits), max_bytes_(text.size() + kMaxExtraBytes) {}

  absl::StatusOr<Term> ParseOne();
  absl::StatusOr<std::vector<Term>> ParseAll();

 private:
  // What binaries may hold beyond the length of their text, all together: sizes are cheap to write.
  static constexpr size_t kMaxExtraBytes = 1 << 20;

  Term ReadTerm(int depth);
  // What calls itself is not inlined: each level of a deep term costs small frames only.
  [[gnu::noinline]] Term ReadTuple(int depth);
  [[gnu::noinline]] Term ReadList(int depth);
  [[gnu::noinline]] Term ReadMap(int depth);
  [[gnu::noinline]] Term ReadLeaf();
  [[gnu::noinline]] void FailDepth();
  Term ReadSigned();
  Term ReadString();
  Term ReadAtomOrFun();
  Term ReadQuotedAtom();
  Term ReadExport();
  AtomName ReadName(std::string_view expected);
  Term ReadBinary();
  void ReadSegment(BitSink& sink);
  void ReadTypes(Segment& segment);
  bool ReadType(Segment& segment);
  void AppendCharacters(const std::u32string& characters, const Segment& segment, size_t start,
                        BitSink& sink);
  // ',' goes on, `closer` ends; anything else is an error.
  [[gnu::noinline]] bool GoesOn(std::string_view closer);

  TermScanner in_;
  const base::Limits& limits_;
  size_t max_bytes_;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Term Parser::ReadTerm(int depth) {
  in_.SkipBlank();
  if (depth > limits_.max_term_depth) FailDepth();
  if (in_.failed()) return Term();
  if (in_.Take("{")) return ReadTuple(depth);
  if (in_.Take("[")) return ReadList(depth);
  if (in_.Take("#{")) return ReadMap(depth);
  return ReadLeaf();
}

void Parser::FailDepth() {
  in_.FailLimit(fmt::format("nested deeper than {}", limits_.max_term_depth),
                "write it with less nesting");
}

// A term without terms inside.
Term Parser::ReadLeaf() {
  if (in_.Take("<<")) return ReadBinary();
  const char c = in_.Peek();
  if (IsDigit(c)) return in_.ReadNumber(false);
  switch (c) {
    case '"':
      return ReadString();
    case '\'':
      return ReadQuotedAtom();
    case '$':
      return Term::Int(in_.ReadCharacter());
    case '-':
    case '+':
      return ReadSigned();
    case '#':
      in_.FailExpecting("a term", "ports, references and closures cannot be written as text");
      return Term();
    case '<':
      in_.FailExpecting("a term", "pids cannot be written as text; a binary begins with <<");
      return Term();
    case '~':
      in_.FailExpecting("a term", "sigils are not read here: write <<\"...\"/utf8>>");
      return Term();
    default:
      return ReadAtomOrFun();
  }
}

Term Parser::ReadSigned() {
  const bool is_negative = in_.Peek() == '-';
  in_.Take(is_negative ? "-" : "+");
  in_.SkipBlank();
  if (IsDigit(in_.Peek())) return in_.ReadNumber(is_negative);
  if (in_.Peek() == '$') {
    const int64_t character = in_.ReadCharacter();
    return Term::Int(is_negative ? -character : character);
  }
  in_.FailExpecting(fmt::format("a number behind {}", is_negative ? '-' : '+'));
  return Term();
}

Term Parser::ReadString() {
  std::vector<Term> characters;
  do {
    for (char32_t c : in_.ReadQuoted('"')) characters.push_back(Term::Int(c));
    in_.SkipBlank();
  } while (in_.Peek() == '"');
  return Term::List(std::move(characters));
}

Term Parser::ReadQuotedAtom() {
  const size_t start = in_.position();
  const std::u32string characters = in_.ReadQuoted('\'');
  if (characters.size() > AtomName::kMaxCharacters) {
    in_.FailAt(start, fmt::format("an atom of {} characters; it may have 255", characters.size()),
               "use a binary");
  }
  std::string name;
  for (char32_t c : characters) AppendUtf8(c, name);
  return Term::Atom(name);
}

Term Parser::ReadAtomOrFun() {
  const size_t start = in_.position();
  const std::string_view word = in_.ReadWord();
  if (word.empty()) {
    in_.FailExpecting("a term");
    return Term();
  }
  if (word == "fun") return ReadExport();
  uint32_t first = 0;
  TakeUtf8(word, first);
  const bool is_variable =
      first == '_' || (first >= 'A' && first <= 'Z') || (first >= 0xc0 && first <= 0xde);
  if (is_variable || first == '@') {
    in_.FailAt(
        start, fmt::format("found the variable {}, expected a term", word.substr(0, 80)),
        fmt::format("quote it if it is an atom ('{0}') or text (\"{0}\")", word.substr(0, 80)));
  } else if (IsReservedWord(word)) {
    in_.FailAt(start, fmt::format("found the reserved word {}, expected a term", word),
               fmt::format("quote it: '{}'", word));
  } else if (Utf8Length(word) > AtomName::kMaxCharacters) {
    in_.FailAt(start, fmt::format("an atom of {} bytes; it may have 255 characters", word.size()),
               "use a binary");
  } else if (in_.Peek() == '.' && !in_.failed() && static_cast<uint8_t>(in_.Peek(1)) > ' ' &&
             in_.Peek(1) != '%') {
    in_.Fail("found `.` inside an atom without quotes", "quote names with dots: 'a@host.example'");
  }
  if (in_.failed()) return Term();
  return Term::Atom(word);
}

AtomName Parser::ReadName(std::string_view expected) {
  in_.SkipBlank();
  const char c = in_.Peek();
  const bool is_atom = c == '\'' || (c >= 'a' && c <= 'z') || static_cast<uint8_t>(c) >= 0x80;
  if (!is_atom) {
    in_.FailExpecting(expected, "a fun is written fun module:function/1");
    return {};
  }
  const Term name = c == '\'' ? ReadQuotedAtom() : ReadAtomOrFun();
  if (!in_.failed() && !name.is_atom()) in_.FailExpecting(expected);
  return name.atom_name();
}

Term Parser::ReadExport() {
  Export value;
  value.module = ReadName("a module");
  in_.SkipBlank();
  if (!in_.Take(":")) in_.FailExpecting("`:` behind the module of a fun");
  value.function = ReadName("a function");
  in_.SkipBlank();
  if (!in_.Take("/")) in_.FailExpecting("`/` behind the function of a fun");
  in_.SkipBlank();
  value.arity = static_cast<uint8_t>(in_.ReadCount(255, "an arity"));
  if (in_.failed()) return Term();
  return Term::FromExport(std::move(value));
}

bool Parser::GoesOn(std::string_view closer) {
  in_.SkipBlank();
  if (in_.Take(",")) return true;
  if (!in_.Take(closer)) in_.FailExpecting(fmt::format("`,` or `{}`", closer));
  return false;
}

Term Parser::ReadTuple(int depth) {
  in_.SkipBlank();
  if (in_.Take("}")) return Term::Tuple({});
  std::vector<Term> elements;
  do {
    elements.push_back(ReadTerm(depth + 1));
  } while (!in_.failed() && GoesOn("}"));
  return Term::Tuple(std::move(elements));
}

Term Parser::ReadList(int depth) {
  in_.SkipBlank();
  if (in_.Take("]")) return Term();
  std::vector<Term> elements;
  while (true) {
    elements.push_back(ReadTerm(depth + 1));
    in_.SkipBlank();
    if (in_.failed() || in_.Take("]")) return Term::List(std::move(elements));
    if (in_.Take("|")) break;
    if (!in_.Take(",")) in_.FailExpecting("`,`, `|` or `]`");
  }
  Term tail = ReadTerm(depth + 1);
  in_.SkipBlank();
  if (!in_.Take("]")) in_.FailExpecting("`]` behind the tail of a list");
  return Term::List(std::move(elements), std::move(tail));
}

Term Parser::ReadMap(int depth) {
  in_.SkipBlank();
  if (in_.Take("}")) return Term::Map({});
  std::vector<MapEntry> entries;
  do {
    MapEntry entry;
    entry.key = ReadTerm(depth + 1);
    in_.SkipBlank();
    if (!in_.Take("=>")) in_.FailExpecting("`=>` behind the key of a map");
    entry.value = ReadTerm(depth + 1);
    entries.push_back(std::move(entry));
  } while (!in_.failed() && GoesOn("}"));
  return Term::Map(std::move(entries));
}

Term Parser::ReadBinary() {
  BitSink sink(max_bytes_);
  in_.SkipBlank();
  if (!in_.Take(">>")) {
    do {
      ReadSegment(sink);
    } while (!in_.failed() && GoesOn(">>"));
  }
  max_bytes_ -= std::min(max_bytes_, sink.size());
  return sink.Take();
}

// value[:size][/type-type...]
void Parser::ReadSegment(BitSink& sink) {
  in_.SkipBlank();
  const size_t start = in_.position();
  std::u32string characters;
  Term number;
  const bool is_string = in_.Peek() == '"';
  if (is_string) {
    characters = in_.ReadQuoted('"');
  } else if (in_.Peek() == '$') {
    number = Term::Int(in_.ReadCharacter());
  } else if (in_.Peek() == '-' || in_.Peek() == '+') {
    number = ReadSigned();
  } else if (IsDigit(in_.Peek())) {
    number = in_.ReadNumber(false);
  } else {
    in_.FailExpecting("a number, a character or a string in a binary");
  }
  Segment segment;
  in_.SkipBlank();
  if (in_.Take(":")) {
    in_.SkipBlank();
    segment.size = in_.ReadCount(Segment::kMaxBits, "a size in bits");
    in_.SkipBlank();
  }
  if (in_.Take("/")) ReadTypes(segment);
  if (in_.failed()) return;
  if (segment.is_utf() && segment.size) {
    in_.FailAt(start, "a size with a utf type", "a character has the size that it needs");
  } else if (is_string) {
    AppendCharacters(characters, segment, start, sink);
  } else if (!sink.Append(number, segment)) {
    in_.FailAt(start, fmt::format("{} does not fit its type", KindName(number.kind())));
  }
  if (sink.overflown()) {
    in_.FailLimit("binaries that are much larger than their text", "give sizes that are needed");
  }
}

void Parser::AppendCharacters(const std::u32string& characters, const Segment& segment,
                              size_t start, BitSink& sink) {
  for (char32_t c : characters) {
    if (c > 0xff && segment.type == Segment::Type::kInteger && !segment.size) {
      in_.FailAt(start, fmt::format("character {} does not fit a byte", uint32_t{c}),
                 "write /utf8 behind the string: <<\"...\"/utf8>>");
    } else if (!sink.Append(Term::Int(c), segment)) {
      in_.FailAt(start, "a string does not fit its type");
    }
    if (in_.failed() || sink.overflown()) return;
  }
}

void Parser::ReadTypes(Segment& segment) {
  do {
    in_.SkipBlank();
    if (!ReadType(segment)) return;
    in_.SkipBlank();
  } while (in_.Take("-"));
}

bool Parser::ReadType(Segment& segment) {
  using Type = Segment::Type;
  static constexpr std::pair<std::string_view, Type> kTypes[] = {
      {"integer", Type::kInteger}, {"float", Type::kFloat}, {"utf8", Type::kUtf8},
      {"utf16", Type::kUtf16},     {"utf32", Type::kUtf32},
  };
  const size_t start = in_.position();
  const std::string_view word = in_.ReadWord();
  for (const auto& [name, type] : kTypes) {
    if (word != name) continue;
    segment.type = type;
    return true;
  }
  if (word == "little" || word == "big") {
    segment.is_little = word == "little";
    return true;
  }
  if (word == "signed" || word == "unsigned") return true;  // matters for reading only
  if (word == "unit") {
    if (!in_.Take(":")) in_.FailExpecting("`:` behind unit");
    segment.unit = in_.ReadCount(256, "a unit");
    return !in_.failed();
  }
  in_.FailAt(start, fmt::format("`{}` is not a type of a binary's segment", word.substr(0, 80)),
             "integer, float, utf8, utf16, utf32, little, big, signed, unsigned and unit:N are");
  return false;
}

absl::StatusOr<Term> Parser::ParseOne() {
  Term term = ReadTerm(0);
  in_.SkipBlank();
  if (in_.TakeDot()) in_.SkipBlank();
  if (!in_.at_end()) in_.FailExpecting("the end of the term");
  if (in_.failed()) return in_.status();
  return term;
}

absl::StatusOr<std::vector<Term>> Parser::ParseAll() {
  std::vector<Term> terms;
  in_.SkipBlank();
  while (!in_.at_end()) {
    terms.push_back(ReadTerm(0));
    in_.SkipBlank();
    if (!in_.TakeDot()) in_.FailExpecting("`.` behind the term", "end every term with a dot");
    in_.SkipBlank();
  }
  if (in_.failed()) return in_.status();
  return terms;
}

}  // namespace

absl::StatusOr<Term> ParseTerm(std::string_view text, const base::Limits& limits) {
  return Parser(text, limits).ParseOne();
}

absl::StatusOr<std::vector<Term>> ParseTerms(std::string_view text, const base::Limits& limits) {
  return Parser(text, limits).ParseAll();
}

}  // namespace noded::dist
