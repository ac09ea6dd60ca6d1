#include "tls/engine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tls/engine_state.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {

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
  if (state.hello) state.hello->Feed(ciphertext);
  state.input.push_back(std::move(ciphertext));
}

void Engine::FeedEnd() { state_->has_ended = true; }

absl::StatusOr<std::optional<Event>> Engine::Next() {
  State& state = *state_;
  if (state.sleeping && state.input.empty() && !state.has_ended) return std::optional<Event>();
  RETURN_IF_ERROR(state.Wake());
  while (true) {
    const State::Phase before = state.phase;
    absl::StatusOr<std::optional<Event>> event = state.Act();
    if (!event.ok() || event->has_value() || state.phase == before) return event;
  }
}

absl::StatusOr<std::optional<Event>> Engine::State::Act() {
  switch (phase) {
    case Phase::kHandshake:
      return Shake();
    case Phase::kOpen:
      return Receive();
    case Phase::kServerHelloDue:
      if (bytes_before_answer > options.limits.max_tls_bytes_before_answer) {
        return Refuse(Alert::kUnexpectedMessage,
                      base::Error(absl::StatusCode::kResourceExhausted,
                                  "the server does not answer a renegotiation",
                                  "raise renegotiate_at", "unexpected_message"));
      }
      return Receive();
    case Phase::kRenegotiation:
      return ShakeOn();
    case Phase::kPeerClosed:
      return std::optional<Event>();
    case Phase::kFailed:
      break;
  }
  return failure;
}

void Engine::Resume() {
  if (state_->phase == State::Phase::kFailed || !state_->has_asked_for_crls) return;
  // Next() tells what came of it.
  (void)state_->ResumeWithCrls();
}

absl::Status Engine::Write(base::Buffer plaintext) {
  State& state = *state_;
  if (state.phase == State::Phase::kFailed) return state.failure;
  RETURN_IF_ERROR(state.held_failure);
  if (state.phase == State::Phase::kHandshake || state.has_closed) {
    return base::Error(absl::StatusCode::kInternal,
                       state.has_closed ? "TLS: write after close" : "TLS: write before handshake");
  }
  RETURN_IF_ERROR(state.Wake());
  state.held.Append(std::move(plaintext));
  return state.SendHeld();
}

size_t Engine::held_bytes() const { return state_->held.size(); }

void Engine::Close() {
  State& state = *state_;
  if (!state.is_handshake_done() || state.has_closed || !state.Wake().ok()) return;
  state.has_closed = true;
  state.is_close_due = true;
  if (state.held.empty()) state.SendCloseNotify();
}

absl::Status Engine::UpdateKeys(bool ask_peer) {
  State& state = *state_;
  if (state.phase == State::Phase::kFailed) return state.failure;
  if (!state.is_handshake_done() || state.has_closed || !state.is_tls13()) {
    return base::Error(absl::StatusCode::kFailedPrecondition,
                       state.is_handshake_done() && !state.has_closed
                           ? "TLS key update: TLS 1.2 has none"
                           : "TLS key update: the connection is not open",
                       "renegotiate in TLS 1.2; update keys between handshake and close",
                       "unsupported");
  }
  RETURN_IF_ERROR(state.Wake());
  return state.SendKeyUpdate(ask_peer);
}

absl::Status Engine::Renegotiate() {
  if (state_->phase == State::Phase::kFailed) return state_->failure;
  RETURN_IF_ERROR(state_->Wake());
  return state_->Renegotiate();
}

absl::StatusOr<std::vector<uint8_t>> Engine::Export(std::string_view label,
                                                    std::optional<base::ByteView> context,
                                                    size_t size) {
  RETURN_IF_ERROR(state_->CheckDone());
  return state_->secrets.Export(state_->ssl, label, context, size);
}

base::Slice Engine::SessionData() const {
  return state_->resumption ? state_->resumption->kept() : base::Slice();
}

absl::StatusOr<std::vector<uint8_t>> Engine::Prf(const PrfInput& secret, std::string_view label,
                                                 const std::vector<PrfInput>& seed, size_t size) {
  RETURN_IF_ERROR(state_->CheckDone());
  return state_->secrets.Prf(secret, label, seed, size);
}

absl::Status Engine::State::CheckDone() const {
  if (is_handshake_done()) return absl::OkStatus();
  if (phase == Phase::kFailed) return failure;
  return base::Error(absl::StatusCode::kFailedPrecondition,
                     "TLS key derivation: the handshake is not done", "derive after HandshakeDone",
                     "undefined");
}

const ConnectionInfo& Engine::info() const { return state_->info; }

const std::shared_ptr<const Context>& Engine::context() const { return state_->context; }

const absl::Status& Engine::held_failure() const { return state_->held_failure; }

void Engine::Hibernate() { state_->Hibernate(); }

size_t Engine::buffer_bytes() const {
  size_t bytes = noded_ssl_buffer_bytes(&state_->ssl) + state_->output.capacity();
  for (const base::Slice& piece : state_->input) bytes += piece.size();
  return bytes + state_->held.size();
}

base::Slice Engine::TakeRest() {
  base::Buffer rest;
  if (state_->phase == State::Phase::kPeerClosed) {
    for (base::Slice& piece : state_->input) rest.Append(std::move(piece));
    state_->input.clear();
  }
  return rest.ToSlice();
}

bool Engine::is_handshake_done() const { return state_->is_handshake_done(); }

bool Engine::has_output() const { return !state_->output.empty(); }

base::Buffer Engine::TakeOutput() {
  base::Buffer buffer;
  buffer.Append(base::Slice(std::exchange(state_->output, {})));
  state_->is_answer_out = false;
  state_->is_refusal_out = false;
  return buffer;
}

}  // namespace noded::tls
