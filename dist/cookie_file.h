// The cookie file of a user, by OTP's rules.
//
//   ASSIGN_OR_RETURN(Cookie cookie, LoadCookieFile({.home = getenv_home, .config_home = xdg}));
//
// The file is <home>/.erlang.cookie; where that is missing, <config_home>/erlang/.erlang.cookie;
// where both are, the first is created: 20 random letters, readable by its owner alone. Blocks on
// the file system: call it at start.
// Errors: InvalidArgument (open to others, not a regular file, bad characters, empty, cannot be
// read or created), each with file and mend. Source: lib/kernel/src/auth.erl.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "dist/cookie.h"

namespace noded::dist {

struct CookiePlaces {
  std::string home;         // $HOME; empty when there is none
  std::string config_home;  // $XDG_CONFIG_HOME; empty: <home>/.config
};

absl::StatusOr<Cookie> LoadCookieFile(const CookiePlaces& places);

}  // namespace noded::dist
