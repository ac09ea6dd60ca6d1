#include "dist/handshake.h"

#include <utility>

#include "base/byte_reader.h"
#include "base/status.h"
#include "dist/flags.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

using absl::StatusCode;
using State = Handshake::State;

constexpr std::string_view kNamed = "named:";

}  // namespace

Handshake::Handshake(Role role, Local local, std::shared_ptr<const CookieJar> cookies,
                     AtomName expected_peer, base::TimePoint deadline, const base::Limits& limits,
                     int peer_version, std::function<uint32_t()> challenge)
    : role_(role),
      local_(std::move(local)),
      cookies_(std::move(cookies)),
      peer_(std::move(expected_peer)),
      deadline_(deadline),
      max_message_bytes_(limits.max_handshake_bytes),
      version_(peer_version < 6 ? 5 : 6),
      make_challenge_(std::move(challenge)),
      state_(role == Role::kAcceptor ? State::kAwaitName : State::kAwaitStatus) {
  if (role_ == Role::kAcceptor) return;
  const bool has_name = (local_.flags & dflag::kNameMe) == 0;
  Send(HandshakeName{version_, local_.flags, has_name ? local_.creation : 0,
                     EncodeNodeName(local_.name)});
}

void Handshake::Feed(base::ByteView bytes) {
  if (state_ == State::kDone || state_ == State::kFailed) return;
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

std::optional<base::TimePoint> Handshake::Deadline() const {
  if (state_ == State::kDone || state_ == State::kFailed) return std::nullopt;
  return deadline_;
}

absl::StatusOr<std::optional<Handshake::Event>> Handshake::Next(base::TimePoint now) {
  if (state_ == State::kFailed) return refusal_;
  if (state_ == State::kDone) return std::optional<Event>();
  if (now >= deadline_) {
    Fail(base::Error(
        StatusCode::kDeadlineExceeded,
        fmt::format("handshake with {}: no end in time, waiting for {}", Peer(), WaitsFor()),
        "see whether the peer is overloaded or raise net_setuptime", "timeout"));
    return refusal_;
  }
  while (true) {
    const State state = state_;
    const size_t size = input_.size();
    Result event = Step();
    if (!event.ok()) Fail(event.status());
    const bool has_moved = state_ != state || input_.size() != size;
    if (!event.ok() || *event || !has_moved) return event;
  }
}

bool Handshake::WaitsForUs() const {
  return state_ == State::kAwaitVerdict || state_ == State::kAwaitAliveAnswer ||
         state_ == State::kAwaitCommit;
}

bool Handshake::HasMessage() const {
  if (state_ == State::kConfirmed) return true;
  if (WaitsForUs()) return false;
  return input_.size() >= length_bytes() && input_.size() - length_bytes() >= MessageLength();
}

size_t Handshake::MessageLength() const {
  base::ByteReader in(input_);
  return local_.framing == HandshakeFraming::k4Bytes ? in.U32() : in.U16();
}

// One message, or one event that follows without a message.
Handshake::Result Handshake::Step() {
  if (state_ == State::kConfirmed) return Finish();
  RETURN_IF_ERROR(CheckInput());
  if (!HasMessage()) return std::optional<Event>();
  const size_t length = MessageLength();
  const base::ByteView body = base::ByteView(input_).subspan(length_bytes(), length);
  absl::StatusOr<HandshakeMessage> message = DecodeHandshake(
      body, role_ == Role::kAcceptor ? HandshakeReader::kAcceptor : HandshakeReader::kInitiator);
  if (!message.ok()) return base::Annotate(message.status(), fmt::format("peer {}", Peer()));
  input_.erase(input_.begin(), input_.begin() + length_bytes() + length);
  is_first_message_ = false;
  return Take(*message);
}

// Every message that a state takes is here; any other is refused.
Handshake::Result Handshake::Take(const HandshakeMessage& message) {
  switch (state_) {
    case State::kAwaitName:
      if (auto* name = std::get_if<HandshakeName>(&message)) return OnName(*name);
      break;
    case State::kAwaitAliveReply:
      if (auto* status = std::get_if<HandshakeStatus>(&message)) return OnAliveReply(*status);
      break;
    case State::kAwaitComplement:
      if (auto* rest = std::get_if<HandshakeComplement>(&message)) return OnComplement(*rest);
      break;
    case State::kAwaitReply:
      if (auto* reply = std::get_if<HandshakeReply>(&message)) return OnReply(*reply);
      break;
    case State::kAwaitStatus:
      if (auto* status = std::get_if<HandshakeStatus>(&message)) return OnStatus(*status);
      break;
    case State::kAwaitChallenge:
      if (auto* challenge = std::get_if<HandshakeChallenge>(&message)) {
        return OnChallenge(*challenge);
      }
      break;
    case State::kAwaitAck:
      if (auto* ack = std::get_if<HandshakeAck>(&message)) return OnAck(*ack);
      break;
    case State::kAwaitVerdict:
    case State::kAwaitAliveAnswer:
    case State::kAwaitCommit:
    case State::kConfirmed:
    case State::kDone:
    case State::kFailed:
      break;
  }
  return base::Error(StatusCode::kDataLoss,
                     fmt::format("handshake with {}: {} where {} is due", Peer(),
                                 HandshakeMessageName(message), WaitsFor()),
                     "", "bad_handshake");
}

// Whether what has come can be the beginning of a message that we take.
absl::Status Handshake::CheckInput() const {
  if (WaitsForUs()) {
    if (input_.size() <= max_message_bytes_) return absl::OkStatus();
    return base::Error(StatusCode::kResourceExhausted,
                       fmt::format("handshake with {}: {} bytes while it has to wait for us",
                                   Peer(), input_.size()),
                       "", "bad_handshake");
  }
  if (input_.size() < length_bytes()) return absl::OkStatus();
  const bool may_be_foreign = is_first_message_ && local_.framing == HandshakeFraming::k2Bytes;
  const Preamble preamble = may_be_foreign ? RecognisePreamble(input_) : Preamble::kErlang;
  if (preamble == Preamble::kUndecided) return absl::OkStatus();
  if (preamble != Preamble::kErlang) return ForeignPeer(preamble);
  if (MessageLength() <= max_message_bytes_) return absl::OkStatus();
  return base::Error(StatusCode::kResourceExhausted,
                     fmt::format("handshake with {}: a message of {} bytes, more than {}", Peer(),
                                 MessageLength(), max_message_bytes_),
                     "check that an Erlang node is at the other end", "bad_handshake");
}

// The acceptor.

Handshake::Result Handshake::OnName(const HandshakeName& name) {
  peer_flags_ = ExpandFlags(name.flags);
  const bool is_nameless = (peer_flags_ & dflag::kNameMe) != 0;
  ASSIGN_OR_RETURN(peer_, DecodeNodeName(name.name, is_nameless));
  version_ = name.version;
  peer_creation_ = name.creation;
  // A version 5 name has only the lower flags; all that are mandatory are among them.
  if (absl::Status agreed = AgreeOnFlags(); !agreed.ok()) {
    Send(HandshakeStatus{"not_allowed", "", 0});
    return agreed;
  }
  if (peer_ == local_.name) {
    Send(HandshakeStatus{"not_allowed", "", 0});
    return base::Error(StatusCode::kPermissionDenied,
                       fmt::format("handshake: a peer calls itself {}, which is our name", Peer()),
                       "give each node a name of its own", "duplicate_name");
  }
  state_ = State::kAwaitVerdict;
  return std::optional<Event>(PeerNamed{peer_, peer_flags_, peer_creation_, version_});
}

void Handshake::Answer(Verdict verdict) {
  if (state_ != State::kAwaitVerdict) return;
  if (verdict != Verdict::kNotAllowed && (peer_flags_ & dflag::kNameMe) != 0) {
    Send(HandshakeStatus{"not_allowed", "", 0});
    return Fail(base::Error(StatusCode::kPermissionDenied,
                            fmt::format("handshake: a node of host {} asks for a name, and this "
                                        "node gives none",
                                        Peer()),
                            "start the peer with -name or -sname", "not_allowed"));
  }
  switch (verdict) {
    case Verdict::kOk:
      Send(HandshakeStatus{"ok", "", 0});
      return SendChallenge();
    case Verdict::kOkSimultaneous:
      Send(HandshakeStatus{"ok_simultaneous", "", 0});
      return SendChallenge();
    case Verdict::kAlive:
      Send(HandshakeStatus{"alive", "", 0});
      state_ = State::kAwaitAliveReply;
      return;
    case Verdict::kNok:
      Send(HandshakeStatus{"nok", "", 0});
      return Fail(base::Error(
          StatusCode::kUnavailable,
          fmt::format("handshake with {}: our own attempt to it goes on instead", Peer()), "",
          "nok"));
    case Verdict::kNotAllowed:
      Send(HandshakeStatus{"not_allowed", "", 0});
      return Fail(base::Error(StatusCode::kPermissionDenied,
                              fmt::format("handshake with {}: not allowed here", Peer()), "",
                              "not_allowed"));
  }
}

void Handshake::AnswerNamed(const AtomName& name, uint32_t creation) {
  if (state_ != State::kAwaitVerdict || (peer_flags_ & dflag::kNameMe) == 0) return;
  Send(HandshakeStatus{std::string(kNamed), EncodeNodeName(name), creation});
  peer_ = name;
  peer_creation_ = creation;
  SendChallenge();
}

Handshake::Result Handshake::OnAliveReply(const HandshakeStatus& status) {
  if (status.text == "true") {
    SendChallenge();
    return std::optional<Event>();
  }
  if (status.text == "false") {
    return base::Error(StatusCode::kUnavailable,
                       fmt::format("handshake with {}: it gave up, since it has a link to us "
                                   "already",
                                   Peer()),
                       "", "alive");
  }
  return BadStatus(status);
}

void Handshake::SendChallenge() {
  own_challenge_ = make_challenge_();
  uint64_t flags = local_.flags & ~dflag::kNameMe;
  // Who asks for a name is hidden, and is told that it was understood.
  if (peer_flags_ & dflag::kNameMe) flags = (flags & ~dflag::kPublished) | dflag::kNameMe;
  Send(HandshakeChallenge{6, flags, own_challenge_, local_.creation, EncodeNodeName(local_.name)});
  state_ = version_ < 6 ? State::kAwaitComplement : State::kAwaitReply;
}

Handshake::Result Handshake::OnComplement(const HandshakeComplement& complement) {
  peer_flags_ |= uint64_t{complement.flags_high} << 32;
  peer_creation_ = complement.creation;
  RETURN_IF_ERROR(AgreeOnFlags());
  state_ = State::kAwaitReply;
  return std::optional<Event>();
}

Handshake::Result Handshake::OnReply(const HandshakeReply& reply) {
  if (!EqualDigests(reply.digest, ChallengeDigest(cookies_->For(peer_), own_challenge_))) {
    return BadCookie();
  }
  peer_challenge_ = reply.challenge;
  state_ = State::kAwaitCommit;
  return std::optional<Event>(Committing{peer_});
}

// The initiator.

Handshake::Result Handshake::OnStatus(const HandshakeStatus& status) {
  const bool is_nameless = (local_.flags & dflag::kNameMe) != 0;
  const std::string& text = status.text;
  if (text == "not_allowed") {
    return base::Error(
        StatusCode::kPermissionDenied,
        fmt::format("handshake with {}: it does not allow {}", Peer(), local_.name.view()),
        "see the peer's log: its net_kernel:allow/1, our certificate, name or flags",
        "not_allowed");
  }
  if (text == kNamed && is_nameless) {
    ASSIGN_OR_RETURN(local_.name, DecodeNodeName(status.name, false));
    local_.creation = status.creation;
    state_ = State::kAwaitChallenge;
    return std::optional<Event>();
  }
  if (text == kNamed || is_nameless) return BadStatus(status);
  if (text == "ok" || text == "ok_simultaneous") {
    state_ = State::kAwaitChallenge;
    return std::optional<Event>();
  }
  if (text == "alive") {
    state_ = State::kAwaitAliveAnswer;
    return std::optional<Event>(AliveAsked{});
  }
  if (text != "nok") return BadStatus(status);
  return base::Error(
      StatusCode::kUnavailable,
      fmt::format("handshake with {}: its own attempt to us goes on instead", Peer()),
      "wait for that link to come up", "nok");
}

void Handshake::AnswerAlive(bool go_on) {
  if (state_ != State::kAwaitAliveAnswer) return;
  Send(HandshakeStatus{go_on ? "true" : "false", "", 0});
  state_ = State::kAwaitChallenge;
  if (go_on) return;
  Fail(base::Error(StatusCode::kUnavailable,
                   fmt::format("handshake with {}: there is a link to it already", Peer()), "",
                   "alive"));
}

Handshake::Result Handshake::OnChallenge(const HandshakeChallenge& challenge) {
  ASSIGN_OR_RETURN(const AtomName name, DecodeNodeName(challenge.name, false));
  if (name != peer_) {
    return base::Error(StatusCode::kPermissionDenied,
                       fmt::format("handshake with {}: a node {} answers", Peer(), name.view()),
                       "check the name, and which node the port belongs to (epmd -names)",
                       "bad_name");
  }
  peer_flags_ = ExpandFlags(challenge.flags);
  peer_creation_ = challenge.creation;
  peer_challenge_ = challenge.challenge;
  RETURN_IF_ERROR(AgreeOnFlags());
  if (challenge.version < 6) {
    return base::Error(StatusCode::kDataLoss,
                       fmt::format("handshake with {}: it says HANDSHAKE_23 and answers with the "
                                   "challenge of older nodes",
                                   Peer()),
                       "", "bad_handshake");
  }
  state_ = State::kAwaitCommit;
  return std::optional<Event>(Committing{peer_});
}

void Handshake::SendProof() {
  if (version_ < 6) {
    Send(HandshakeComplement{static_cast<uint32_t>(local_.flags >> 32), local_.creation});
  }
  own_challenge_ = make_challenge_();
  Send(HandshakeReply{own_challenge_, ChallengeDigest(cookies_->For(peer_), peer_challenge_)});
  state_ = State::kAwaitAck;
}

Handshake::Result Handshake::OnAck(const HandshakeAck& ack) {
  if (!EqualDigests(ack.digest, ChallengeDigest(cookies_->For(peer_), own_challenge_))) {
    return BadCookie();
  }
  state_ = State::kConfirmed;
  return std::optional<Event>();
}

// Both.

void Handshake::Commit(bool go_on) {
  if (state_ != State::kAwaitCommit) return;
  if (!go_on) {
    return Fail(base::Error(StatusCode::kUnavailable,
                            fmt::format("handshake with {}: another connection to it goes on "
                                        "instead",
                                        Peer()),
                            "", "nok"));
  }
  if (role_ == Role::kInitiator) return SendProof();
  Send(HandshakeAck{ChallengeDigest(cookies_->For(peer_), peer_challenge_)});
  state_ = State::kConfirmed;
}

Handshake::Result Handshake::Finish() {
  state_ = State::kDone;
  return std::optional<Event>(Done{peer_, flags_, peer_creation_, version_, local_.name,
                                   local_.creation, base::Slice(std::exchange(input_, {}))});
}

absl::Status Handshake::AgreeOnFlags() {
  absl::StatusOr<uint64_t> flags = Negotiate(local_.flags, peer_flags_);
  if (!flags.ok()) {
    return base::Annotate(flags.status(), fmt::format("handshake with {}", Peer()));
  }
  flags_ = *flags;
  return absl::OkStatus();
}

void Handshake::Send(const HandshakeMessage& message) {
  output_.Append(EncodeHandshake(message, local_.framing));
}

void Handshake::Fail(absl::Status why) {
  refusal_ = std::move(why);
  state_ = State::kFailed;
  input_ = {};
}

}  // namespace noded::dist
