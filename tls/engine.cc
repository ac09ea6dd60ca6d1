#include "tls/engine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tls/engine_state.h"

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
