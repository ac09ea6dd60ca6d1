// The messages of the distribution handshake and their layouts.
//
//   base::Buffer out = EncodeHandshake(HandshakeStatus{"ok"});               // with its length
//   auto message = DecodeHandshake(body, HandshakeReader::kInitiator);   // without it
//
// Sans-IO, no threads. Errors: DataLoss. Extra bytes where OTP says that they must be ignored are.
// Source: OTP "Distribution Protocol", Distribution Handshake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "dist/atom_name.h"

namespace noded::dist {

struct HandshakeName {  // 'N', or 'n' in version 5 (the lower 32 flags, no creation)
  int version = 6;
  uint64_t flags = 0;
  uint32_t creation = 0;
  std::string name;
  friend bool operator==(const HandshakeName&, const HandshakeName&) = default;
};
struct HandshakeStatus {  // 's'
  std::string text;       // "ok", "nok", ...; "named:" with the two fields below
  std::string name;
  uint32_t creation = 0;
  friend bool operator==(const HandshakeStatus&, const HandshakeStatus&) = default;
};
struct HandshakeChallenge {  // 'N', or 'n' from a node older than OTP 23
  int version = 6;
  uint64_t flags = 0;
  uint32_t challenge = 0;
  uint32_t creation = 0;
  std::string name;
  friend bool operator==(const HandshakeChallenge&, const HandshakeChallenge&) = default;
};
struct HandshakeComplement {  // 'c', what an 'n' left out
  uint32_t flags_high = 0;
  uint32_t creation = 0;
  friend bool operator==(const HandshakeComplement&, const HandshakeComplement&) = default;
};
struct HandshakeReply {  // 'r'
  uint32_t challenge = 0;
  base::Md5Digest digest{};
  friend bool operator==(const HandshakeReply&, const HandshakeReply&) = default;
};
struct HandshakeAck {  // 'a'
  base::Md5Digest digest{};
  friend bool operator==(const HandshakeAck&, const HandshakeAck&) = default;
};
using HandshakeMessage = std::variant<HandshakeName, HandshakeStatus, HandshakeChallenge,
                                      HandshakeComplement, HandshakeReply, HandshakeAck>;

// 'N' and 'n' begin both a name (to an acceptor) and a challenge (to an initiator).
enum class HandshakeReader { kAcceptor, kInitiator };

// How the length of a message stands before it. OTP's plain carriers use two bytes; its TLS
// carriers use four from the first message on, as between connected nodes.
enum class HandshakeFraming : uint8_t { k2Bytes = 2, k4Bytes = 4 };

base::Buffer EncodeHandshake(const HandshakeMessage& message,
                             HandshakeFraming framing = HandshakeFraming::k2Bytes);
absl::StatusOr<HandshakeMessage> DecodeHandshake(base::ByteView body, HandshakeReader reader);

// A node's name in these messages: one byte a character.
std::string EncodeNodeName(const AtomName& name);
// Checks it: name@host, or a host alone where `is_host` (what a node without a name sends).
absl::StatusOr<AtomName> DecodeNodeName(const std::string& bytes, bool is_host);

// "send_name", ... for messages to people.
std::string_view HandshakeMessageName(const HandshakeMessage& message);

}  // namespace noded::dist
