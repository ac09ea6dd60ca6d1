#include "node/mailbox.h"

#include "base/log.h"
#include "node/signal_terms.h"

namespace noded::node {

using dist::Term;

Mailbox::Mailbox(dist::Pid pid, std::shared_ptr<Queue> queue, std::function<void()> end)
    : pid_(std::move(pid)), queue_(std::move(queue)), end_(std::move(end)) {}

Mailbox::~Mailbox() { end_(); }

std::optional<Term> Mailbox::Receive(base::Duration timeout) {
  return ReceiveMatching([](const Term&) { return true; }, timeout);
}

std::optional<Term> Mailbox::ReceiveMatching(std::function<bool(const Term&)> matches,
                                             base::Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(queue_->mutex_);
  size_t seen = 0;  // messages before this one do not match
  while (true) {
    auto& messages = queue_->messages_;
    for (; seen < messages.size(); ++seen) {
      if (!matches(messages[seen])) continue;
      Term message = std::move(messages[seen]);
      messages.erase(messages.begin() + static_cast<ptrdiff_t>(seen));
      return message;
    }
    if (!queue_->is_alive_) return std::nullopt;
    if (queue_->arrived_.wait_until(lock, deadline) == std::cv_status::timeout &&
        seen == messages.size()) {
      return std::nullopt;
    }
  }
}

bool Mailbox::is_alive() const {
  std::lock_guard lock(queue_->mutex_);
  return queue_->is_alive_;
}

uint64_t Mailbox::dropped() const {
  std::lock_guard lock(queue_->mutex_);
  return queue_->dropped_;
}

void Mailbox::Queue::Deliver(Term message) {
  {
    std::lock_guard lock(mutex_);
    if (!is_alive_) return;
    if (messages_.size() >= max_messages_) {
      if (++dropped_ == 1) {
        base::LogWarn("mailbox_full")
            .Add("messages", messages_.size())
            .Add("mend", "receive faster; further messages are dropped");
      }
      return;
    }
    messages_.push_back(std::move(message));
  }
  arrived_.notify_all();
}

bool Mailbox::Queue::TrapExit(const dist::Pid& from, const Term& reason) {
  Deliver(ExitMessage(from, reason));
  return true;
}

void Mailbox::Queue::MonitorDown(const dist::Reference& monitor, const Term& object,
                                 const Term& reason) {
  Deliver(DownMessage(monitor, object, reason));
}

void Mailbox::Queue::SpawnReply(const dist::Reference& request, const Term& result) {
  Deliver(SpawnReplyMessage(request, result));
}

void Mailbox::Queue::Ended() {
  {
    std::lock_guard lock(mutex_);
    is_alive_ = false;
  }
  arrived_.notify_all();
}

}  // namespace noded::node
