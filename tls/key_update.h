// TLS 1.3 KeyUpdate: changes the key of one direction of an open connection.
//
//   KeyUpdates updates(ssl, limits);
//   if (auto fault = updates.Receive(message, ends_record)) ...    // alert and status: it is over
//   if (updates.TakeAnswerDue()) updates.Send(false);              // the peer asked for ours
//   updates.CountData();                                           // data came in between
//
// One per connection, after its TLS 1.3 handshake; loop-confined. mbedTLS 3.6 knows no KeyUpdate:
// it is made on its session's secrets (tls/mbedtls_inside.h). Errors: DataLoss (malformed, or in a
// record with another message), ResourceExhausted (limits.max_tls_key_updates in a row without
// data, and not asked for), Internal. Source: RFC 8446 4.6.3, 5.1, 7.2.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "mbedtls/ssl.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "tls/alert.h"

namespace noded::tls {

class KeyUpdates {
 public:
  static constexpr uint8_t kMessageType = 24;

  struct Fault {
    Alert alert;
    absl::Status status;
  };

  // Both outlive it.
  KeyUpdates(mbedtls_ssl_context& ssl, const base::Limits& limits) : ssl_(ssl), limits_(limits) {}
  KeyUpdates(const KeyUpdates&) = delete;
  KeyUpdates& operator=(const KeyUpdates&) = delete;

  // A peer's message with its header; `ends_record`: it is the last one in its record. What follows
  // is opened with the new key.
  std::optional<Fault> Receive(base::ByteView message, bool ends_record);
  // Sends one in the old key and goes over to the new one.
  absl::Status Send(bool ask_peer);

  // The peer asked for an update of ours, and nobody has sent it or asked here since.
  bool TakeAnswerDue() { return std::exchange(is_answer_due_, false); }
  // The peer sent data: its KeyUpdates are no flood.
  void CountData() { in_a_row_ = 0; }

  // How often the keys have changed.
  uint64_t received() const { return received_; }
  uint64_t sent() const { return sent_; }

 private:
  mbedtls_ssl_context& ssl_;
  const base::Limits& limits_;
  bool is_answer_due_ = false;
  size_t in_a_row_ = 0;
  size_t answers_owed_ = 0;  // by the peer: those do not count
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace noded::tls
