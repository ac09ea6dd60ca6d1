#include <algorithm>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/engine_state.h"
#include "tls/failure.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {
namespace {

constexpr uint8_t kHelloRequest = 0;
constexpr uint8_t kClientHello = 1;
constexpr uint8_t kServerHello = 2;
constexpr uint8_t kNewSessionTicket = 4;

}  // namespace

absl::Status Engine::State::CountIdle() {
  if (++idle_records <= options.limits.max_tls_idle_records) return absl::OkStatus();
  return Refuse(
      Alert::kUnexpectedMessage,
      base::Error(absl::StatusCode::kResourceExhausted,
                  fmt::format("the peer sent more than {} records in a row without data",
                              options.limits.max_tls_idle_records),
                  "report it to the authors of the peer", AlertName(Alert::kUnexpectedMessage)));
}

absl::StatusOr<std::optional<Event>> Engine::State::OnAlert() {
  const uint8_t alert = ssl.MBEDTLS_PRIVATE(in_msg)[1];
  const bool is_canceled = alert == static_cast<uint8_t>(Alert::kUserCanceled);
  // RFC 8446 6: in TLS 1.3 all but the closing alerts are errors, whatever their level says.
  if (is_tls13() && !is_canceled) return Fail(StatusForReceivedAlert(alert, role()));
  if (alert == static_cast<uint8_t>(Alert::kNoRenegotiation)) return OnRenegotiationRejected();
  RETURN_IF_ERROR(CountIdle());
  return std::optional<Event>();
}

absl::Status Engine::State::OnMessage() {
  const uint8_t type = ssl.MBEDTLS_PRIVATE(in_msg)[0];
  return is_tls13() ? OnTls13Message(type) : OnTls12Message(type);
}

absl::Status Engine::State::OnTls13Message(uint8_t type) {
  if (type == KeyUpdates::kMessageType) return OnKeyUpdate();
  if (type == kNewSessionTicket && role() == Role::kClient) return OnTicket();
  return FailWithError(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, output.size());
}

absl::Status Engine::State::OnTicket() {
  RETURN_IF_ERROR(CountIdle());
  noded_ssl_keep_message(&ssl);
  ssl.MBEDTLS_PRIVATE(state) = MBEDTLS_SSL_TLS1_3_NEW_SESSION_TICKET;
  const size_t output_before = output.size();
  const int result = mbedtls_ssl_handshake_step(&ssl);
  if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) resumption->KeepTicket();
  if (result == 0 || result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) return absl::OkStatus();
  return FailWithError(result, output_before);
}

absl::Status Engine::State::OnKeyUpdate() {
  const base::ByteView message(ssl.MBEDTLS_PRIVATE(in_msg), ssl.MBEDTLS_PRIVATE(in_hslen));
  auto fault = key_updates.Receive(message, noded_ssl_message_ends_record(&ssl) != 0);
  if (fault) return Refuse(fault->alert, std::move(fault->status));
  secrets.LogTrafficSecret(ssl, role(), NODED_SSL_INCOMING, key_updates.received());
  return AnswerKeyUpdate();
}

absl::Status Engine::State::AnswerKeyUpdate() {
  // One answer serves all that was asked while it waits: a peer that does not read must not make
  // the output grow.
  if (!key_updates.TakeAnswerDue() || is_answer_out || has_closed) return absl::OkStatus();
  is_answer_out = true;
  return SendKeyUpdate(false);
}

absl::Status Engine::State::SendKeyUpdate(bool ask_peer) {
  sent_bytes = 0;
  if (absl::Status status = key_updates.Send(ask_peer); !status.ok()) {
    return Refuse(Alert::kInternalError, std::move(status));
  }
  secrets.LogTrafficSecret(ssl, role(), NODED_SSL_OUTGOING, key_updates.sent());
  return absl::OkStatus();
}

absl::Status Engine::State::OnTls12Message(uint8_t type) {
  const bool is_client = role() == Role::kClient;
  if (phase == Phase::kServerHelloDue && type == kServerHello) {
    if (int result = noded_ssl_add_to_transcript(&ssl); result != 0) {
      return FailWithError(result, output.size());
    }
    noded_ssl_keep_message(&ssl);
    phase = Phase::kRenegotiation;
    return absl::OkStatus();
  }
  const bool is_request = is_client && type == kHelloRequest && ssl.MBEDTLS_PRIVATE(in_hslen) == 4;
  if (is_request) {
    RETURN_IF_ERROR(CountIdle());
    // RFC 5246 7.4.1.1: of no meaning while a handshake is under way.
    return phase == Phase::kServerHelloDue ? absl::OkStatus() : OnRenegotiationWanted();
  }
  if (!is_client && type == kClientHello) return OnRenegotiationWanted();
  return FailWithError(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, output.size());
}

}  // namespace noded::tls
