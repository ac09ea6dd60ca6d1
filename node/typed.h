// Calls in C++ types: functions that are exported as they are written, arguments and results of
// calls by type.
//
//   Item Find(const std::string& name, int least);               // or a StatusOr<Item>, or a
//   lambda node->Export("shop", "find", Typed(Find));                   // shop:find/2
//
//   CallRequest request{"shop@host", "shop", "find", Arguments("tea", 3)};
//   ASSIGN_OR_RETURN(Item item, ResultAs<Item>(node->Call(std::move(request))));
//
// A parameter that is a `const CallContext&` and comes first is not counted: it says who calls.
// Types are those of dist/convert.h. A function that returns nothing, or OK, answers `ok`. What
// goes wrong raises at the caller, as an error: arguments that do not fit {badarg, Text}, with the
// number of the argument and the path within it; a Status that is not OK {Reason, Text}, with
// base::ReasonOf(status) as the reason. A function may give a CallOutcome, to say it all by itself.
// Errors of ResultAs: those of the call; Aborted (throw, exit or error, by their Erlang text) when
// the other side raised; InvalidArgument (badarg), with the path, when the result does not fit.
#pragma once

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "dist/convert.h"
#include "node/function.h"

namespace noded::node {

// For Node::Export.
struct TypedFunction {
  int arity = 0;
  Function body;
};

// A list, for CallRequest::args.
template <class... T>
dist::Term Arguments(const T&... values) {
  return dist::Term::List({dist::ToTerm(values)...});
}

namespace typed {

CallOutcome BadArgument(size_t number, const dist::Mismatch& why);
CallOutcome Failed(const absl::Status& status);
absl::Status Raised(const CallOutcome& outcome);

template <class T>
inline constexpr bool kIsStatusOr = false;
template <class T>
inline constexpr bool kIsStatusOr<absl::StatusOr<T>> = true;

template <class R>
CallOutcome Outcome(R result) {
  if constexpr (std::is_same_v<R, CallOutcome>) {
    return result;
  } else if constexpr (std::is_same_v<R, absl::Status>) {
    return result.ok() ? CallOutcome::Return(dist::Term::Atom("ok")) : Failed(result);
  } else if constexpr (kIsStatusOr<R>) {
    return result.ok() ? Outcome(*std::move(result)) : Failed(result.status());
  } else {
    return CallOutcome::Return(dist::ToTerm(result));
  }
}

template <class R, class... A, class Call, size_t... I>
CallOutcome Run(const Call& call, std::span<const dist::Term> args, std::index_sequence<I...>) {
  std::tuple<std::remove_cvref_t<A>...> values{};
  if (args.size() != sizeof...(A)) return CallOutcome::Error(dist::Term::Atom("badarg"));
  dist::Mismatch why;
  size_t number = 0;
  const bool fits = (dist::Convert(args[I], std::get<I>(values), (number = I + 1, why)) && ...);
  if (!fits) return BadArgument(number, why);
  if constexpr (std::is_void_v<R>) {
    call(std::get<I>(std::move(values))...);
    return CallOutcome::Return(dist::Term::Atom("ok"));
  } else {
    return Outcome<R>(call(std::get<I>(std::move(values))...));
  }
}

template <class R, class... A>
TypedFunction Make(std::function<R(A...)> function) {
  return {sizeof...(A),
          [function = std::move(function)](const CallContext&, std::span<const dist::Term> args) {
            return Run<R, A...>(function, args, std::index_sequence_for<A...>());
          }};
}
template <class R, class... A>
TypedFunction Make(std::function<R(const CallContext&, A...)> function) {
  return {sizeof...(A), [function = std::move(function)](const CallContext& context,
                                                         std::span<const dist::Term> args) {
            const auto call = [&](auto&&... values) {
              return function(context, std::forward<decltype(values)>(values)...);
            };
            return Run<R, A...>(call, args, std::index_sequence_for<A...>());
          }};
}

}  // namespace typed

template <class F>
TypedFunction Typed(F function) {
  return typed::Make(std::function(std::move(function)));
}

template <class T>
absl::StatusOr<T> ResultAs(const absl::StatusOr<CallOutcome>& outcome) {
  if (!outcome.ok()) return outcome.status();
  if (!outcome->is_return()) return typed::Raised(*outcome);
  return dist::FromTerm<T>(outcome->value);
}

}  // namespace noded::node
