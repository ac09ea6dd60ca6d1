#include "tls/engine.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "mbedtls/ssl.h"

#include "base/status.h"
#include "tls/alert.h"
#include "tls/ciphers.h"
#include "tls/crypto.h"
#include "tls/failure.h"
#include "tls/frozen.h"
#include "tls/verify.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

constexpr uint8_t kAlertRecord = 21;
constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kKeyUpdateMessage = 24;
// A record's header, and enough to tell what a peer speaks instead.
constexpr size_t kFirstBytes = 5;

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

// g++ 12 warns of uninitialised memory when a result is made in one step.
absl::StatusOr<std::optional<Event>> Give(Event event) {
  std::optional<Event> some;
  some.emplace(std::move(event));
  return some;
}

}  // namespace

struct Engine::State {
  enum class Phase { kHandshake, kOpen, kPeerClosed, kFailed };

  State(std::shared_ptr<const Context> shared, EngineOptions given)
      : context(std::move(shared)),
        options(std::move(given)),
        expected_name(ExpectedName(*context, options.peer_host)),
        check(*context, expected_name) {
    mbedtls_ssl_init(&ssl);
  }
  ~State() { mbedtls_ssl_free(&ssl); }

  absl::Status SetUp();
  absl::StatusOr<std::optional<Event>> Shake();
  absl::StatusOr<std::optional<Event>> Receive();
  absl::Status CheckFirstBytes();
  absl::Status CheckPeer();
  absl::Status Encrypt(base::ByteView plaintext);
  ConnectionInfo Describe() const;

  // All end the engine with this status and return it.
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

