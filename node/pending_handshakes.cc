#include "node/pending_handshakes.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace noded::node {

using base::Slice;
using base::Task;

// Shared by the table and the stream.
struct PendingHandshakes::State {
  base::Loop* loop = nullptr;
  base::Stream* stream = nullptr;  // touched on `loop` only; null once it is destroyed
  std::atomic<bool> has_spoken{false};

  static void Abort(const std::shared_ptr<State>& state) {
    state->loop->Post([state] {
      if (state->stream != nullptr) state->stream->Abort();
    });
  }
};

class PendingHandshakes::Watched : public base::Stream {
 public:
  Watched(std::unique_ptr<base::Stream> inner, std::shared_ptr<State> state)
      : inner_(std::move(inner)), state_(std::move(state)) {}
  ~Watched() override { state_->stream = nullptr; }

  Task<absl::StatusOr<Slice>> Read() override {
    absl::StatusOr<Slice> bytes = co_await inner_->Read();
    if (bytes.ok() && !bytes->empty()) state_->has_spoken.store(true, std::memory_order_relaxed);
    co_return bytes;
  }
  Task<absl::Status> Write(base::Buffer bytes) override { return inner_->Write(std::move(bytes)); }
  Task<absl::Status> Close() override { return inner_->Close(); }
  void Abort() override { inner_->Abort(); }
  const base::PeerIdentity& peer() const override { return inner_->peer(); }
  const base::PeerIdentity& local() const override { return inner_->local(); }
  base::Loop& loop() override { return inner_->loop(); }

 private:
  std::unique_ptr<base::Stream> inner_;
  std::shared_ptr<State> state_;
};

PendingHandshakes::Added PendingHandshakes::Add(std::unique_ptr<base::Stream> accepted) {
  const std::string address = accepted->peer().address;
  const auto same = static_cast<size_t>(std::count_if(
      entries_.begin(), entries_.end(), [&](const Entry& e) { return e.address == address; }));
  if (same >= limits_.max_pending_handshakes_per_address) {
    Evict(&address);
  } else if (entries_.size() >= limits_.max_pending_handshakes) {
    Evict(nullptr);
  }
  auto state = std::make_shared<State>();
  state->loop = &accepted->loop();
  state->stream = accepted.get();
  const Ticket ticket = next_ticket_++;
  entries_.push_back({ticket, address, state});
  return {std::make_unique<Watched>(std::move(accepted), std::move(state)), ticket};
}

void PendingHandshakes::Evict(const std::string* address) {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (address != nullptr && entry->address != *address) continue;
    if (oldest == entries_.end()) oldest = entry;
    if (!entry->state->has_spoken.load(std::memory_order_relaxed)) {
      oldest = entry;
      break;
    }
  }
  if (oldest == entries_.end()) return;
  if (++evicted_ == 1 || evicted_ % 1000 == 0) {
    base::LogWarn("handshake_evicted")
        .Add("peer", oldest->address)
        .Add("evicted", evicted_)
        .Add("pending", entries_.size())
        .Add("mend",
             "too many connections that do not finish their handshake: find who opens them");
  }
  State::Abort(oldest->state);
  entries_.erase(oldest);
}

bool PendingHandshakes::Remove(Ticket ticket) {
  return entries_.remove_if([ticket](const Entry& entry) { return entry.ticket == ticket; }) > 0;
}

void PendingHandshakes::AbortAll() {
  for (const Entry& entry : entries_) State::Abort(entry.state);
  entries_.clear();
}

}  // namespace noded::node
