// What an Engine is made of, for the engine_*.cc files alone: each holds one idea.
//
//   engine.cc             the public face: what is allowed when
//   engine_handshake.cc   set-up, the handshake's steps, who the peer is
//   engine_records.cc     bytes to and from mbedTLS, content of records
//   engine_alerts.cc      how it ends: alerts sent and received, failures
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mbedtls/ssl.h"

#include "tls/alert.h"
#include "tls/engine.h"
#include "tls/verify.h"

namespace noded::tls {

constexpr uint8_t kAlertRecord = 21;
constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kKeyUpdateMessage = 24;
// A record's header, and enough to tell what a peer speaks instead.
constexpr size_t kFirstBytes = 5;

// g++ 12 warns of uninitialised memory when a result is made in one step.
inline absl::StatusOr<std::optional<Event>> Give(Event event) {
  std::optional<Event> some;
  some.emplace(std::move(event));
  return some;
}

struct Engine::State {
  enum class Phase { kHandshake, kOpen, kPeerClosed, kFailed };

  State(std::shared_ptr<const Context> shared, EngineOptions given);
  ~State() { mbedtls_ssl_free(&ssl); }

  // engine_handshake.cc
  absl::Status SetUp();
  absl::StatusOr<std::optional<Event>> Shake();
  absl::Status CheckFirstBytes();
  absl::Status CheckPeer();
  ConnectionInfo Describe() const;

  // engine_records.cc
  absl::StatusOr<std::optional<Event>> Receive();
  absl::Status Encrypt(base::ByteView plaintext);
  static int SendHook(void* self, const unsigned char* bytes, size_t size);
  static int ReceiveHook(void* self, unsigned char* bytes, size_t size);

  // engine_alerts.cc: all end the engine with this status and return it.
  absl::Status Fail(absl::Status status);
  absl::Status Refuse(Alert alert, absl::Status status);
  absl::Status FailWithError(int error, size_t output_before);
  void SendAlert(Alert alert);
  // In a TLS 1.3 handshake mbedTLS goes over to new keys for sending late: until then its alerts
  // are not what the peer expects by RFC 8446. True when something changed.
  bool UseNewestKeys();

  bool is_tls13() const {
    return mbedtls_ssl_get_version_number(&ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
  }
  Role role() const { return context->role(); }

  const std::shared_ptr<const Context> context;
  const EngineOptions options;
  const std::string expected_name;
  ChainCheck check;
  mbedtls_ssl_context ssl;

  Phase phase = Phase::kHandshake;
  bool is_set_up = false;
  bool has_ended = false;   // the peer's bytes
  bool has_closed = false;  // our side
  absl::Status failure;     // of kFailed
  std::string server_name;  // asked for or sent
  std::vector<uint8_t> first_bytes;
  bool is_first_checked = false;

  std::deque<base::Slice> input;
  size_t handshake_bytes = 0;
  std::vector<uint8_t> output;
};

}  // namespace noded::tls
