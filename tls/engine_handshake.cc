#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/engine_state.h"
#include "tls/failure.h"
#include "tls/frozen.h"
#include "tls/mbedtls_inside.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

// What a client expects in the server's certificate; empty: no check.
std::string ExpectedName(const Context& context, const std::string& peer_host) {
  const Trust& trust = context.options().trust;
  if (context.role() == Role::kServer) return "";
  switch (trust.name_check) {
    case NameCheck::kPeerHost:
      return peer_host;
    case NameCheck::kGiven:
      return trust.server_name;
    case NameCheck::kDisabled:
      break;
  }
  return "";
}

}  // namespace

Engine::State::State(std::shared_ptr<const Context> shared, EngineOptions given)
    : context(std::move(shared)),
      options(std::move(given)),
      expected_name(ExpectedName(*context, options.peer_host)),
      check(expected_name),
      key_updates(ssl, options.limits),
      budget(options.limits) {
  mbedtls_ssl_init(&ssl);
  if (context->frozen().hosts != nullptr) hello.emplace(options.limits.max_tls_handshake_bytes);
}

absl::StatusOr<bool> Engine::State::ChooseHost() {
  if (!hello) return true;
  if (!hello->is_done() && !has_ended) return false;
  const std::string name = hello->name();
  hello.reset();
  notes.chosen_name = name;
  if (name.empty()) return true;
  ASSIGN_OR_RETURN(std::shared_ptr<const Context> host, context->frozen().hosts->Find(name));
  if (host != nullptr) context = std::move(host);
  return true;
}

absl::Status Engine::State::SetUp() {
  is_set_up = true;
  if (role() == Role::kClient && context->verify() == Verify::kPeer && expected_name.empty() &&
      context->options().trust.name_check != NameCheck::kDisabled) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       "TLS handshake: no host name is given that the server could be checked for",
                       "give EngineOptions::peer_host, or disable the name check", "options");
  }
  const bool has_sni = !expected_name.empty() && !IsLiteralAddress(expected_name);
  if (has_sni) notes.server_name = expected_name;
  // RFC 6066 section 3: without the dot that ends a name.
  if (notes.server_name.ends_with('.')) notes.server_name.pop_back();
  mbedtls_ssl_set_user_data_p(&ssl, &notes);
  mbedtls_ssl_set_bio(&ssl, this, SendHook, ReceiveHook, nullptr);
  secrets.Attach(ssl, context->options().traffic.keylog);
  if (context->verify() == Verify::kPeer) {
    mbedtls_ssl_set_verify(&ssl, ChainCheck::OnChain, &check);
  }
  ASSIGN_OR_RETURN(client_psk, ClientPsk::Create(*context));
  resumption.emplace(*context,
                     client_psk == nullptr ? context->frozen().config : client_psk->config(),
                     Resumption::Peer{options.peer_host, options.port, expected_name}, ssl,
                     notes.server_name, [this] { return check.is_verified(); });
  int result = mbedtls_ssl_setup(&ssl, resumption->config());
  if (result == 0 && role() == Role::kClient) {
    result = mbedtls_ssl_set_hostname(&ssl, has_sni ? notes.server_name.c_str() : nullptr);
  }
  if (result == 0) resumption->Offer();
  if (result == 0) return absl::OkStatus();
  return StatusForError(result, AlertForError(result), role());
}

absl::Status Engine::State::CheckFirstBytes() {
  if (is_first_checked) return absl::OkStatus();
  const bool is_tls_type =
      first_bytes.empty() || first_bytes[0] == kHandshakeRecord || first_bytes[0] == kAlertRecord;
  const bool is_tls_version = first_bytes.size() < 2 || first_bytes[1] == 3;
  if (is_tls_type && is_tls_version) {
    is_first_checked = first_bytes.size() >= 2;
    return absl::OkStatus();
  }
  // Wait for enough to name what it is.
  if (first_bytes.size() < kFirstBytes && !has_ended) return absl::OkStatus();
  is_first_checked = true;
  absl::Status status = StatusForPlainPeer(first_bytes, role());
  return Refuse(Alert::kUnexpectedMessage, std::move(status));
}

