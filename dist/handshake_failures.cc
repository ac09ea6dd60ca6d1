// What a handshake says of its failures.
#include <string>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/handshake.h"

namespace noded::dist {
namespace {

using absl::StatusCode;

constexpr std::string_view kPlainMend =
    "start both nodes with the same -proto_dist (inet_tls for TLS, inet_tcp without)";
constexpr std::string_view kCookieMend =
    "give both nodes the same cookie: option -setcookie, or the same file .erlang.cookie";

}  // namespace

std::string Handshake::Peer() const { return peer_.empty() ? "a peer" : peer_.ToString(); }

std::string_view Handshake::WaitsFor() const {
  switch (state_) {
    case State::kAwaitName:
      return "the peer's name";
    case State::kAwaitVerdict:
    case State::kAwaitAliveAnswer:
    case State::kAwaitCommit:
      return "our own decision";
    case State::kAwaitAliveReply:
      return "whether the peer's old link is gone";
    case State::kAwaitComplement:
      return "the rest of the peer's flags";
    case State::kAwaitReply:
      return "the answer to our challenge";
    case State::kAwaitStatus:
      return "the answer to our name";
    case State::kAwaitChallenge:
      return "the peer's challenge";
    case State::kAwaitAck:
      return "the answer to our challenge";
    case State::kConfirmed:
    case State::kDone:
    case State::kFailed:
      break;
  }
  return "nothing";
}

absl::Status Handshake::ForeignPeer(Preamble preamble) const {
  if (preamble == Preamble::kTls) {
    return base::Error(
        StatusCode::kDataLoss,
        role_ == Role::kAcceptor
            ? "handshake: the peer speaks TLS, and this port does not"
            : fmt::format("handshake with {}: it answers with TLS, and we connected without",
                          Peer()),
        kPlainMend, "tls_on_plain_port");
  }
  return base::Error(
      StatusCode::kDataLoss,
      fmt::format("handshake with {}: it speaks {}", Peer(),
                  preamble == Preamble::kSsh ? "SSH" : "HTTP (a browser or a health check)"),
      "point it at another port; this one is for Erlang nodes", "bad_handshake");
}

absl::Status Handshake::BadCookie() const {
  return base::Error(StatusCode::kPermissionDenied,
                     fmt::format("handshake with {}: its cookie is not ours, which comes from {}",
                                 Peer(), cookies_->For(peer_).origin),
                     kCookieMend, "bad_cookie");
}

absl::Status Handshake::BadStatus(const HandshakeStatus& status) const {
  constexpr size_t kShownBytes = 32;
  return base::Error(
      StatusCode::kDataLoss,
      fmt::format("handshake with {}: a status (in hexadecimal {}) that has no meaning here",
                  Peer(), base::ToHex(base::AsBytes(status.text.substr(0, kShownBytes)))),
      "", "bad_handshake");
}

absl::Status Handshake::PeerClosed() const {
  const auto closed = [this](StatusCode code, std::string_view when, std::string_view mend,
                             std::string_view reason) {
    return base::Error(code, fmt::format("handshake with {}: it closed {}", Peer(), when), mend,
                       reason);
  };
  switch (state_) {
    case State::kAwaitName:
      return closed(StatusCode::kUnavailable, "before it said its name",
                    "no harm if this was a probe of the port; else see the peer's log", "closed");
    case State::kAwaitVerdict:
    case State::kAwaitAliveReply:
    case State::kAwaitAliveAnswer:
    case State::kAwaitCommit:
      return closed(StatusCode::kUnavailable, "before we had decided about the link", "", "closed");
    case State::kAwaitComplement:
    case State::kAwaitReply:
      return closed(
          StatusCode::kUnavailable, "after our challenge",
          "see the peer's log: it may know this node by another name, or refuse our flags",
          "closed");
    case State::kAwaitStatus:
      if (version_ < 6) {
        return closed(StatusCode::kUnavailable, "without an answer to our name of version 5",
                      "OTP 25.0 to 25.2 take version 6 only: see whether its epmd tells that",
                      "closed");
      }
      return closed(StatusCode::kUnavailable, "without an answer to our name",
                    fmt::format("see the peer's log; if it expects TLS, {}", kPlainMend), "closed");
    case State::kAwaitChallenge:
      return closed(StatusCode::kUnavailable, "before its challenge", "see the peer's log",
                    "closed");
    case State::kAwaitAck:
      return closed(StatusCode::kPermissionDenied,
                    fmt::format("when it had our proof: it did not accept our cookie, which comes "
                                "from {}",
                                cookies_->For(peer_).origin),
                    kCookieMend, "bad_cookie");
    case State::kConfirmed:
    case State::kDone:
      return closed(StatusCode::kUnavailable, "at the end of the handshake", "", "closed");
    case State::kFailed:
      break;
  }
  return refusal_;
}

}  // namespace noded::dist