  static int SendHook(void* self, const unsigned char* bytes, size_t size);
  static int ReceiveHook(void* self, unsigned char* bytes, size_t size);

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

int Engine::State::SendHook(void* self, const unsigned char* bytes, size_t size) {
  auto& state = *static_cast<State*>(self);
  state.output.insert(state.output.end(), bytes, bytes + size);
  return static_cast<int>(size);
}

int Engine::State::ReceiveHook(void* self, unsigned char* bytes, size_t size) {
  auto& state = *static_cast<State*>(self);
  size_t done = 0;
  while (done < size && !state.input.empty()) {
    base::Slice& front = state.input.front();
    const size_t part = std::min(size - done, front.size());
    std::memcpy(bytes + done, front.data(), part);
    done += part;
    if (part == front.size()) {
      state.input.pop_front();
    } else {
      front = front.Sub(part);
    }
  }
  if (state.phase == Phase::kHandshake) state.handshake_bytes += done;
  return done == 0 ? MBEDTLS_ERR_SSL_WANT_READ : static_cast<int>(done);
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
  if (has_sni) server_name = expected_name;
  mbedtls_ssl_set_user_data_p(&ssl, &server_name);
  mbedtls_ssl_set_bio(&ssl, this, SendHook, ReceiveHook, nullptr);
  if (context->verify() == Verify::kPeer) {
    mbedtls_ssl_set_verify(&ssl, ChainCheck::OnCertificate, &check);
  }
  int result = mbedtls_ssl_setup(&ssl, &context->frozen().config);
  if (result == 0 && role() == Role::kClient) {
    result = mbedtls_ssl_set_hostname(&ssl, has_sni ? server_name.c_str() : nullptr);
  }
  if (result == 0) return absl::OkStatus();
  return StatusForError(result, AlertForError(result), role());
}

absl::Status Engine::State::Fail(absl::Status status) {
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

void Engine::State::SendAlert(Alert alert) {
  UseNewestKeys();
  // When this fails there is nothing better to do: the connection ends either way.
  (void)mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       static_cast<unsigned char>(alert));
}

absl::Status Engine::State::Refuse(Alert alert, absl::Status status) {
  SendAlert(alert);
  return Fail(std::move(status));
}

absl::Status Engine::State::FailWithError(int error, size_t output_before) {
  if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE &&
      ssl.MBEDTLS_PRIVATE(in_msgtype) == MBEDTLS_SSL_MSG_ALERT) {
    return Fail(StatusForReceivedAlert(ssl.MBEDTLS_PRIVATE(in_msg)[1], role()));
  }
  if (phase == Phase::kOpen && is_tls13() && error == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE &&
      ssl.MBEDTLS_PRIVATE(in_msgtype) == MBEDTLS_SSL_MSG_HANDSHAKE &&
      ssl.MBEDTLS_PRIVATE(in_msg)[0] == kKeyUpdateMessage) {
    return Refuse(
        Alert::kUnexpectedMessage,
        base::Error(absl::StatusCode::kUnimplemented,
                    "the peer changed its keys (TLS 1.3 KeyUpdate), which is not supported yet",
                    "raise key_update_at at the peer, or use tlsv1.2 between these nodes",
                    AlertName(Alert::kUnexpectedMessage)));
  }
  Alert alert = AlertForError(error);
  // mbedTLS mostly sends an alert itself: one record, readable while nothing is encrypted.
  constexpr size_t kPlainAlertBytes = 7, kMostSealedAlertBytes = 5 + 2 + 1 + 16;
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
  }
  return Fail(StatusForError(error, alert, role()));
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
  if (context->verify() != Verify::kPeer) return absl::OkStatus();
  switch (check.outcome()) {
    case ChainCheck::Outcome::kTrusted:
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

absl::StatusOr<std::optional<Event>> Engine::State::Shake() {
  // A server holds no buffers for a client that has not said anything yet.
  if (role() == Role::kServer && first_bytes.empty() && !has_ended) return std::optional<Event>();
  if (!is_set_up) {
    if (absl::Status status = SetUp(); !status.ok()) return Fail(std::move(status));
  }
  RETURN_IF_ERROR(CheckFirstBytes());
  if (!is_first_checked && !first_bytes.empty()) {
    if (!has_ended) return std::optional<Event>();
  }
  while (mbedtls_ssl_is_handshake_over(&ssl) == 0) {
    if (handshake_bytes > options.limits.max_tls_handshake_bytes) {
      return Refuse(Alert::kHandshakeFailure,
                    base::Error(absl::StatusCode::kResourceExhausted,
                                fmt::format("the peer's TLS handshake is longer than {} bytes",
                                            options.limits.max_tls_handshake_bytes),
                                "shorten its certificate chain", "handshake_failure"));
    }
    const size_t output_before = output.size();
    const int result = mbedtls_ssl_handshake_step(&ssl);
    if (result == MBEDTLS_ERR_SSL_WANT_READ) {
      if (!input.empty()) continue;
      if (!has_ended) return std::optional<Event>();
      return Fail(StatusForEndInHandshake(!first_bytes.empty(), role()));
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      return Fail(StatusForEndInHandshake(true, role()));
    }
    RETURN_IF_ERROR(CheckPeer());
    if (result != 0) return FailWithError(result, output_before);
  }
  phase = Phase::kOpen;
  return Give(HandshakeDone{Describe()});
}

ConnectionInfo Engine::State::Describe() const {
  ConnectionInfo info;
  info.version = is_tls13() ? Version::kTls13 : Version::kTls12;
  info.cipher_suite =
      CipherSuiteName(static_cast<uint16_t>(mbedtls_ssl_get_ciphersuite_id_from_ssl(&ssl)));
  if (const char* protocol = mbedtls_ssl_get_alpn_protocol(&ssl); protocol != nullptr) {
    info.alpn = protocol;
  }
  info.server_name = server_name;
  if (const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&ssl); peer != nullptr) {
    info.peer = tls::Describe(*peer);
  }
  info.is_peer_verified = check.outcome() == ChainCheck::Outcome::kTrusted;
  return info;
}

absl::StatusOr<std::optional<Event>> Engine::State::Receive() {
  while (true) {
    const size_t output_before = output.size();
    uint8_t nothing = 0;
    // Reads and opens one record; what it holds is then known.
    int result = mbedtls_ssl_read(&ssl, &nothing, 0);
    const size_t available = mbedtls_ssl_get_bytes_avail(&ssl);
    if (result == 0 && available > 0) {
      auto block = std::make_shared_for_overwrite<uint8_t[]>(available);
      result = mbedtls_ssl_read(&ssl, block.get(), available);
      if (result > 0) {
        uint8_t* data = block.get();
        return Give(Data{base::Slice(std::move(block), data, static_cast<size_t>(result))});
      }
    }
    if (result == 0) continue;  // an empty record
    if (result == MBEDTLS_ERR_SSL_WANT_READ ||
        result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      if (!input.empty() || result != MBEDTLS_ERR_SSL_WANT_READ) continue;
      if (!has_ended) return std::optional<Event>();
      return Fail(base::Error(absl::StatusCode::kUnavailable,
                              "the peer ended the connection without close_notify",
                              "see the peer's log", "closed"));
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      phase = Phase::kPeerClosed;
      input.clear();
      return Give(PeerClosed{});
    }
    return FailWithError(result, output_before);
  }
}

