#include "dist/control.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "dist/flags.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

// Each message's fields in the order of the wire. The same list reads and writes: `io` is a Reader
// or a Writer. Token() and Reason() take part only in the rows of the table that have them.

template <class Io, class From>
void FromTo(Io& io, From& from, Pid& to) {
  io(from);
  io(to);
}
template <class Io>
void Fields(Io& io, Link& m) {
  FromTo(io, m.from, m.to);
}
template <class Io>
void Fields(Io& io, Send& m) {
  io.Unused();
  io(m.to);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, SendSender& m) {
  io.Sender(m.from);
  io(m.to);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, RegSend& m) {
  io.Sender(m.from);
  io.Unused();
  io(m.to);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, AliasSend& m) {
  io.Sender(m.from);
  io(m.alias);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, AltactSend& m) {
  io(m.flags);
  io.Sender(m.from);
  io.Receiver(m.to);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, Exit& m) {
  FromTo(io, m.from, m.to);
  io.Token(m.trace_token);
  io.Reason(m.reason, m.is_reason_behind);
}
template <class Io>
void Fields(Io& io, Exit2& m) {
  FromTo(io, m.from, m.to);
  io.Token(m.trace_token);
  io.Reason(m.reason, m.is_reason_behind);
}
template <class Io>
void Fields(Io& io, Unlink& m) {
  FromTo(io, m.from, m.to);
}
template <class Io>
void Fields(Io& io, UnlinkId& m) {
  io(m.id);
  FromTo(io, m.from, m.to);
}
template <class Io>
void Fields(Io& io, UnlinkIdAck& m) {
  io(m.id);
  FromTo(io, m.from, m.to);
}
template <class Io>
void Fields(Io& io, GroupLeader& m) {
  FromTo(io, m.from, m.to);
}
template <class Io>
void Fields(Io& io, MonitorP& m) {
  io(m.from);
  io.PidOrAtom(m.to);
  io(m.reference);
}
template <class Io>
void Fields(Io& io, DemonitorP& m) {
  io(m.from);
  io.PidOrAtom(m.to);
  io(m.reference);
}
template <class Io>
void Fields(Io& io, MonitorPExit& m) {
  io.PidOrAtom(m.from);
  io(m.to);
  io(m.reference);
  io.Reason(m.reason, m.is_reason_behind);
}
template <class Io>
void Fields(Io& io, SpawnRequest& m) {
  io(m.request);
  io(m.from);
  io(m.group_leader);
  io.EntryPoint(m.module, m.function, m.arity);
  io.List(m.options);
  io.Token(m.trace_token);
}
template <class Io>
void Fields(Io& io, SpawnReply& m) {
  io(m.request);
  io(m.to);
  io(m.flags);
  io.PidOrAtom(m.result);
  io.Token(m.trace_token);
}

// The table: tag, size of the tuple, and what struct it is.
struct Row {
  uint8_t tag;
  uint8_t arity;
  std::string_view name;
  Control (*make)();
  bool has_token = false;
  bool is_reason_behind = false;
};

template <class Message>
Control Make() {
  return Message();
}

