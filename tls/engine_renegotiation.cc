#include "fmt/format.h"

#include "base/status.h"
#include "tls/engine_state.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {
namespace {

absl::Status Precondition(std::string_view why, std::string_view mend) {
  return base::Error(absl::StatusCode::kFailedPrecondition,
                     fmt::format("TLS renegotiation: {}", why), mend, "renegotiation_rejected");
}

}  // namespace

// RFC 5746: without it an attacker's words could be put before the peer's.
bool Engine::State::MayRenegotiate() const {
  // MBEDTLS_SSL_SECURE_RENEGOTIATION, which is not public.
  constexpr int kSecure = 1;
  return !is_tls13() && ssl.MBEDTLS_PRIVATE(secure_renegotiation) == kSecure;
}

absl::Status Engine::State::Renegotiate() {
  if (is_renegotiating() || is_renegotiation_asked) return absl::OkStatus();
  if (phase != Phase::kOpen || has_closed) {
    return Precondition("the connection is not open", "renegotiate between handshake and close");
  }
  if (is_tls13()) {
    return Precondition("TLS 1.3 has none (RFC 8446 4.1.2)", "use a key update instead");
  }
  if (!MayRenegotiate()) {
    return Precondition("the peer does not support it securely (RFC 5746)",
                        "update the peer, or connect anew");
  }
  sent_records = 0;
  if (role() == Role::kClient) return StartRenegotiation();
  const size_t output_before = output.size();
  if (int result = mbedtls_ssl_renegotiate(&ssl); result != 0) {
    return FailWithError(result, output_before);
  }
  is_renegotiation_asked = true;
  return absl::OkStatus();
}

absl::Status Engine::State::StartRenegotiation() {
  check.Reset();
  resumption->Restart();
  phase = role() == Role::kClient ? Phase::kServerHelloDue : Phase::kRenegotiation;
  handshake_bytes = 0;
  bytes_before_answer = 0;
  is_renegotiation_asked = false;
  const size_t output_before = output.size();
  // It takes the first steps by itself; the others are ours, with a look at the peer between them.
  is_input_held = true;
  const int result = noded_ssl_start_renegotiation(&ssl);
  is_input_held = false;
  if (result == 0 || result == MBEDTLS_ERR_SSL_WANT_READ) return absl::OkStatus();
  return FailWithError(result, output_before);
}

// RFC 7627 does not forbid it; but what is bound to the first master secret would then not be bound
// to the second, and no honest peer does it.
absl::Status Engine::State::CheckMasterSecret() {
  const int now = noded_ssl_extended_master_secret(&ssl);
  if (now < 0 || is_tls13()) return absl::OkStatus();
  if (phase == Phase::kHandshake) has_extended_master_secret = now != 0;
  if (has_extended_master_secret == (now != 0)) return absl::OkStatus();
  return Refuse(
      Alert::kIllegalParameter,
      base::Error(absl::StatusCode::kUnauthenticated,
                  "the peer changed its mind about the Extended Master Secret when it "
                  "renegotiated (RFC 7627)",
                  "report it to the authors of the peer", AlertName(Alert::kIllegalParameter)));
}

absl::Status Engine::State::OnRenegotiationWanted() {
  if (has_closed) return absl::OkStatus();
  const bool is_server = role() == Role::kServer;
  const bool is_ours = is_server && is_renegotiation_asked;
  const bool is_allowed =
      MayRenegotiate() && (!is_server || context->options().renegotiation.client_renegotiation);
  if (is_ours || (is_allowed && budget.Take(Now()))) {
    if (is_server) noded_ssl_keep_message(&ssl);
    return StartRenegotiation();
  }
  if (!is_allowed) budget.CountRefused();
  if (budget.is_abused()) {
    return Refuse(
        Alert::kNoRenegotiation,
        base::Error(absl::StatusCode::kResourceExhausted,
                    fmt::format("the peer went on to renegotiate after {} refusals",
                                options.limits.max_tls_refused_renegotiations),
                    "raise renegotiate_at at the peer", AlertName(Alert::kHandshakeFailure)));
  }
  // One is enough until the peer has taken it: it need not read what it makes us say.
  if (std::exchange(is_refusal_out, true)) return absl::OkStatus();
  const size_t output_before = output.size();
  const int result = mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                                    static_cast<uint8_t>(Alert::kNoRenegotiation));
  return result == 0 ? absl::OkStatus() : FailWithError(result, output_before);
}

absl::StatusOr<std::optional<Event>> Engine::State::OnRenegotiationRejected() {
  if (phase == Phase::kServerHelloDue) {
    noded_ssl_abandon_renegotiation(&ssl);
    phase = Phase::kOpen;
    RETURN_IF_ERROR(SendHeld());
    return Give(RenegotiationRejected{});
  }
  if (std::exchange(is_renegotiation_asked, false)) return Give(RenegotiationRejected{});
  RETURN_IF_ERROR(CountIdle());
  return std::optional<Event>();
}

absl::StatusOr<std::optional<Event>> Engine::State::OnRenegotiated() {
  ConnectionInfo now = Describe();
  // Who was let in must not turn into somebody else; who was nobody may become known.
  const bool has_changed = info.peer && (!now.peer || !(now.peer->der == info.peer->der) ||
                                         (info.is_peer_verified && !now.is_peer_verified));
  phase = Phase::kOpen;
  if (has_changed) {
    return Refuse(Alert::kAccessDenied,
                  base::Error(absl::StatusCode::kUnauthenticated,
                              "the peer showed another certificate when it renegotiated",
                              "connect anew after a certificate is replaced",
                              AlertName(Alert::kAccessDenied)));
  }
  info = std::move(now);
  sent_records = 0;
  RETURN_IF_ERROR(SendHeld());
  return Give(Renegotiated{info});
}

}  // namespace noded::tls
