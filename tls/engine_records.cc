#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "tls/engine_state.h"

namespace noded::tls {

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

}  // namespace noded::tls