constexpr std::array<Row, 31> kRows = {{
    {1, 3, "LINK", Make<Link>},
    {2, 3, "SEND", Make<Send>},
    {3, 4, "EXIT", Make<Exit>},
    {4, 3, "UNLINK", Make<Unlink>},
    {6, 4, "REG_SEND", Make<RegSend>},
    {7, 3, "GROUP_LEADER", Make<GroupLeader>},
    {8, 4, "EXIT2", Make<Exit2>},
    {12, 4, "SEND_TT", Make<Send>, true},
    {13, 5, "EXIT_TT", Make<Exit>, true},
    {16, 5, "REG_SEND_TT", Make<RegSend>, true},
    {18, 5, "EXIT2_TT", Make<Exit2>, true},
    {19, 4, "MONITOR_P", Make<MonitorP>},
    {20, 4, "DEMONITOR_P", Make<DemonitorP>},
    {21, 5, "MONITOR_P_EXIT", Make<MonitorPExit>},
    {22, 3, "SEND_SENDER", Make<SendSender>},
    {23, 4, "SEND_SENDER_TT", Make<SendSender>, true},
    {24, 3, "PAYLOAD_EXIT", Make<Exit>, false, true},
    {25, 4, "PAYLOAD_EXIT_TT", Make<Exit>, true, true},
    {26, 3, "PAYLOAD_EXIT2", Make<Exit2>, false, true},
    {27, 4, "PAYLOAD_EXIT2_TT", Make<Exit2>, true, true},
    {28, 4, "PAYLOAD_MONITOR_P_EXIT", Make<MonitorPExit>, false, true},
    {29, 6, "SPAWN_REQUEST", Make<SpawnRequest>},
    {30, 7, "SPAWN_REQUEST_TT", Make<SpawnRequest>, true},
    {31, 5, "SPAWN_REPLY", Make<SpawnReply>},
    {32, 6, "SPAWN_REPLY_TT", Make<SpawnReply>, true},
    {33, 3, "ALIAS_SEND", Make<AliasSend>},
    {34, 4, "ALIAS_SEND_TT", Make<AliasSend>, true},
    {35, 4, "UNLINK_ID", Make<UnlinkId>},
    {36, 4, "UNLINK_ID_ACK", Make<UnlinkIdAck>},
    {37, 4, "ALTACT_SIG_SEND", Make<AltactSend>},
    {37, 5, "ALTACT_SIG_SEND", Make<AltactSend>, true},
}};

// Takes fields out of a tuple. The first one of the wrong kind is kept in bad_field().
class Reader {
 public:
  Reader(std::span<const Term> tuple, const Row& row) : tuple_(tuple), row_(row) {}

  void operator()(Pid& value) {
    const Term& term = Next();
    if (Require(term.is_pid(), "a pid")) value = term.pid();
  }
  void operator()(Reference& value) {
    const Term& term = Next();
    if (Require(term.is_reference(), "a reference")) value = term.reference();
  }
  void operator()(AtomName& value) {
    const Term& term = Next();
    if (Require(term.is_atom(), "an atom")) value = term.atom_name();
  }
  void operator()(uint32_t& value) {
    const std::optional<int64_t> number = Next().AsInt();
    if (Require(number && *number >= 0 && *number <= UINT32_MAX, "an unsigned integer")) {
      value = static_cast<uint32_t>(*number);
    }
  }
  void operator()(uint64_t& value) {
    const Term& term = Next();
    const std::optional<int64_t> number = term.AsInt();
    if (number && *number > 0) {
      value = static_cast<uint64_t>(*number);
    } else if (Require(term.kind() == Kind::kBigInteger && !term.big_integer().is_negative &&
                           term.big_integer().magnitude.size() <= sizeof(value),
                       "an integer from 1 to 2^64-1")) {
      const base::ByteView bytes = term.big_integer().magnitude;
      value = 0;
      for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
    }
  }
  void Unused() { Next(); }
  // A sender only explains a message: one that is no process is no reason to refuse it.
  void Sender(Pid& value) { value = Next().pid(); }
  void Receiver(Term& value) {
    value = Next();
    Require(value.is_pid() || value.is_atom() || value.is_reference(),
            "a pid, an atom or a reference");
  }
  void PidOrAtom(Term& value) {
    value = Next();
    Require(value.is_pid() || value.is_atom(), "a pid or an atom");
  }
  void List(Term& value) {
    value = Next();
    Require(value.is_proper_list(), "a list");
  }
  void EntryPoint(AtomName& module, AtomName& function, int64_t& arity) {
    const Term& term = Next();
    const std::span<const Term> parts = term.tuple();
    if (!Require(term.IsTuple(3) && parts[0].is_atom() && parts[1].is_atom() &&
                     parts[2].AsInt().value_or(-1) >= 0,
                 "{module, function, arity}")) {
      return;
    }
    module = parts[0].atom_name();
    function = parts[1].atom_name();
    arity = *parts[2].AsInt();
  }
  void Token(Term& value) {
    if (row_.has_token) value = Next();
  }
  void Reason(Term& value, bool& is_behind) {
    is_behind = row_.is_reason_behind;
    if (!is_behind) value = Next();
  }

  // "element 2 is a tuple, not a pid"; empty when all was well.
  const std::string& bad_field() const { return bad_field_; }

