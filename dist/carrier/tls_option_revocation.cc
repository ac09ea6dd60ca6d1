#include <any>
#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_values.h"
#include "tls/function_registry.h"
#include "tls/http_crl_cache.h"
#include "tls/internal_crl_cache.h"

namespace noded::dist {
namespace {

using Call = TlsOptionCall;

// What {internal, [...]} asks for.
struct CacheArguments {
  std::optional<std::chrono::milliseconds> http_timeout;
  std::vector<std::string> files;
};

absl::Status TakeCacheArguments(const Call& call, const Term& list, CacheArguments& arguments) {
  constexpr std::string_view kExpected =
      "{http, Milliseconds}, 1 to 60000, or {file, \"/etc/pki/ca.crl\"}";
  for (const Term& argument : list.list()) {
    if (argument.IsTagged("http", 2)) {
      const std::optional<int64_t> timeout = argument.tuple()[1].AsInt();
      if (!timeout || *timeout < 1 || *timeout > 60'000)
        return call.WrongValue(argument, kExpected);
      arguments.http_timeout = std::chrono::milliseconds(*timeout);
    } else if (argument.IsTagged("file", 2)) {
      std::string path;
      RETURN_IF_ERROR(TakePath(call, argument.tuple()[1], path));
      arguments.files.push_back(std::move(path));
    } else {
      return call.WrongValue(argument, kExpected);
    }
  }
  return absl::OkStatus();
}

absl::Status InsertFiles(const Call& call, const CacheArguments& arguments,
                         tls::InternalCrlCache& cache) {
  for (const std::string& path : arguments.files) {
    if (absl::Status inserted = cache.InsertFile(path); !inserted.ok()) {
      return base::Annotate(inserted, call.Where());
    }
  }
  return absl::OkStatus();
}

// {Module, Arguments}: what the program has registered by the name of the module.
absl::Status TakeRegisteredCache(const Call& call, const Term& value) {
  auto make = tls::FunctionRegistry::Shared().FindCrlCache(value.tuple()[0].atom());
  if (!make.ok()) return base::Annotate(make.status(), call.Where());
  absl::StatusOr<std::shared_ptr<tls::CrlCache>> cache = (*make)(std::any(value.tuple()[1]));
  if (!cache.ok()) return base::Annotate(cache.status(), call.Where());
  call.options.revocation.cache = *std::move(cache);
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyCrlCheck(const Call& call, const Term& value) {
  tls::CrlCheck& check = call.options.revocation.check;
  if (value.IsAtom("false")) {
    check = tls::CrlCheck::kFalse;
  } else if (value.IsAtom("true")) {
    check = tls::CrlCheck::kTrue;
  } else if (value.IsAtom("peer")) {
    check = tls::CrlCheck::kPeer;
  } else if (value.IsAtom("best_effort")) {
    check = tls::CrlCheck::kBestEffort;
  } else {
    return call.WrongValue(value, "true, peer, best_effort or false");
  }
  return absl::OkStatus();
}

// {ssl_crl_cache, {internal, Arguments}}: OTP's own module, its internal handle, and {http,
// Timeout}; {file, Path} is ours, where a program of OTP's would call ssl_crl_cache:insert/1.
absl::Status ApplyCrlCache(const Call& call, const Term& value) {
  const bool is_internal = value.IsTagged("ssl_crl_cache", 2) &&
                           value.tuple()[1].IsTagged("internal", 2) &&
                           value.tuple()[1].tuple()[1].is_proper_list();
  const bool is_registered =
      value.IsTuple(2) && value.tuple()[0].is_atom() && !value.IsTagged("ssl_crl_cache", 2);
  if (is_registered) return TakeRegisteredCache(call, value);
  if (!is_internal) {
    return call.WrongValue(value,
                           "{ssl_crl_cache, {internal, [{http, 5000}]}}, or {Module, Arguments} of "
                           "a registered one");
  }
  CacheArguments arguments;
  RETURN_IF_ERROR(TakeCacheArguments(call, value.tuple()[1].tuple()[1], arguments));
  if (arguments.http_timeout) {
    auto cache = std::make_shared<tls::HttpCrlCache>(
        tls::HttpCrlCache::Settings{.timeout = *arguments.http_timeout});
    RETURN_IF_ERROR(InsertFiles(call, arguments, cache->inserted()));
    call.options.revocation.cache = std::move(cache);
  } else {
    auto cache = std::make_shared<tls::InternalCrlCache>();
    RETURN_IF_ERROR(InsertFiles(call, arguments, *cache));
    call.options.revocation.cache = std::move(cache);
  }
  return absl::OkStatus();
}

absl::Status ApplyPartialChain(const Call& call, const Term& value) {
  FunctionName name;
  RETURN_IF_ERROR(TakeFunction(call, value, {.arity = 1, .has_state = false}, name));
  auto fun = tls::FunctionRegistry::Shared().FindPartialChain(name.text);
  if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
  call.options.trust.partial_chain = *std::move(fun);
  return absl::OkStatus();
}

}  // namespace noded::dist
