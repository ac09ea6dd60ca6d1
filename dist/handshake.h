// Handshake proves to two nodes that they share a cookie, and settles their names, creations and
// flags, before the first distribution packet. It is the same over every carrier.
//
//   Handshake handshake(Handshake::Role::kAcceptor, local, cookies, {}, deadline, limits);
//   handshake.Feed(bytes);
//   auto event = handshake.Next(now);              // value, none (read more) or error
//   stream.Write(handshake.TakeOutput());          // also before an error: it may hold the refusal
//   if (!event.ok()) return event.status();
//   if (*event) std::visit(driver, **event);       // PeerNamed: Answer(); Done: start the channel
//   if (end_of_stream) return handshake.PeerClosed();
//
// An initiator has output from the start. Call Next() until it gives none: an event may follow
// without further bytes. Loop-confined; knows no socket; time comes in through Next().
// Errors end the object: DataLoss (malformed, or no Erlang node at all), PermissionDenied (reason
// bad_cookie: names the peer and where our cookie came from, never a cookie; not_allowed;
// check_dflags_failed), Unavailable (nok, alive), DeadlineExceeded (the deadline; reason timeout),
// ResourceExhausted (a message above limits.max_handshake_bytes).
// Source: OTP "Distribution Protocol", Distribution Handshake, versions 6 and 5.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "dist/atom_name.h"
#include "dist/cookie.h"
#include "dist/handshake_format.h"
#include "dist/preamble.h"

namespace noded::dist {

class Handshake {
 public:
  enum class Role { kInitiator, kAcceptor };

  struct Local {
    AtomName name;  // in full; an initiator whose flags have NAME_ME gives its host alone
    uint32_t creation = 0;
    uint64_t flags = 0;
    HandshakeFraming framing = HandshakeFraming::k2Bytes;  // the carrier's
  };

  // Acceptor: call Answer(), or AnswerNamed() where the flags have NAME_ME (`name` is a host then).
  struct PeerNamed {
    AtomName name;
    uint64_t flags = 0;
    uint32_t creation = 0;  // 0 with version 5: comes later
    int version = 0;
    friend bool operator==(const PeerNamed&, const PeerNamed&) = default;
  };
  // Initiator: the peer believes that there is a link to us. Call AnswerAlive().
  struct AliveAsked {
    friend bool operator==(const AliveAsked&, const AliveAsked&) = default;
  };
  // The next message binds us. Acceptor: the peer has proved its cookie; its acknowledgement makes
  // the link. Initiator: the proof, after which the peer may have the link. Call Commit().
  struct Committing {
    AtomName peer;
    friend bool operator==(const Committing&, const Committing&) = default;
  };
  struct Done {
    AtomName peer;
    uint64_t flags = 0;  // negotiated
    uint32_t creation = 0;
    int version = 0;
    AtomName own_name;  // ours; given by the peer after NAME_ME
    uint32_t own_creation = 0;
    base::Slice rest;  // bytes behind the last handshake message: they belong to the channel
    friend bool operator==(const Done&, const Done&) = default;
  };
  using Event = std::variant<PeerNamed, AliveAsked, Committing, Done>;

  // What an acceptor says to a name. kOkSimultaneous: our own attempt to that node ends. kNok: that
  // attempt goes on instead. kAlive: there is a link to that node already.
  enum class Verdict { kOk, kOkSimultaneous, kNok, kNotAllowed, kAlive };

  // `expected_peer` (initiator): whom we called. `peer_version` (initiator): the highest version
  // that epmd gave for the peer; below 6 the handshake of version 5 is used.
  Handshake(Role role, Local local, std::shared_ptr<const CookieJar> cookies,
            AtomName expected_peer, base::TimePoint deadline, const base::Limits& limits,
            int peer_version = 6, std::function<uint32_t()> challenge = base::Random32);

  void Feed(base::ByteView bytes);
  absl::StatusOr<std::optional<Event>> Next(base::TimePoint now);
  base::Buffer TakeOutput() { return std::move(output_); }
  // None once done or failed.
  std::optional<base::TimePoint> Deadline() const;

  // Each is an answer to the event that asks for it, and is ignored at any other time.
  void Answer(Verdict verdict);
  void AnswerNamed(const AtomName& name, uint32_t creation);
  // True: the old link is gone, go on.
  void AnswerAlive(bool go_on);
  // False: another connection to this peer goes on.
  void Commit(bool go_on);

  // What an end of the stream at this point most likely means, as an error with its mend.
  absl::Status PeerClosed() const;

  enum class State : uint8_t {
    kAwaitName,         // acceptor
    kAwaitVerdict,      // acceptor; Answer() leaves it
    kAwaitAliveReply,   // acceptor
    kAwaitComplement,   // acceptor, version 5
    kAwaitReply,        // acceptor
    kAwaitCommit,       // both; Commit() leaves it
    kAwaitStatus,       // initiator
    kAwaitAliveAnswer,  // initiator; AnswerAlive() leaves it
    kAwaitChallenge,    // initiator
    kAwaitAck,          // initiator
    kConfirmed,         // proved; what remains are events
    kDone,
    kFailed,
  };
  State state() const { return state_; }
  Role role() const { return role_; }

 private:
  using Result = absl::StatusOr<std::optional<Event>>;

  Result Step();
  Result Take(const HandshakeMessage& message);
  bool HasMessage() const;
  bool WaitsForUs() const;
  size_t length_bytes() const { return static_cast<size_t>(local_.framing); }
  size_t MessageLength() const;
  absl::Status CheckInput() const;
  absl::Status ForeignPeer(Preamble preamble) const;
  Result OnName(const HandshakeName& name);
  Result OnAliveReply(const HandshakeStatus& status);
  Result OnComplement(const HandshakeComplement& complement);
  Result OnReply(const HandshakeReply& reply);
  Result OnStatus(const HandshakeStatus& status);
  Result OnChallenge(const HandshakeChallenge& challenge);
  Result OnAck(const HandshakeAck& ack);
  Result Finish();
  absl::Status AgreeOnFlags();
  absl::Status BadCookie() const;
  absl::Status BadStatus(const HandshakeStatus& status) const;
  void SendChallenge();
  void SendProof();
  void Send(const HandshakeMessage& message);
  void Fail(absl::Status why);
  std::string Peer() const;
  std::string_view WaitsFor() const;

  const Role role_;
  Local local_;
  const std::shared_ptr<const CookieJar> cookies_;
  AtomName peer_;
  const base::TimePoint deadline_;
  const size_t max_message_bytes_;
  int version_;
  const std::function<uint32_t()> make_challenge_;

  State state_;
  absl::Status refusal_;  // in kFailed: why
  std::vector<uint8_t> input_;
  base::Buffer output_;
  bool is_first_message_ = true;
  uint64_t peer_flags_ = 0;
  uint32_t peer_creation_ = 0;
  uint64_t flags_ = 0;
  uint32_t own_challenge_ = 0;
  uint32_t peer_challenge_ = 0;
};

}  // namespace noded::dist