 private:
  const Term& Next() { return tuple_[position_++]; }
  bool Require(bool claim, std::string_view wanted) {
    if (!claim && bad_field_.empty()) {
      bad_field_ = fmt::format("element {} is of kind {}, not {}", position_,
                               KindName(tuple_[position_ - 1].kind()), wanted);
    }
    return claim;
  }

  std::span<const Term> tuple_;
  const Row& row_;
  size_t position_ = 1;  // behind the tag
  std::string bad_field_;
};

class Writer {
 public:
  explicit Writer(const Row& row) : row_(row) { elements_.push_back(Term::Int(row.tag)); }

  void operator()(const Pid& value) { elements_.push_back(Term::FromPid(value)); }
  void operator()(const Reference& value) { elements_.push_back(Term::FromReference(value)); }
  void operator()(const AtomName& value) { elements_.push_back(Term::Atom(value)); }
  void operator()(uint32_t value) { elements_.push_back(Term::Int(value)); }
  void operator()(uint64_t value) {
    std::vector<uint8_t> magnitude;
    for (; value != 0; value >>= 8) magnitude.push_back(static_cast<uint8_t>(value));
    elements_.push_back(Term::Big(false, base::Slice(std::move(magnitude))));
  }
  void Unused() { elements_.push_back(Term::Atom("")); }
  void Sender(const Pid& value) {
    elements_.push_back(value.node.empty() ? Term::Atom("") : Term::FromPid(value));
  }
  void Receiver(const Term& value) { elements_.push_back(value); }
  void PidOrAtom(const Term& value) { elements_.push_back(value); }
  void List(const Term& value) { elements_.push_back(value); }
  void EntryPoint(const AtomName& module, const AtomName& function, int64_t arity) {
    elements_.push_back(Term::Tuple({Term::Atom(module), Term::Atom(function), Term::Int(arity)}));
  }
  void Token(const Term& value) {
    if (row_.has_token) elements_.push_back(value);
  }
  void Reason(const Term& value, bool) {
    if (!row_.is_reason_behind) elements_.push_back(value);
  }

  Term Take() { return Term::Tuple(std::move(elements_)); }

 private:
  const Row& row_;
  std::vector<Term> elements_;
};

const Row* FindRow(int64_t tag, size_t arity) {
  for (const Row& row : kRows) {
    if (row.tag == tag && row.arity == arity) return &row;
  }
  return nullptr;
}

template <class Message>
constexpr bool kHasToken = requires(Message m) {
  m.trace_token;
};
template <class Message>
constexpr bool kHasReason = requires(Message m) {
  m.is_reason_behind;
};

// The row for a message with this token and its reason there or here.
const Row& RowOf(const Control& control, uint64_t flags) {
  const auto [has_token, is_reason_behind] = std::visit(
      [flags](const auto& message) {
        using Message = std::decay_t<decltype(message)>;
        bool has_token = false;
        if constexpr (kHasToken<Message>) has_token = !message.trace_token.is_nil();
        return std::pair(has_token, kHasReason<Message> && (flags & dflag::kExitPayload) != 0);
      },
      control);
  for (const Row& row : kRows) {
    if (row.make().index() == control.index() && row.has_token == has_token &&
        row.is_reason_behind == is_reason_behind) {
      return row;
    }
  }
  return kRows[0];  // not reached: control_test goes through all of them
}

absl::Status BadControl(const std::string& what) {
  return base::Error(absl::StatusCode::kDataLoss, fmt::format("control message: {}", what), "",
                     "bad_control");
}

// What a peer with these flags understands in place of `control`.
Control Adapt(const Control& control, uint64_t flags) {
  if (auto* send = std::get_if<SendSender>(&control); send && !(flags & dflag::kSendSender)) {
    return Send{send->to, send->trace_token};
  }
  if (auto* unlink = std::get_if<UnlinkId>(&control); unlink && !(flags & dflag::kUnlinkId)) {
    return Unlink{unlink->from, unlink->to};
  }
  if (auto* send = std::get_if<AltactSend>(&control)) {
    AltactSend copy = *send;
    copy.flags &= ~AltactSend::kToken;
    if (!copy.trace_token.is_nil()) copy.flags |= AltactSend::kToken;
    return copy;
  }
  return control;
}

