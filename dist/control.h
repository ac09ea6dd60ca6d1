// Control messages: what one node asks of another, each as a struct.
//
//   ASSIGN_OR_RETURN(Control control, DecodeControl(term));
//   if (auto* send = std::get_if<RegSend>(&control)) Deliver(send->to, payload);
//   Term term = EncodeControl(MonitorP{from, Term::Atom("rex"), reference}, flags);
//
// Variants with a trace token are the same struct: `trace_token` is [] where there is none. Reasons
// of exits go behind the control message where EXIT_PAYLOAD was negotiated and inside it elsewhere;
// Channel puts them into `reason` in both cases. Values; functions without state: any thread.
// Errors: DataLoss, which concern this message only (unknown tag; a field of the wrong kind).
// Source: OTP "Distribution Protocol", Protocol between Connected Nodes; tags as in
// erts/emulator/beam/dist.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "dist/term.h"

namespace noded::dist {

struct Link {
  Pid from, to;
  friend bool operator==(const Link&, const Link&) = default;
};
struct Send {  // from peers that do not say who sends
  Pid to;
  Term trace_token;
  friend bool operator==(const Send&, const Send&) = default;
};
struct SendSender {
  Pid from;  // without a node when the sender is no process
  Pid to;
  Term trace_token;
  friend bool operator==(const SendSender&, const SendSender&) = default;
};
struct RegSend {
  Pid from;
  AtomName to;
  Term trace_token;
  friend bool operator==(const RegSend&, const RegSend&) = default;
};
struct AliasSend {
  Pid from;
  Reference alias;
  Term trace_token;
  friend bool operator==(const AliasSend&, const AliasSend&) = default;
};
struct AltactSend {  // OTP 28: message or exit signal, by flags
  static constexpr uint32_t kPriority = 1, kToken = 2, kAlias = 4, kName = 8, kExit = 16;
  uint32_t flags = 0;  // kToken is set by EncodeControl where there is one
  Pid from;
  Term to;  // pid, atom or reference
  Term trace_token;
  friend bool operator==(const AltactSend&, const AltactSend&) = default;
};
struct Exit {  // a link broke
  Pid from, to;
  Term reason;
  bool is_reason_behind = false;  // set by DecodeControl only: the reason is the payload
  Term trace_token;
  friend bool operator==(const Exit&, const Exit&) = default;
};
struct Exit2 {  // erlang:exit/2
  Pid from, to;
  Term reason;
  bool is_reason_behind = false;
  Term trace_token;
  friend bool operator==(const Exit2&, const Exit2&) = default;
};
struct Unlink {  // before UNLINK_ID
  Pid from, to;
  friend bool operator==(const Unlink&, const Unlink&) = default;
};
struct UnlinkId {
  uint64_t id = 0;
  Pid from, to;
  friend bool operator==(const UnlinkId&, const UnlinkId&) = default;
};
struct UnlinkIdAck {
  uint64_t id = 0;
  Pid from, to;
  friend bool operator==(const UnlinkIdAck&, const UnlinkIdAck&) = default;
};
struct GroupLeader {
  Pid from, to;
  friend bool operator==(const GroupLeader&, const GroupLeader&) = default;
};
struct MonitorP {
  Pid from;
  Term to;  // pid or atom
  Reference reference;
  friend bool operator==(const MonitorP&, const MonitorP&) = default;
};
struct DemonitorP {
  Pid from;
  Term to;  // pid or atom
  Reference reference;
  friend bool operator==(const DemonitorP&, const DemonitorP&) = default;
};
struct MonitorPExit {
  Term from;  // pid or atom, as it was monitored
  Pid to;
  Reference reference;
  Term reason;
  bool is_reason_behind = false;
  friend bool operator==(const MonitorPExit&, const MonitorPExit&) = default;
};
struct SpawnRequest {  // its payload is the list of arguments
  Reference request;
  Pid from, group_leader;
  AtomName module, function;
  int64_t arity = 0;
  Term options;
  Term trace_token;
  friend bool operator==(const SpawnRequest&, const SpawnRequest&) = default;
};
struct SpawnReply {
  static constexpr uint32_t kLinked = 1, kMonitored = 2;
  Reference request;
  Pid to;
  uint32_t flags = 0;
  Term result;  // pid, or an atom that says why not
  Term trace_token;
  friend bool operator==(const SpawnReply&, const SpawnReply&) = default;
};

using Control = std::variant<Link, Send, SendSender, RegSend, AliasSend, AltactSend, Exit, Exit2,
                             Unlink, UnlinkId, UnlinkIdAck, GroupLeader, MonitorP, DemonitorP,
                             MonitorPExit, SpawnRequest, SpawnReply>;

absl::StatusOr<Control> DecodeControl(const Term& term);

// In the form that `flags` (negotiated) ask for: PAYLOAD_EXIT or EXIT, SEND_SENDER or SEND, ...
Term EncodeControl(const Control& control, uint64_t flags);

// Whether the peer understands this message at all.
bool IsNegotiated(const Control& control, uint64_t flags);

// Whether a term follows a message that DecodeControl gave.
bool HasPayload(const Control& control);
// The reason that goes behind the encoded message, null where there is none or it stands inside.
const Term* ReasonBehind(const Control& control, uint64_t flags);

// The process that a message comes from; null where the message does not name one.
const Pid* SenderOf(const Control& control);

// "LINK", "SEND_SENDER", ... for messages to people.
std::string_view ControlName(const Control& control);

}  // namespace noded::dist
