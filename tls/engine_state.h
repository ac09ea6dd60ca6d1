// What an Engine is made of, for the engine_*.cc files alone: each holds one idea.
//
//   engine.cc             the public face: what is allowed when
//   engine_handshake.cc   set-up, the handshake's steps, who the peer is
//   engine_records.cc     bytes to and from mbedTLS, content of records, idle buffers
//   engine_messages.cc    handshake messages on an open connection
//   engine_renegotiation.cc  TLS 1.2's second handshake: when, and when not
//   engine_alerts.cc      how it ends: alerts sent and received, failures
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mbedtls/ssl.h"

#include "tls/alert.h"
#include "tls/client_hello.h"
#include "tls/client_psk.h"
#include "tls/engine.h"
#include "tls/frozen.h"
#include "tls/key_update.h"
#include "tls/mbedtls_inside.h"
#include "tls/renegotiation_budget.h"
#include "tls/resumption.h"
#include "tls/session_secrets.h"
#include "tls/verify.h"

namespace noded::tls {

constexpr uint8_t kChangeCipherSpecRecord = 20;
constexpr uint8_t kAlertRecord = 21;
constexpr uint8_t kHandshakeRecord = 22;
// A record's header, and enough to tell what a peer speaks instead.
constexpr size_t kFirstBytes = 5;
// RFC 8446 5.1: of one record's content.
constexpr size_t kRecordBytes = 16384;

// g++ 12 warns of uninitialised memory when a result is made in one step.
inline absl::StatusOr<std::optional<Event>> Give(Event event) {
  absl::StatusOr<std::optional<Event>> some(std::in_place);
  some->emplace(std::move(event));
  return some;
}

struct Engine::State {
  enum class Phase {
    kHandshake,
    kOpen,
    kServerHelloDue,  // a client began to renegotiate: the server's data still comes
    kRenegotiation,
    kPeerClosed,
    kFailed,
  };

  State(std::shared_ptr<const Context> shared, EngineOptions given);
  ~State() { mbedtls_ssl_free(&ssl); }

  // Gives none when it needs bytes, or when the phase has changed.
  absl::StatusOr<std::optional<Event>> Act();
  absl::Status CheckDone() const;

  // engine_handshake.cc
  // True once the context is the one for the name that the client asks for.
  absl::StatusOr<bool> ChooseHost();
  absl::Status SetUp();
  absl::StatusOr<std::optional<Event>> Shake();
  absl::StatusOr<std::optional<Event>> ShakeOn();
  absl::Status CheckFirstBytes();
  absl::Status CheckPeer();
  absl::StatusOr<std::optional<Event>> WaitForCrls();
  absl::Status ResumeWithCrls();
  // Once it is over: with a pre-shared key instead of the peer's certificate?
  bool IsPskHandshake() const;
  ConnectionInfo Describe() const;

  // engine_records.cc
  absl::StatusOr<std::optional<Event>> Receive();
  absl::StatusOr<std::optional<Event>> OnPeerClosed();
  base::Slice TakeData();
  // Plaintext goes out when no renegotiation is under way.
  absl::Status SendHeld();
  absl::Status SendRecord(base::ByteView plaintext);
  void SendCloseNotify();
  void Hibernate();
  absl::Status Wake();
  static int SendHook(void* self, const unsigned char* bytes, size_t size);
  static int ReceiveHook(void* self, unsigned char* bytes, size_t size);

  // engine_messages.cc: what is no data on an open connection.
  absl::StatusOr<std::optional<Event>> OnAlert();
  absl::Status OnMessage();
  absl::Status OnTls13Message(uint8_t type);
  absl::Status OnTls12Message(uint8_t type);
  absl::Status OnKeyUpdate();
  absl::Status OnTicket();
  // A record without data: only so many of them in a row.
  absl::Status CountIdle();
  absl::Status SendKeyUpdate(bool ask_peer);
  absl::Status AnswerKeyUpdate();

  // engine_renegotiation.cc
  absl::Status Renegotiate();
  absl::Status StartRenegotiation();
  absl::Status CheckMasterSecret();
  // The peer wants one: starts or refuses it.
  absl::Status OnRenegotiationWanted();
  absl::StatusOr<std::optional<Event>> OnRenegotiationRejected();
  absl::StatusOr<std::optional<Event>> OnRenegotiated();
  bool MayRenegotiate() const;

  // engine_alerts.cc: all end the engine with this status and return it.
  absl::Status Fail(absl::Status status);
  absl::Status Refuse(Alert alert, absl::Status status);
  absl::Status FailWithError(int error, size_t output_before);
  bool IsRecordTooLong(int error) const;
  void SendAlert(Alert alert);
  // In a TLS 1.3 handshake mbedTLS goes over to new keys for sending late: until then its alerts
  // are not what the peer expects by RFC 8446. True when something changed.
  bool UseNewestKeys();
  // A TLS 1.3 client that fails before its second flight has yet to say it (RFC 8446 D.4).
  bool IsChangeCipherSpecDue() const;

  bool is_tls13() const { return noded_ssl_is_tls13(&ssl) != 0; }
  bool is_renegotiating() const {
    return phase == Phase::kServerHelloDue || phase == Phase::kRenegotiation;
  }
  bool is_handshake_done() const {
    return phase == Phase::kOpen || phase == Phase::kPeerClosed || is_renegotiating();
  }
  Role role() const { return context->role(); }
  base::TimePoint Now() const {
    return options.clock != nullptr ? options.clock->Now() : base::SteadyClock().Now();
  }

  std::shared_ptr<const Context> context;
  const EngineOptions options;
  const std::string expected_name;
  std::optional<ClientHelloName> hello;  // until the host is chosen
  ChainCheck check;
  mbedtls_ssl_context ssl;
  SessionSecrets secrets;
  KeyUpdates key_updates;
  std::optional<Resumption> resumption;  // from SetUp() on
  RenegotiationBudget budget;

  Phase phase = Phase::kHandshake;
  bool is_set_up = false;
  bool has_ended = false;     // the peer's bytes
  bool has_closed = false;    // our side
  bool is_close_due = false;  // close_notify waits for what is held
  bool has_sent_change_cipher_spec = false;
  bool is_answer_out = false;           // a KeyUpdate's answer is in `output`
  bool is_refusal_out = false;          // a no_renegotiation is
  bool is_renegotiation_asked = false;  // by us, as a server
  bool has_extended_master_secret = false;
  absl::Status failure;  // of kFailed
  ConnectionInfo info;
  bool has_asked_for_crls = false;
  HandshakeNotes notes;
  std::unique_ptr<ClientPsk> client_psk;  // null without pre-shared keys
  std::vector<uint8_t> first_bytes;
  bool is_first_checked = false;
  uint16_t group = 0;

  std::deque<base::Slice> input;
  bool is_input_held = false;  // mbedTLS is to stop before it reads
  size_t handshake_bytes = 0;
  uint64_t bytes_before_answer = 0;
  size_t idle_records = 0;
  base::Buffer held;
  absl::Status held_failure;
  uint64_t sent_bytes = 0;    // under this key
  uint64_t sent_records = 0;  // since the last handshake
  std::vector<uint8_t> output;
  std::optional<std::array<uint8_t, 8>> sleeping;  // the record number while buffers are dropped
};

}  // namespace noded::tls
