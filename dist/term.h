// An Erlang term: an immutable value, 32 bytes, cheap to copy, with everything large shared.
//
//   Term reply = Term::Tuple({Term::Atom("ok"), Term::Int(42), Term::Binary("text")});
//   if (reply.IsTuple(2) && reply.tuple()[0].IsAtom("ok")) Use(reply.tuple()[1].AsInt());
//   Term map = Term::Map({{Term::Atom("a"), Term::Int(1)}});
//   if (const Term* a = map.Find(Term::Atom("a"))) ...
//   for (const Term& element : list.list()) ...
//
// An accessor asked for another kind than the term's gives an empty value (an empty view, zero, a
// pid without a node), never a fault: a peer chooses what we look at. Views and references are
// valid as long as the term, or a copy of it, lives. A binary shares the buffer it was received in
// and keeps all of it alive; Slice::Copy what is kept for long. May be copied, read and destroyed
// on any thread. Source: OTP "External Term Format", "Expressions".
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "dist/atom_name.h"
#include "dist/identifiers.h"

namespace noded::dist {

enum class Kind : uint8_t {  // in the order of Term::Value's alternatives
  kNil,
  kInteger,
  kFloat,
  kAtom,
  kBinary,
  kTuple,
  kList,
  kMap,
  kPid,
  kPort,
  kReference,
  kBigInteger,
  kBitString,
  kExport,
  kFun,
};
// "integer", "atom", ... for messages to people.
std::string_view KindName(Kind kind);

// An integer outside int64_t: little-endian magnitude without leading (that is, last) zero bytes.
struct BigInteger {
  bool is_negative = false;
  base::Slice magnitude;
};

// A binary whose last byte uses only its `last_bits` (1..7) highest bits; the others are zero.
struct BitString {
  base::Slice bytes;
  uint8_t last_bits = 1;
};

struct Fun;  // these three are below
struct Export;
struct MapEntry;

class Term {
 public:
  Term() = default;  // []

  static Term Nil() { return Term(); }
  static Term Int(int64_t value) { return Term(Value(value)); }
  // Any size; becomes an ordinary integer when it fits one. `magnitude` is little-endian.
  static Term Big(bool is_negative, base::Slice magnitude);
  // `value` must be finite: Erlang has no infinity and no NaN.
  static Term Float(double value) { return Term(Value(value)); }
  static Term Atom(AtomName name) { return Term(Value(std::move(name))); }
  static Term Bool(bool value) { return Atom(value ? "true" : "false"); }
  static Term Binary(base::Slice bytes) { return Term(Value(std::move(bytes))); }
  static Term Binary(std::string_view text) { return Binary(base::Slice::Copy(text)); }
  static Term Binary(const char* text) { return Binary(std::string_view(text)); }
  // `last_bits`: how many (1..8) bits of the last byte count; with 8 it is a binary.
  static Term BitString(base::Slice bytes, int last_bits);
  // A list of the code points of UTF-8 `text`; a byte that is not UTF-8 stands for itself.
  static Term String(std::string_view text);
  // With a tail other than [] the list is improper; a tail that is a list is joined on.
  static Term List(std::vector<Term> elements, Term tail = Term());
  // `cells` holds `count` elements and behind them the tail.
  static Term List(std::shared_ptr<Term[]> cells, size_t count);
  static Term Tuple(std::vector<Term> elements);
  static Term Tuple(std::shared_ptr<const Term[]> elements, size_t count);
  static Term Map(std::vector<MapEntry> entries);  // of two equal keys the later one counts
  static Term FromPid(Pid pid);
  static Term FromPort(Port port);
  static Term FromReference(Reference reference);
  static Term FromExport(dist::Export value);
  static Term FromFun(dist::Fun value);

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_nil() const { return kind() == Kind::kNil; }
  bool is_integer() const { return kind() == Kind::kInteger || kind() == Kind::kBigInteger; }
  bool is_float() const { return kind() == Kind::kFloat; }
  bool is_atom() const { return kind() == Kind::kAtom; }
  bool is_binary() const { return kind() == Kind::kBinary; }
  bool is_tuple() const { return kind() == Kind::kTuple; }
  bool is_list() const { return is_nil() || kind() == Kind::kList; }
  bool is_map() const { return kind() == Kind::kMap; }
  bool is_pid() const { return kind() == Kind::kPid; }
  bool is_port() const { return kind() == Kind::kPort; }
  bool is_reference() const { return kind() == Kind::kReference; }
  bool IsAtom(std::string_view name) const { return is_atom() && atom() == name; }
  bool IsTuple(size_t arity) const { return is_tuple() && tuple().size() == arity; }
  bool IsTagged(std::string_view tag, size_t arity) const;  // {tag, ...} of this size
  bool is_proper_list() const { return is_list() && tail().is_nil(); }