absl::Status Engine::State::CheckPeer() {
  // What was checked then holds still: tls/resumption.h.
  if (context->verify() != Verify::kPeer || resumption->is_resumed()) return absl::OkStatus();
  check.Judge(*context, noded_ssl_peer_key_decrypts(&ssl) != 0);
  switch (check.outcome()) {
    case ChainCheck::Outcome::kTrusted:
    case ChainCheck::Outcome::kNeedsCrls:
      return absl::OkStatus();
    case ChainCheck::Outcome::kRefused:
      return Refuse(check.alert(), check.status());
    case ChainCheck::Outcome::kPending:
      break;
  }
  // Before the certificate is due the result is "not known", all bits set.
  const uint32_t result = mbedtls_ssl_get_verify_result(&ssl);
  const bool is_over = mbedtls_ssl_is_handshake_over(&ssl) == 1;
  const bool is_missing = result != UINT32_MAX && (result & MBEDTLS_X509_BADCERT_MISSING) != 0;
  const Trust& trust = context->options().trust;
  // A key that both have stands for a certificate.
  if (is_over && !is_missing && IsPskHandshake()) return absl::OkStatus();
  if (role() == Role::kServer && !trust.fail_if_no_peer_cert) {
    if (!is_over || mbedtls_ssl_get_peer_cert(&ssl) == nullptr) return absl::OkStatus();
  } else if (!is_missing && !is_over) {
    return absl::OkStatus();
  }
  const Alert alert = is_tls13() ? Alert::kCertificateRequired : Alert::kHandshakeFailure;
  return Refuse(alert, base::Error(absl::StatusCode::kUnauthenticated,
                                   fmt::format("the {} sent no certificate, and one is required",
                                               role() == Role::kServer ? "client" : "server"),
                                   role() == Role::kServer
                                       ? "give the peer a client_certfile (or certfile), or set "
                                         "server_fail_if_no_peer_cert false here"
                                       : "give the server a certfile",
                                   AlertName(alert)));
}

bool Engine::State::IsPskHandshake() const {
  if (context->options().psk.lookup == nullptr) return false;
  // TLS 1.3 does without the peer's certificate only when there is a pre-shared key.
  if (is_tls13()) return mbedtls_ssl_get_peer_cert(&ssl) == nullptr;
  const int id = mbedtls_ssl_get_ciphersuite_id_from_ssl(&ssl);
  const CipherSuite* suite = FindCipherSuite(static_cast<uint16_t>(id));
  return suite != nullptr && suite->is_psk();
}

absl::StatusOr<std::optional<Event>> Engine::State::Shake() {
  // A server holds no buffers for a client that has not said anything yet.
  if (role() == Role::kServer && first_bytes.empty() && !has_ended) return std::optional<Event>();
  if (!is_set_up) {
    const absl::StatusOr<bool> is_chosen = ChooseHost();
    if (!is_chosen.ok()) {
      // No session yet that could say it in its own words: a plain record.
      output = {kAlertRecord, 3, 3, 0, 2, 2, static_cast<uint8_t>(Alert::kInternalError)};
      return Fail(is_chosen.status());
    }
    if (!*is_chosen) return std::optional<Event>();
    if (absl::Status status = SetUp(); !status.ok()) return Fail(std::move(status));
  }
  RETURN_IF_ERROR(CheckFirstBytes());
  if (!is_first_checked && !first_bytes.empty()) {
    if (!has_ended) return std::optional<Event>();
  }
  return ShakeOn();
}

