#include <algorithm>
#include <cstring>

#include "fmt/format.h"
#include "mbedtls/platform_util.h"

#include "base/status.h"
#include "tls/engine_state.h"
#include "tls/failure.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {

int Engine::State::SendHook(void* self, const unsigned char* bytes, size_t size) {
  auto& state = *static_cast<State*>(self);
  // One record at a time.
  state.has_sent_change_cipher_spec |= size > 0 && bytes[0] == kChangeCipherSpecRecord;
  state.output.insert(state.output.end(), bytes, bytes + size);
  return static_cast<int>(size);
}

int Engine::State::ReceiveHook(void* self, unsigned char* bytes, size_t size) {
  auto& state = *static_cast<State*>(self);
  if (state.is_input_held) return MBEDTLS_ERR_SSL_WANT_READ;
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
  if (state.phase == Phase::kHandshake || state.phase == Phase::kRenegotiation) {
    state.handshake_bytes += done;
  }
  return done == 0 ? MBEDTLS_ERR_SSL_WANT_READ : static_cast<int>(done);
}

base::Slice Engine::State::TakeData() {
  uint8_t* plaintext = ssl.MBEDTLS_PRIVATE(in_msg);
  const size_t size = ssl.MBEDTLS_PRIVATE(in_msglen);
  if (size == 0) return base::Slice();
  auto block = std::make_shared_for_overwrite<uint8_t[]>(size);
  std::memcpy(block.get(), plaintext, size);
  mbedtls_platform_zeroize(plaintext, size);
  const uint8_t* data = block.get();
  return base::Slice(std::move(block), data, size);
}

absl::StatusOr<std::optional<Event>> Engine::State::Receive() {
  const Phase before = phase;
  while (phase == before) {
    const size_t output_before = output.size();
    // A TLS 1.3 server may have tickets to send yet.
    int result = 0;
    if (phase == Phase::kOpen && ssl.MBEDTLS_PRIVATE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
      result = mbedtls_ssl_handshake(&ssl);
    }
    if (result == 0) result = noded_ssl_read_message(&ssl);
    if (result == MBEDTLS_ERR_SSL_WANT_READ) {
      if (!input.empty()) continue;
      if (!has_ended) return std::optional<Event>();
      return Fail(base::Error(absl::StatusCode::kUnavailable,
                              "the peer ended the connection without close_notify",
                              "see the peer's log", "closed"));
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return OnPeerClosed();
    if (result != 0) return FailWithError(result, output_before);
    switch (ssl.MBEDTLS_PRIVATE(in_msgtype)) {
      case MBEDTLS_SSL_MSG_APPLICATION_DATA: {
        base::Slice data = TakeData();
        // mbedTLS would allow three.
        ssl.MBEDTLS_PRIVATE(nb_zero) = 0;
        if (data.empty()) {
          RETURN_IF_ERROR(CountIdle());
          break;
        }
        idle_records = 0;
        key_updates.CountData();
        budget.CountReceived(data.size());
        bytes_before_answer += data.size();
        return Give(Data{std::move(data)});
      }
      case MBEDTLS_SSL_MSG_ALERT: {
        ASSIGN_OR_RETURN(std::optional<Event> event, OnAlert());
        if (event) return event;
        break;
      }
      case MBEDTLS_SSL_MSG_HANDSHAKE:
        RETURN_IF_ERROR(OnMessage());
        break;
      default:
        return FailWithError(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, output_before);
    }
  }
  return std::optional<Event>();
}

absl::StatusOr<std::optional<Event>> Engine::State::OnPeerClosed() {
  if (is_renegotiating()) {
    // What is held could only be sent with keys that will never be agreed on.
    held.Clear();
    held_failure = base::Error(absl::StatusCode::kUnavailable,
                               "the peer closed the connection in the middle of a renegotiation",
                               "see the peer's log", "closed");
    if (!has_closed || is_close_due) SendCloseNotify();
    has_closed = true;
    is_close_due = false;
  }
  phase = Phase::kPeerClosed;
  return Give(PeerClosed{});
}

void Engine::State::SendCloseNotify() {
  is_close_due = false;
  // Tickets that a TLS 1.3 server has yet to send come first: nothing may follow the close_notify.
  if (is_tls13() && phase == Phase::kOpen &&
      ssl.MBEDTLS_PRIVATE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
    (void)mbedtls_ssl_handshake(&ssl);
  }
  // When this fails there is nothing better to do: the connection ends either way.
  (void)mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                       MBEDTLS_SSL_ALERT_MSG_CLOSE_NOTIFY);
}

absl::Status Engine::State::SendHeld() {
  std::vector<uint8_t> gathered;
  while (!held.empty() && !is_renegotiating()) {
    const int limit = mbedtls_ssl_get_max_out_record_payload(&ssl);
    const size_t count = std::min(held.size(), limit > 0 ? static_cast<size_t>(limit) : 1);
    base::ByteView record;
    if (const base::Slice& front = held.pieces().front(); front.size() >= count) {
      record = front.view().first(count);
    } else {
      gathered.clear();
      for (const base::Slice& piece : held.pieces()) {
        const base::Slice part = piece.Sub(0, count - gathered.size());
        gathered.insert(gathered.end(), part.data(), part.data() + part.size());
        if (gathered.size() == count) break;
      }
      record = gathered;
    }
    RETURN_IF_ERROR(SendRecord(record));
    held.Consume(count);
  }
  if (held.empty() && is_close_due) SendCloseNotify();
  return absl::OkStatus();
}

absl::Status Engine::State::SendRecord(base::ByteView plaintext) {
  const Traffic& traffic = context->options().traffic;
  if (is_tls13() && sent_bytes >= traffic.key_update_at) RETURN_IF_ERROR(SendKeyUpdate(true));
  size_t done = 0;
  while (done < plaintext.size()) {
    const size_t output_before = output.size();
    const int result = mbedtls_ssl_write(&ssl, plaintext.data() + done, plaintext.size() - done);
    if (result < 0) return FailWithError(result, output_before);
    done += static_cast<size_t>(result);
  }
  sent_bytes += plaintext.size();
  budget.CountSent(plaintext.size());
  const bool is_due = ++sent_records >= traffic.renegotiate_at;
  if (is_due && phase == Phase::kOpen && !has_closed && MayRenegotiate()) return Renegotiate();
  return absl::OkStatus();
}

void Engine::State::Hibernate() {
  if (phase == Phase::kFailed || !is_set_up || sleeping) return;
  std::array<uint8_t, 8> counter;
  if (noded_ssl_drop_buffers(&ssl, counter.data()) != 0) sleeping = counter;
  if (output.empty()) output.shrink_to_fit();
}

absl::Status Engine::State::Wake() {
  if (!sleeping) return absl::OkStatus();
  const std::array<uint8_t, 8> counter = *std::exchange(sleeping, std::nullopt);
  if (noded_ssl_restore_buffers(&ssl, counter.data()) == 0) return absl::OkStatus();
  return Fail(StatusForError(MBEDTLS_ERR_SSL_ALLOC_FAILED, Alert::kInternalError, role()));
}

}  // namespace noded::tls
