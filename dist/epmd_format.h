// The messages of epmd, the port mapper of Erlang nodes: requests, replies and their bytes.
//
//   base::Buffer out = EncodeEpmdRequest(EpmdLookUp{"shop"});          // client
//   auto reply = DecodeEpmdLookUpReply(so_far);                        // none: read more
//
//   EpmdRequestReader reader(limits);                                  // server
//   reader.Feed(bytes);
//   auto request = reader.Next();                                      // none: read more
//
// Sans-IO, no threads. Decoding fails with DataLoss on malformed bytes and ResourceExhausted on a
// request above limits.max_epmd_request_bytes; that connection must be closed.
// Source: OTP "EPMD Protocol" (erts/doc, Distribution Protocol); what is not said there, as
// erts/epmd/src/epmd_srv.c does it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace noded::dist {

inline constexpr uint16_t kEpmdPort = 4369;

// A node as epmd knows it: the name is the part before '@'.
struct EpmdNode {
  static constexpr uint8_t kNormal = 77;
  static constexpr uint8_t kHidden = 72;
  static constexpr size_t kMaxExtraBytes = 4 * 255;

  std::string name;  // UTF-8, at most 255 characters
  uint16_t port = 0;
  uint8_t type = kNormal;
  uint8_t protocol = 0;  // 0: TCP
  uint16_t highest_version = 6;
  uint16_t lowest_version = 5;
  std::string extra;  // bytes of the node's own, at most kMaxExtraBytes

  friend bool operator==(const EpmdNode&, const EpmdNode&) = default;
};

// The requests.
struct EpmdRegister {  // ALIVE2_REQ; the node stays registered while the connection is open
  EpmdNode node;
  friend bool operator==(const EpmdRegister&, const EpmdRegister&) = default;
};
struct EpmdLookUp {  // PORT_PLEASE2_REQ
  std::string name;
  friend bool operator==(const EpmdLookUp&, const EpmdLookUp&) = default;
};
struct EpmdNames {  // NAMES_REQ
  friend bool operator==(const EpmdNames&, const EpmdNames&) = default;
};
struct EpmdDump {  // DUMP_REQ
  friend bool operator==(const EpmdDump&, const EpmdDump&) = default;
};
struct EpmdKill {  // KILL_REQ
  friend bool operator==(const EpmdKill&, const EpmdKill&) = default;
};
struct EpmdStop {  // STOP_REQ: unregister that node
  std::string name;
  friend bool operator==(const EpmdStop&, const EpmdStop&) = default;
};
using EpmdRequest = std::variant<EpmdRegister, EpmdLookUp, EpmdNames, EpmdDump, EpmdKill, EpmdStop>;

// With its length in front.
base::Buffer EncodeEpmdRequest(const EpmdRequest& request);
// `body` is what follows the length.
absl::StatusOr<EpmdRequest> DecodeEpmdRequest(base::ByteView body);

// Cuts the one request of a connection out of its bytes.
class EpmdRequestReader {
 public:
  explicit EpmdRequestReader(const base::Limits& limits) : limit_(limits.max_epmd_request_bytes) {}

  void Feed(base::ByteView bytes);
  // None while bytes are missing. Bytes after the request are an error: clients wait for replies.
  absl::StatusOr<std::optional<EpmdRequest>> Next();

 private:
  size_t limit_;
  std::vector<uint8_t> bytes_;
};

// ALIVE2_X_RESP where the node's highest version is 6 or more, else ALIVE2_RESP.
struct EpmdRegisterReply {
  bool is_accepted = false;
  bool is_wide = true;    // 32 bit creation
  uint32_t creation = 0;  // 1..3 in a narrow reply
  friend bool operator==(const EpmdRegisterReply&, const EpmdRegisterReply&) = default;
};
base::Buffer EncodeEpmdRegisterReply(const EpmdRegisterReply& reply);
absl::StatusOr<std::optional<EpmdRegisterReply>> DecodeEpmdRegisterReply(base::ByteView so_far);

// PORT2_RESP. No node: epmd does not know the name.
struct EpmdLookUpReply {
  std::optional<EpmdNode> node;
  friend bool operator==(const EpmdLookUpReply&, const EpmdLookUpReply&) = default;
};
base::Buffer EncodeEpmdLookUpReply(const EpmdLookUpReply& reply);
absl::StatusOr<std::optional<EpmdLookUpReply>> DecodeEpmdLookUpReply(base::ByteView so_far);

// NAMES_RESP; ends with the connection, so `whole` is all that was sent.
struct EpmdName {
  std::string name;
  uint16_t port = 0;
  friend bool operator==(const EpmdName&, const EpmdName&) = default;
};
struct EpmdNamesReply {
  uint16_t epmd_port = 0;
  std::vector<EpmdName> names;
  friend bool operator==(const EpmdNamesReply&, const EpmdNamesReply&) = default;
};
base::Buffer EncodeEpmdNamesReply(const EpmdNamesReply& reply);
absl::StatusOr<EpmdNamesReply> DecodeEpmdNamesReply(base::ByteView whole);

// True for a name that may be registered: UTF-8, 1 to 255 characters, no control characters.
bool IsEpmdName(std::string_view name);

}  // namespace noded::dist
