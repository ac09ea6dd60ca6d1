// libcurl, loaded when it is first needed: it brings some thirty libraries along, whose loading
// would double the time that every program of ours takes to start, and most fetch nothing.
//
//   ASSIGN_OR_RETURN(const Libcurl* curl, Libcurl::Load());
//   CURL* handle = curl->easy_init();
//
// The functions are those of the same names with curl_ before them. Never unloaded; thread-safe.
// Errors of Load: Unavailable, when the machine has no libcurl.so.4. Source: libcurl(3), dlopen(3).
#pragma once

#include <curl/curl.h>

#include "absl/status/statusor.h"

namespace noded::tls {

struct Libcurl {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;

  static absl::StatusOr<const Libcurl*> Load();
};

}  // namespace noded::tls