struct NeededFlags {
  uint64_t operator()(const AliasSend&) { return dflag::kAlias; }
  uint64_t operator()(const AltactSend&) { return dflag::kAltactSig; }
  uint64_t operator()(const UnlinkIdAck&) { return dflag::kUnlinkId; }
  uint64_t operator()(const SpawnRequest&) { return dflag::kSpawn; }
  uint64_t operator()(const SpawnReply&) { return dflag::kSpawn; }
  uint64_t operator()(const MonitorP& m) { return Monitor(m.to); }
  uint64_t operator()(const DemonitorP& m) { return Monitor(m.to); }
  uint64_t operator()(const MonitorPExit& m) { return Monitor(m.from); }
  uint64_t operator()(const auto&) { return 0; }
  static uint64_t Monitor(const Term& who) {
    return who.is_atom() ? dflag::kDistMonitor | dflag::kDistMonitorName : dflag::kDistMonitor;
  }
};

struct SenderIn {
  const Pid* operator()(const Send&) { return nullptr; }
  const Pid* operator()(const MonitorPExit& m) { return IfPid(m.from); }
  const Pid* operator()(const SpawnReply& m) { return IfPid(m.result); }
  const Pid* operator()(const auto& m) { return m.from.node.empty() ? nullptr : &m.from; }
  static const Pid* IfPid(const Term& term) { return term.is_pid() ? &term.pid() : nullptr; }
};

}  // namespace

absl::StatusOr<Control> DecodeControl(const Term& term) {
  const std::span<const Term> tuple = term.tuple();
  const std::optional<int64_t> tag = tuple.empty() ? std::nullopt : tuple[0].AsInt();
  if (!tag) {
    return BadControl(
        fmt::format("of kind {}, not a tuple that begins with a number", KindName(term.kind())));
  }
  const Row* row = FindRow(*tag, tuple.size());
  if (row == nullptr) {
    for (const Row& known : kRows) {
      if (known.tag == *tag) {
        return BadControl(
            fmt::format("{} with {} elements, not {}", known.name, tuple.size(), known.arity));
      }
    }
    return BadControl(fmt::format("operation {} is not known here", *tag));
  }
  Control control = row->make();
  Reader reader(tuple, *row);
  std::visit([&reader](auto& message) { Fields(reader, message); }, control);
  if (!reader.bad_field().empty()) {
    return BadControl(fmt::format("{}: {}", row->name, reader.bad_field()));
  }
  return control;
}

Term EncodeControl(const Control& control, uint64_t flags) {
  Control adapted = Adapt(control, flags);
  Writer writer(RowOf(adapted, flags));
  std::visit([&writer](auto& message) { Fields(writer, message); }, adapted);
  return writer.Take();
}

bool IsNegotiated(const Control& control, uint64_t flags) {
  const uint64_t wanted = std::visit(NeededFlags(), control);
  return (flags & wanted) == wanted;
}

bool HasPayload(const Control& control) {
  return std::visit(
      [](const auto& message) {
        using Message = std::decay_t<decltype(message)>;
        if constexpr (kHasReason<Message>) return message.is_reason_behind;
        return std::is_same_v<Message, Send> || std::is_same_v<Message, SendSender> ||
               std::is_same_v<Message, RegSend> || std::is_same_v<Message, AliasSend> ||
               std::is_same_v<Message, AltactSend> || std::is_same_v<Message, SpawnRequest>;
      },
      control);
}

const Term* ReasonBehind(const Control& control, uint64_t flags) {
  return std::visit(
      [flags](const auto& message) -> const Term* {
        if constexpr (kHasReason<std::decay_t<decltype(message)>>) {
          return flags & dflag::kExitPayload ? &message.reason : nullptr;
        }
        return nullptr;
      },
      control);
}

const Pid* SenderOf(const Control& control) { return std::visit(SenderIn(), control); }

std::string_view ControlName(const Control& control) {
  for (const Row& row : kRows) {
    if (row.make().index() == control.index()) return row.name;
  }
  return "";
}

}  // namespace noded::dist
