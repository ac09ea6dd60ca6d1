// A function of this node that others may call: by rpc:call, erpc:call and nodectl call.
//
//   table.Add("cart", "total", 1, [](const CallContext& context, std::span<const Term> args) {
//     if (!args[0].is_binary()) return CallOutcome::Error(Term::Atom("badarg"));
//     return CallOutcome::Return(Total(args[0].binary().text()));
//   });
//
// Functions run on the node's worker threads, several at once: what they share must be thread-safe.
// A slow one keeps a worker, nothing else. FunctionTable is thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

// How a call ended, as Erlang's try sees it.
struct CallOutcome {
  enum class Kind { kReturned, kThrown, kExited, kErrored };

  static CallOutcome Return(dist::Term value) { return {Kind::kReturned, std::move(value), {}}; }
  static CallOutcome Throw(dist::Term value) { return {Kind::kThrown, std::move(value), {}}; }
  static CallOutcome Exit(dist::Term reason) { return {Kind::kExited, std::move(reason), {}}; }
  // `stack` is a list of {Module, Function, ArityOrArgs, Location}; empty: that of the call itself.
  static CallOutcome Error(dist::Term reason, dist::Term stack = {}) {
    return {Kind::kErrored, std::move(reason), std::move(stack)};
  }

  bool is_return() const { return kind == Kind::kReturned; }

  Kind kind = Kind::kReturned;
  dist::Term value;  // or reason
  dist::Term stack;  // of kErrored
};

// Who calls.
struct CallContext {
  dist::Pid caller;
  dist::Pid group_leader;  // where output belongs
};

using Function = std::function<CallOutcome(const CallContext&, std::span<const dist::Term>)>;

class FunctionTable {
 public:
  static constexpr int kAnyArity = -1;

  // Replaces one of the same name and arity.
  void Add(const dist::AtomName& module, const dist::AtomName& function, int arity, Function body);

  // Runs a function here and now. Unknown ones end as on a BEAM: error undef, with the call and its
  // arguments as the stack; an exception that escapes as error {cxx_exception, Text}.
  CallOutcome Apply(const CallContext& context, const dist::AtomName& module,
                    const dist::AtomName& function, const dist::Term& args) const;

  // "module:function/arity", sorted.
  std::vector<std::string> Names() const;

 private:
  using Key = std::tuple<dist::AtomName, dist::AtomName, int>;

  std::shared_ptr<const Function> Find(const dist::AtomName& module, const dist::AtomName& function,
                                       int arity) const;

  mutable std::shared_mutex mutex_;
  std::map<Key, std::shared_ptr<const Function>> functions_;
};

}  // namespace noded::node
