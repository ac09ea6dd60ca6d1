#include "tls/libcurl.h"

#include <dlfcn.h>

#include <string>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::tls {
namespace {

constexpr char kLibrary[] = "libcurl.so.4";

absl::Status NotThere(const char* why) {
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("CRL: lists over http need {}: {}", kLibrary, why),
                     "install libcurl (Debian: libcurl4)", "enoent");
}

template <class F>
bool Find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

absl::StatusOr<const Libcurl*> LoadOnce() {
  static Libcurl curl;
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return NotThere(dlerror());
  const bool is_whole = Find(library, "curl_global_init", curl.global_init) &&
                        Find(library, "curl_easy_init", curl.easy_init) &&
                        Find(library, "curl_easy_setopt", curl.easy_setopt) &&
                        Find(library, "curl_easy_perform", curl.easy_perform) &&
                        Find(library, "curl_easy_strerror", curl.easy_strerror) &&
                        Find(library, "curl_easy_cleanup", curl.easy_cleanup);
  if (!is_whole) return NotThere("it lacks a function");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return NotThere("it does not start");
  return &curl;
}

}  // namespace

absl::StatusOr<const Libcurl*> Libcurl::Load() {
  static const absl::StatusOr<const Libcurl*> loaded = LoadOnce();
  return loaded;
}

}  // namespace noded::tls