absl::Status Engine::State::Encrypt(base::ByteView plaintext) {
  while (!plaintext.empty()) {
    const size_t output_before = output.size();
    const int result = mbedtls_ssl_write(&ssl, plaintext.data(), plaintext.size());
    if (result < 0) return FailWithError(result, output_before);
    plaintext = plaintext.subspan(static_cast<size_t>(result));
  }
  return absl::OkStatus();
}

Engine::Engine(std::shared_ptr<const Context> context, EngineOptions options)
    : state_(std::make_unique<State>(std::move(context), std::move(options))) {}

Engine::~Engine() = default;

void Engine::Feed(base::Slice ciphertext) {
  State& state = *state_;
  if (ciphertext.empty() || state.has_ended || state.phase == State::Phase::kFailed ||
      state.phase == State::Phase::kPeerClosed) {
    return;
  }
  if (state.first_bytes.size() < kFirstBytes) {
    const size_t count = std::min(kFirstBytes - state.first_bytes.size(), ciphertext.size());
    state.first_bytes.insert(state.first_bytes.end(), ciphertext.data(), ciphertext.data() + count);
  }
  state.input.push_back(std::move(ciphertext));
}

void Engine::FeedEnd() { state_->has_ended = true; }

absl::StatusOr<std::optional<Event>> Engine::Next() {
  switch (state_->phase) {
    case State::Phase::kHandshake:
      return state_->Shake();
    case State::Phase::kOpen:
      return state_->Receive();
    case State::Phase::kPeerClosed:
      return std::optional<Event>();
    case State::Phase::kFailed:
      break;
  }
  return state_->failure;
}

absl::Status Engine::Write(base::Buffer plaintext) {
  State& state = *state_;
  if (state.phase == State::Phase::kFailed) return state.failure;
  if (state.phase == State::Phase::kHandshake || state.has_closed) {
    return base::Error(absl::StatusCode::kInternal,
                       state.has_closed ? "TLS: write after close" : "TLS: write before handshake");
  }
  const int limit = mbedtls_ssl_get_max_out_record_payload(&state.ssl);
  const size_t record = limit > 0 ? static_cast<size_t>(limit) : 1;
  std::vector<uint8_t> gathered;
  for (const base::Slice& piece : plaintext.pieces()) {
    base::ByteView rest = piece.view();
    while (!rest.empty()) {
      if (gathered.empty() && rest.size() >= record) {
        const size_t whole = rest.size() - rest.size() % record;
        RETURN_IF_ERROR(state.Encrypt(rest.first(whole)));
        rest = rest.subspan(whole);
        continue;
      }
      const size_t part = std::min(record - gathered.size(), rest.size());
      gathered.insert(gathered.end(), rest.begin(), rest.begin() + static_cast<long>(part));
      rest = rest.subspan(part);
      if (gathered.size() < record) continue;
      RETURN_IF_ERROR(state.Encrypt(gathered));
      gathered.clear();
    }
  }
  return state.Encrypt(gathered);
}

void Engine::Close() {
  State& state = *state_;
  const bool is_open =
      state.phase == State::Phase::kOpen || state.phase == State::Phase::kPeerClosed;
  if (!is_open || state.has_closed) return;
  state.has_closed = true;
  // When this fails there is nothing better to do: the connection ends either way.
  (void)mbedtls_ssl_close_notify(&state.ssl);
}

bool Engine::is_handshake_done() const {
  return state_->phase == State::Phase::kOpen || state_->phase == State::Phase::kPeerClosed;
}

bool Engine::has_output() const { return !state_->output.empty(); }

base::Buffer Engine::TakeOutput() {
  base::Buffer buffer;
  buffer.Append(base::Slice(std::exchange(state_->output, {})));
  return buffer;
}

}  // namespace noded::tls