absl::StatusOr<std::optional<Event>> Engine::State::ShakeOn() {
  while (mbedtls_ssl_is_handshake_over(&ssl) == 0) {
    if (check.outcome() == ChainCheck::Outcome::kNeedsCrls) return WaitForCrls();
    if (handshake_bytes > options.limits.max_tls_handshake_bytes) {
      return Refuse(Alert::kHandshakeFailure,
                    base::Error(absl::StatusCode::kResourceExhausted,
                                fmt::format("the peer's TLS handshake is longer than {} bytes",
                                            options.limits.max_tls_handshake_bytes),
                                "shorten its certificate chain", "handshake_failure"));
    }
    const size_t output_before = output.size();
    const int state_before = ssl.MBEDTLS_PRIVATE(state);
    const int result = mbedtls_ssl_handshake_step(&ssl);
    if (result == MBEDTLS_ERR_SSL_WANT_READ) {
      if (!input.empty()) continue;
      if (!has_ended) return std::optional<Event>();
      return Fail(StatusForEndInHandshake(!first_bytes.empty(), role()));
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      if (is_renegotiating()) return OnPeerClosed();
      return Fail(StatusForEndInHandshake(true, role()));
    }
    if (absl::Status fault = resumption->Observe(); !fault.ok()) {
      output.resize(output_before);
      return Refuse(Alert::kHandshakeFailure, std::move(fault));
    }
    RETURN_IF_ERROR(CheckPeer());
    if (result != 0) return FailWithError(result, output_before);
    RETURN_IF_ERROR(CheckMasterSecret());
    if (const uint16_t agreed = noded_ssl_group(&ssl); agreed != 0) group = agreed;
    if (client_psk != nullptr) {
      absl::Status status = client_psk->AfterStep(ssl, state_before);
      if (!status.ok()) return Refuse(Alert::kUnknownPskIdentity, std::move(status));
    }
  }
  secrets.Commit(ssl);
  if (phase == Phase::kRenegotiation) return OnRenegotiated();
  phase = Phase::kOpen;
  resumption->Finish();
  info = Describe();
  return Give(HandshakeDone{info});
}

absl::StatusOr<std::optional<Event>> Engine::State::WaitForCrls() {
  if (std::exchange(has_asked_for_crls, true)) return std::optional<Event>();
  return Give(CrlsWanted{check.wanted()});
}

absl::Status Engine::State::ResumeWithCrls() {
  has_asked_for_crls = false;
  check.Resume();
  return CheckPeer();
}

ConnectionInfo Engine::State::Describe() const {
  ConnectionInfo info;
  info.version = is_tls13() ? Version::kTls13 : Version::kTls12;
  info.cipher_suite =
      CipherSuiteName(static_cast<uint16_t>(mbedtls_ssl_get_ciphersuite_id_from_ssl(&ssl)));
  if (const char* protocol = mbedtls_ssl_get_alpn_protocol(&ssl); protocol != nullptr) {
    info.alpn = protocol;
  }
  info.server_name = notes.server_name;
  info.is_resumed = resumption->is_resumed();
  if (const base::Slice der = resumption->peer(); !der.empty()) {
    if (auto peer = ReadCertificates(der); peer.ok()) info.peer = std::move(peer->front());
    info.peer_chain.push_back(der);
  }
  if (const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&ssl);
      peer != nullptr && !info.is_resumed) {
    info.peer = tls::Describe(*peer);
  }
  for (const mbedtls_x509_crt* one = mbedtls_ssl_get_peer_cert(&ssl);
       one != nullptr && !info.is_resumed; one = one->next) {
    info.peer_chain.push_back(base::Slice::Copy(base::ByteView(one->raw.p, one->raw.len)));
  }
  for (const NamedNumber& known : AllGroups()) {
    if (known.id == group) info.group = known.name;
  }
  info.client_random = secrets.client_random();
  info.server_random = secrets.server_random();
  if (const mbedtls_ssl_session* session = ssl.MBEDTLS_PRIVATE(session); !is_tls13()) {
    const uint8_t* id = session->MBEDTLS_PRIVATE(id);
    info.session_id.assign(id, id + session->MBEDTLS_PRIVATE(id_len));
  }
  info.is_peer_verified = check.is_verified() || resumption->is_peer_verified();
  return info;
}

}  // namespace noded::tls
