#include <cstring>
#include <iterator>
#include <utility>

#include "base/byte_reader.h"
#include "base/status.h"
#include "tls/engine_state.h"
#include "tls/failure.h"

namespace noded::tls {
namespace {

// RFC 8446 D.4: goes before the first record that a client seals.
constexpr uint8_t kChangeCipherSpec[] = {20, 3, 3, 0, 1, 1};

}  // namespace

absl::Status Engine::State::Fail(absl::Status status) {
  if (phase == Phase::kHandshake && resumption) resumption->Forget();
  phase = Phase::kFailed;
  failure = status;
  input.clear();
  return status;
}

bool Engine::State::UseNewestKeys() {
  if (!is_tls13() || phase != Phase::kHandshake) return false;
  mbedtls_ssl_transform*& current = ssl.MBEDTLS_PRIVATE(transform_out);
  // A server has the application keys once it sent Finished; a client the handshake keys, which it
  // reads with, from ServerHello on.
  mbedtls_ssl_transform* newest = role() == Role::kServer
                                      ? ssl.MBEDTLS_PRIVATE(transform_application)
                                  : current == nullptr ? ssl.MBEDTLS_PRIVATE(transform_in)
                                                       : current;
  if (newest == nullptr || newest == current) return false;
  current = newest;
  std::memset(ssl.MBEDTLS_PRIVATE(cur_out_ctr), 0, sizeof(ssl.MBEDTLS_PRIVATE(cur_out_ctr)));
  return true;
}

bool Engine::State::IsChangeCipherSpecDue() const {
  return is_tls13() && role() == Role::kClient && phase == Phase::kHandshake &&
         !has_sent_change_cipher_spec && ssl.MBEDTLS_PRIVATE(transform_in) != nullptr;
}

void Engine::State::SendAlert(Alert alert) {
  UseNewestKeys();
  if (IsChangeCipherSpecDue()) {
    output.insert(output.end(), std::begin(kChangeCipherSpec), std::end(kChangeCipherSpec));
  }
  // When this fails there is nothing better to do: the connection ends either way.
  (void)mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       static_cast<unsigned char>(alert));
}

absl::Status Engine::State::Refuse(Alert alert, absl::Status status) {
  SendAlert(alert);
  return Fail(std::move(status));
}

bool Engine::State::IsRecordTooLong(int error) const {
  // What mbedTLS gives for a record that does not fit its buffer, and for a content of more than
  // 2^14 bytes.
  if (error != MBEDTLS_ERR_SSL_BAD_INPUT_DATA && error != MBEDTLS_ERR_SSL_INVALID_RECORD) {
    return false;
  }
  if (ssl.MBEDTLS_PRIVATE(in_hdr) == nullptr) return false;
  base::ByteReader header({ssl.MBEDTLS_PRIVATE(in_hdr), kFirstBytes});
  header.Skip(3);
  return header.U16() > kRecordBytes;
}

absl::Status Engine::State::FailWithError(int error, size_t output_before) {
  if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE &&
      ssl.MBEDTLS_PRIVATE(in_msgtype) == MBEDTLS_SSL_MSG_ALERT) {
    return Fail(StatusForReceivedAlert(ssl.MBEDTLS_PRIVATE(in_msg)[1], role()));
  }
  if (IsRecordTooLong(error)) {
    return Refuse(Alert::kRecordOverflow,
                  StatusForError(MBEDTLS_ERR_SSL_INVALID_RECORD, Alert::kRecordOverflow, role()));
  }
  if (notes.is_psk_refused && ssl.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_CLIENT_HELLO) {
    // TLS 1.3: the client has nothing but the unknown key to offer.
    output.resize(output_before);
    return Refuse(Alert::kUnknownPskIdentity, StatusForError(MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY,
                                                             Alert::kUnknownPskIdentity, role()));
  }
  Alert alert = AlertForError(error);
  // mbedTLS mostly sends an alert itself: one record, readable while nothing is encrypted.
  // Sealed it is padded to 16 bytes.
  constexpr size_t kPlainAlertBytes = 7, kMostSealedAlertBytes = 5 + 16 + 16;
  const size_t grown = output.size() - output_before;
  if (grown == 0) return Refuse(alert, StatusForError(error, alert, role()));
  const bool is_plain = grown == kPlainAlertBytes && output[output_before] == kAlertRecord;
  if (is_plain) {
    alert = static_cast<Alert>(output.back());
  } else if (is_tls13() && ssl.MBEDTLS_PRIVATE(alert_type) != 0) {
    alert = static_cast<Alert>(ssl.MBEDTLS_PRIVATE(alert_type));
  }
  if (grown <= kMostSealedAlertBytes && UseNewestKeys()) {
    output.resize(output_before);
    SendAlert(alert);
  } else if (!is_plain && IsChangeCipherSpecDue()) {
    output.insert(output.begin() + static_cast<long>(output_before), std::begin(kChangeCipherSpec),
                  std::end(kChangeCipherSpec));
  }
  return Fail(StatusForError(error, alert, role()));
}

}  // namespace noded::tls
