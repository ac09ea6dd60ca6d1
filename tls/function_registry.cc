#include "tls/function_registry.h"

#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"

namespace noded::tls {

FunctionRegistry& FunctionRegistry::Shared() {
  static FunctionRegistry registry;
  return registry;
}

template <class Fun>
absl::StatusOr<Fun> FunctionRegistry::Find(const Table<Fun>& table, std::string_view kind,
                                           std::string_view name) const {
  std::lock_guard lock(mutex_);
  if (const auto found = table.find(name); found != table.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [each, fun] : table) known.push_back(each);
  return base::Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("no {} '{}' is registered with this program{}", kind, name,
                  base::DidYouMean(name, known)),
      known.empty()
          ? std::string("none is: a C++ program registers its own (tls/function_registry.h)")
          : fmt::format("known are {}", fmt::join(known, ", ")),
      "options");
}

template <class Fun>
void FunctionRegistry::Put(Table<Fun>& table, std::string name, Fun fun) {
  std::lock_guard lock(mutex_);
  table[std::move(name)] = std::move(fun);
}

void FunctionRegistry::RegisterVerifyFun(std::string name, VerifyFun fun) {
  Put(verify_funs_, std::move(name), std::move(fun));
}
void FunctionRegistry::RegisterPartialChain(std::string name, PartialChainFun fun) {
  Put(partial_chains_, std::move(name), std::move(fun));
}
void FunctionRegistry::RegisterSniFun(std::string name, SniFun fun) {
  Put(sni_funs_, std::move(name), std::move(fun));
}
void FunctionRegistry::RegisterUserLookupFun(std::string name, PskFun fun) {
  Put(user_lookup_funs_, std::move(name), std::move(fun));
}
void FunctionRegistry::RegisterReuseSession(std::string name, ReuseFun fun) {
  Put(reuse_sessions_, std::move(name), std::move(fun));
}

void FunctionRegistry::RegisterPassword(std::string name, PasswordFun fun) {
  Put(passwords_, std::move(name), std::move(fun));
}
void FunctionRegistry::RegisterSessionCb(std::string name, SessionCb make) {
  Put(session_cbs_, std::move(name), std::move(make));
}
void FunctionRegistry::RegisterCrlCache(std::string name, CrlCacheFun make) {
  Put(crl_caches_, std::move(name), std::move(make));
}

absl::StatusOr<VerifyFun> FunctionRegistry::FindVerifyFun(std::string_view name) const {
  return Find(verify_funs_, "verify_fun", name);
}
absl::StatusOr<PartialChainFun> FunctionRegistry::FindPartialChain(std::string_view name) const {
  return Find(partial_chains_, "partial_chain", name);
}
absl::StatusOr<SniFun> FunctionRegistry::FindSniFun(std::string_view name) const {
  return Find(sni_funs_, "sni_fun", name);
}
absl::StatusOr<PskFun> FunctionRegistry::FindUserLookupFun(std::string_view name) const {
  return Find(user_lookup_funs_, "user_lookup_fun", name);
}
absl::StatusOr<ReuseFun> FunctionRegistry::FindReuseSession(std::string_view name) const {
  return Find(reuse_sessions_, "reuse_session", name);
}

absl::StatusOr<PasswordFun> FunctionRegistry::FindPassword(std::string_view name) const {
  return Find(passwords_, "password", name);
}
absl::StatusOr<SessionCb> FunctionRegistry::FindSessionCb(std::string_view name) const {
  return Find(session_cbs_, "session_cb", name);
}
absl::StatusOr<CrlCacheFun> FunctionRegistry::FindCrlCache(std::string_view name) const {
  return Find(crl_caches_, "crl_cache", name);
}

}  // namespace noded::tls
