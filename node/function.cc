#include "node/function.h"

#include <exception>
#include <mutex>

#include "fmt/format.h"

namespace noded::node {

using dist::AtomName;
using dist::Term;

void FunctionTable::Add(const AtomName& module, const AtomName& function, int arity,
                        Function body) {
  auto shared = std::make_shared<const Function>(std::move(body));
  std::unique_lock lock(mutex_);
  functions_[{module, function, arity}] = std::move(shared);
}

std::shared_ptr<const Function> FunctionTable::Find(const AtomName& module,
                                                    const AtomName& function, int arity) const {
  std::shared_lock lock(mutex_);
  for (int candidate : {arity, kAnyArity}) {
    auto found = functions_.find({module, function, candidate});
    if (found != functions_.end()) return found->second;
  }
  return nullptr;
}

CallOutcome FunctionTable::Apply(const CallContext& context, const AtomName& module,
                                 const AtomName& function, const Term& args) const {
  const auto frame = [&](Term arity_or_args) {
    return Term::List({Term::Tuple(
        {Term::Atom(module), Term::Atom(function), std::move(arity_or_args), Term::Nil()})});
  };
  if (!args.is_proper_list()) {
    return CallOutcome::Error(
        Term::Atom("badarg"),
        Term::List({Term::Tuple({Term::Atom("erlang"), Term::Atom("apply"),
                                 Term::List({Term::Atom(module), Term::Atom(function), args}),
                                 Term::Nil()})}));
  }
  const auto arity = static_cast<int>(args.list().size());
  std::shared_ptr<const Function> body = Find(module, function, arity);
  if (body == nullptr) return CallOutcome::Error(Term::Atom("undef"), frame(args));
  CallOutcome outcome;
  try {
    outcome = (*body)(context, args.list());
  } catch (const std::exception& error) {
    outcome = CallOutcome::Error(
        Term::Tuple({Term::Atom("cxx_exception"), Term::Binary(std::string_view(error.what()))}));
  }
  if (outcome.kind == CallOutcome::Kind::kErrored && outcome.stack.is_nil()) {
    outcome.stack = frame(Term::Int(arity));
  }
  return outcome;
}

std::vector<std::string> FunctionTable::Names() const {
  std::vector<std::string> names;
  std::shared_lock lock(mutex_);
  for (const auto& [key, body] : functions_) {
    const auto& [module, function, arity] = key;
    names.push_back(fmt::format("{}:{}/{}", module.view(), function.view(),
                                arity == kAnyArity ? "*" : fmt::to_string(arity)));
  }
  return names;
}

}  // namespace noded::node