  // The value of an integer that fits; none for big integers and other kinds.
  std::optional<int64_t> AsInt() const;
  std::optional<bool> AsBool() const;  // true and false
  // The UTF-8 text of a list of characters ([] is ""), or the bytes of a binary.
  std::optional<std::string> AsText() const;

  double float_value() const;
  std::string_view atom() const { return atom_name().view(); }
  const AtomName& atom_name() const;
  const base::Slice& binary() const;
  std::span<const Term> tuple() const;
  // The elements of a list without its tail, and that tail: [] unless the list is improper.
  std::span<const Term> list() const;
  const Term& tail() const;
  // Sorted by key; keys are unique.
  std::span<const MapEntry> map() const;
  const Term* Find(const Term& key) const;  // into a map; null when it is not there
  const Term* Find(std::string_view atom_key) const { return Find(Atom(atom_key)); }
  const Pid& pid() const;
  const Port& port() const;
  const Reference& reference() const;
  const BigInteger& big_integer() const;
  const dist::BitString& bit_string() const;
  const dist::Export& export_fun() const;
  const dist::Fun& fun() const;

  // Exact equality, Erlang's =:= (of OTP 27: 0.0 and -0.0 differ); 1 and 1.0 differ.
  friend bool operator==(const Term& a, const Term& b);
  // Erlang's order of terms, with == for equality: 1 and 1.0 are equivalent.
  friend std::weak_ordering Compare(const Term& a, const Term& b);
  size_t Hash() const;  // goes with operator==

 private:
  struct Elements {
    std::shared_ptr<const Term[]> items;
    size_t count = 0;
  };
  struct Cells {  // of a list; its tail stands behind its elements
    std::shared_ptr<const Term[]> items;
    size_t count = 0;
  };
  struct Entries {
    std::shared_ptr<const MapEntry[]> items;
    size_t count = 0;
  };
  template <class T>
  using Shared = std::shared_ptr<const T>;
  using Value =
      std::variant<std::monostate, int64_t, double, AtomName, base::Slice, Elements, Cells, Entries,
                   Shared<Pid>, Shared<Port>, Shared<Reference>, Shared<BigInteger>,
                   Shared<dist::BitString>, Shared<dist::Export>, Shared<dist::Fun>>;

  explicit Term(Value value) : value_(std::move(value)) {}

  Value value_;
};

struct MapEntry {
  Term key;
  Term value;
};

struct Export {  // fun Module:Function/Arity
  AtomName module;
  AtomName function;
  uint8_t arity = 0;
};

// What a closure is made of. Nothing here can run it; it can be passed on, compared and shown.
struct Fun {
  AtomName module;
  uint8_t arity = 0;
  std::array<uint8_t, 16> uniq{};  // MD5 of the significant parts of the module
  uint32_t index = 0;
  Term old_index;  // integers
  Term old_uniq;
  Term creator;  // a pid
  std::vector<Term> free_variables;
};

}  // namespace noded::dist
