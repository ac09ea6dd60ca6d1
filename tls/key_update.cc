#include "tls/key_update.h"

#include "fmt/format.h"

#include "base/byte_reader.h"
#include "base/status.h"
#include "tls/crypto.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {
namespace {

enum Request : uint8_t { kNotRequested = 0, kRequested = 1 };

KeyUpdates::Fault Refused(Alert alert, std::string_view what) {
  return {alert, base::Error(absl::StatusCode::kDataLoss, what,
                             "report it to the authors of the peer", AlertName(alert))};
}

absl::Status Internal(std::string_view what, int error) {
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("TLS KeyUpdate: {}: {}", what, MbedtlsErrorText(error)),
                     "report it to the authors of noded", AlertName(Alert::kInternalError));
}

}  // namespace

std::optional<KeyUpdates::Fault> KeyUpdates::Receive(base::ByteView message, bool ends_record) {
  base::ByteReader in(message);
  in.Skip(4);
  const uint8_t request = in.U8();
  if (!in.done()) {
    return Refused(Alert::kDecodeError, "the peer sent a KeyUpdate of a wrong size");
  }
  if (request != kNotRequested && request != kRequested) {
    return Refused(Alert::kIllegalParameter,
                   fmt::format("the peer sent a KeyUpdate with the request {}", request));
  }
  if (!ends_record) {
    return Refused(Alert::kUnexpectedMessage,
                   "the peer sent a KeyUpdate and another message in one record");
  }
  if (request == kNotRequested && answers_owed_ > 0) {
    --answers_owed_;
  } else if (++in_a_row_ > limits_.max_tls_key_updates) {
    return Fault{
        Alert::kUnexpectedMessage,
        base::Error(absl::StatusCode::kResourceExhausted,
                    fmt::format("the peer changed its keys more than {} times without sending data",
                                limits_.max_tls_key_updates),
                    "raise key_update_at at the peer", AlertName(Alert::kUnexpectedMessage))};
  }
  if (int result = noded_ssl_next_traffic_key(&ssl_, NODED_SSL_INCOMING); result != 0) {
    return Fault{Alert::kInternalError, Internal("the peer's next key", result)};
  }
  ++received_;
  is_answer_due_ |= request == kRequested;
  return std::nullopt;
}

absl::Status KeyUpdates::Send(bool ask_peer) {
  const uint8_t message[] = {kMessageType, 0, 0, 1,
                             static_cast<uint8_t>(ask_peer ? kRequested : kNotRequested)};
  if (int result =
          noded_ssl_write_record(&ssl_, MBEDTLS_SSL_MSG_HANDSHAKE, message, sizeof(message));
      result != 0) {
    return Internal("the message", result);
  }
  if (int result = noded_ssl_next_traffic_key(&ssl_, NODED_SSL_OUTGOING); result != 0) {
    return Internal("our next key", result);
  }
  ++sent_;
  answers_owed_ += ask_peer ? 1 : 0;
  is_answer_due_ = false;
  return absl::OkStatus();
}

}  // namespace noded::tls
