// The process that functions called on other nodes write to: an I/O server whose output goes to a
// function, and which has nothing to read.
//
//   auto leader = std::make_shared<GroupLeader>(signals);
//   leader->SetOutput([](std::string_view text) { std::cout << text; });
//   dist::Pid pid = signals.Start(leader);
//
// put_chars with characters is written as it is; with a module, function and arguments as far as
// io_lib:format needs no Erlang (node/services/io_format.h). get_* answers eof. Confined to the
// home loop. Source: OTP "The Erlang I/O Protocol".
#pragma once

#include <functional>
#include <string_view>

#include "node/signals.h"

namespace noded::node {

class GroupLeader : public Process {
 public:
  using Write = std::function<void(std::string_view text)>;

  explicit GroupLeader(Signals& signals);

  void SetOutput(Write write) { write_ = std::move(write); }

  void Started(const dist::Pid& self) override { self_ = self; }
  void Deliver(dist::Term message) override;
  bool TrapExit(const dist::Pid&, const dist::Term&) override { return true; }

 private:
  dist::Term Answer(const dist::Term& request);
  dist::Term PutChars(const dist::Term& chars);

  Signals& signals_;
  dist::Pid self_;
  Write write_;
};

}  // namespace noded::node
