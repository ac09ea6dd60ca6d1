// A process that asks servers on several nodes and waits for all of them: gen_server:multi_call,
// made from its own pid. Where a server looks at who asks (it watches who holds a lock), the calls
// of one holder must all come from one process, and stay in order with what else it sends.
//
//   class Registrar : public CallingProcess {
//     base::Task<absl::Status> Run() {
//       auto asked = MultiCall(nodes, "global_name_server", request);
//       const Answers answers = co_await std::move(asked);
//
// Nodes are connected to when need be; those that cannot be reached, or whose server ends, are left
// out of the answers. Confined to the home loop. Source: OTP lib/stdlib/src/gen_server.erl,
// multi_call/3.
#pragma once

#include <chrono>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/awaited.h"
#include "base/loop.h"
#include "base/task.h"
#include "node/signals.h"

namespace noded::node {

class CallingProcess : public Process {
 public:
  using Answers = std::vector<std::pair<dist::AtomName, dist::Term>>;

  CallingProcess(base::Loop& home, Signals& signals) : home_(home), signals_(signals) {}

  void Started(const dist::Pid& self) override { self_ = self; }
  void Deliver(dist::Term message) override;
  void MonitorDown(const dist::Reference& monitor, const dist::Term& object,
                   const dist::Term& reason) override;

  const dist::Pid& self() const { return self_; }

 protected:
  base::Task<Answers> MultiCall(std::vector<dist::AtomName> nodes, dist::AtomName server,
                                dist::Term request);
  // Does nothing for that long.
  base::Task<bool> Sleep(base::Duration time);

  base::Loop& home_;
  Signals& signals_;

 private:
  // The calls that were made together.
  struct Round {
    explicit Round(base::Loop& home) : all_answered(home) {}
    size_t open = 0;
    Answers answers;
    base::Awaited<bool> all_answered;
  };
  struct Call {
    dist::AtomName node;
    std::shared_ptr<Round> round;
  };

  void Answered(const dist::Reference& ref, const dist::Term* answer);

  dist::Pid self_;
  std::unordered_map<dist::Reference, Call, dist::IdentifierHash> calls_;
};

}  // namespace noded::node
