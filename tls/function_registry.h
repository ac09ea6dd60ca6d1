// Functions of the program, by the name under which options on a command line or in a file mean
// them: what Erlang writes as {Module, Function, State} or fun Module:Function/Arity.
//
//   FunctionRegistry::Shared().RegisterVerifyFun("shop:pin", pin);          // before options are
//   read -ssl_dist_opt server_verify_fun "{shop, pin, []}"                       // means it
//
// A name registered again means the later function; options that were read before keep the earlier.
// Thread-safe. Errors of Find...: InvalidArgument, which names the known functions of that kind.
#pragma once

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "tls/crl_cache.h"
#include "tls/options.h"
#include "tls/verify_fun.h"

namespace noded::tls {

// As PskLookup (tls/psk.h), with the state of the option: what it holds is up to who reads the
// option (dist: a dist::Term).
using PskFun =
    std::function<std::optional<Secret>(std::string_view identity_or_hint, const std::any& state)>;

// session_cb with its init args, crl_cache with its arguments: states as in PskFun.
using SessionCb =
    std::function<absl::StatusOr<std::shared_ptr<SessionCache>>(Role role, const std::any& state)>;
using CrlCacheFun = std::function<absl::StatusOr<std::shared_ptr<CrlCache>>(const std::any& state)>;
using PasswordFun = decltype(Identity::password_fun);
using ReuseFun = decltype(Sessions::reuse_fun);

class FunctionRegistry {
 public:
  FunctionRegistry() = default;
  FunctionRegistry(const FunctionRegistry&) = delete;
  FunctionRegistry& operator=(const FunctionRegistry&) = delete;

  // The process's own.
  static FunctionRegistry& Shared();

  // `name` is "module:function". Options: verify_fun, partial_chain, sni_fun, user_lookup_fun, a
  // server's reuse_session, and password.
  void RegisterVerifyFun(std::string name, VerifyFun fun);
  void RegisterPartialChain(std::string name, PartialChainFun fun);
  void RegisterSniFun(std::string name, SniFun fun);
  void RegisterUserLookupFun(std::string name, PskFun fun);
  void RegisterReuseSession(std::string name, ReuseFun fun);
  void RegisterPassword(std::string name, PasswordFun fun);
  // `name` is that of a module: -ssl session_cb shop, and crl_cache {shop, Arguments}.
  void RegisterSessionCb(std::string name, SessionCb make);
  void RegisterCrlCache(std::string name, CrlCacheFun make);

  absl::StatusOr<VerifyFun> FindVerifyFun(std::string_view name) const;
  absl::StatusOr<PartialChainFun> FindPartialChain(std::string_view name) const;
  absl::StatusOr<SniFun> FindSniFun(std::string_view name) const;
  absl::StatusOr<PskFun> FindUserLookupFun(std::string_view name) const;
  absl::StatusOr<ReuseFun> FindReuseSession(std::string_view name) const;
  absl::StatusOr<PasswordFun> FindPassword(std::string_view name) const;
  absl::StatusOr<SessionCb> FindSessionCb(std::string_view name) const;
  absl::StatusOr<CrlCacheFun> FindCrlCache(std::string_view name) const;

 private:
  template <class Fun>
  using Table = std::map<std::string, Fun, std::less<>>;
  template <class Fun>
  void Put(Table<Fun>& table, std::string name, Fun fun);
  template <class Fun>
  absl::StatusOr<Fun> Find(const Table<Fun>& table, std::string_view kind,
                           std::string_view name) const;

  mutable std::mutex mutex_;  // of the tables
  Table<VerifyFun> verify_funs_;
  Table<PartialChainFun> partial_chains_;
  Table<SniFun> sni_funs_;
  Table<PskFun> user_lookup_funs_;
  Table<ReuseFun> reuse_sessions_;
  Table<PasswordFun> passwords_;
  Table<SessionCb> session_cbs_;
  Table<CrlCacheFun> crl_caches_;
};

}  // namespace noded::tls
