// A mailbox is a process of this node whose messages C++ code reads.
//
//   ASSIGN_OR_RETURN(auto mailbox, node->OpenMailbox("orders"));
//   node->Send(mailbox->pid(), Destination::OfName("shop", "shop@host"), request);
//   while (auto message = mailbox->Receive(std::chrono::seconds(5))) Handle(*message);
//
// It traps exits: exit signals come as {'EXIT', Pid, Reason}, ended monitors as
// {'DOWN', Ref, process, Object, Reason}, answers to spawn requests as
// {spawn_reply, Ref, ok | error, PidOrReason}: the terms an Erlang process would see. Only `kill`
// ends it. Receive and the const methods are thread-safe; one thread should receive. What nobody
// reads is bounded (limits.max_mailbox_messages): beyond, new messages are dropped and counted, and
// logged once. Destroying it ends the process with reason normal.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/limits.h"
#include "node/processes.h"

namespace noded::node {

class Mailbox {
 public:
  // The process side, shared with the process table.
  class Queue;

  // Made by Node::OpenMailbox. `end` ends the process.
  Mailbox(dist::Pid pid, std::shared_ptr<Queue> queue, std::function<void()> end);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  const dist::Pid& pid() const { return pid_; }

  // The oldest message; none when `timeout` is over or the process was killed.
  std::optional<dist::Term> Receive(base::Duration timeout);
  // The oldest message that `matches`; the others stay, in order.
  std::optional<dist::Term> ReceiveMatching(std::function<bool(const dist::Term&)> matches,
                                            base::Duration timeout);
  bool is_alive() const;
  uint64_t dropped() const;

 private:
  const dist::Pid pid_;
  std::shared_ptr<Queue> queue_;
  std::function<void()> end_;
};

class Mailbox::Queue : public Process {
 public:
  explicit Queue(const base::Limits& limits) : max_messages_(limits.max_mailbox_messages) {}

  void Deliver(dist::Term message) override;
  bool TrapExit(const dist::Pid& from, const dist::Term& reason) override;
  void MonitorDown(const dist::Reference& monitor, const dist::Term& object,
                   const dist::Term& reason) override;
  void SpawnReply(const dist::Reference& request, const dist::Term& result) override;
  void Ended() override;

 private:
  friend class Mailbox;

  const size_t max_messages_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<dist::Term> messages_;
  uint64_t dropped_ = 0;
  bool is_alive_ = true;
};

}  // namespace noded::node
