// The cookies: the secret that the nodes of one cluster share, and how they prove to know it.
//
//   CookieJar jar({base::Secret("nocookie"), "option -setcookie"});
//   jar.SetFor("b@host", {base::Secret("other"), "option -setcookie b@host other"});
//   auto shared = std::make_shared<const CookieJar>(std::move(jar));
//   base::Md5Digest proof = ChallengeDigest(shared->For(peer), challenge);
//
// Thread-safe once const. Source: OTP "Distribution Protocol", handshake; erlang:set_cookie/2.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/digest.h"
#include "base/secret.h"
#include "dist/atom_name.h"

namespace noded::dist {

struct Cookie {
  base::Secret text;   // UTF-8
  std::string origin;  // where it came from, for messages: "file /home/u/.erlang.cookie"
};

class CookieJar {
 public:
  explicit CookieJar(Cookie common) : common_(std::move(common)) {}

  // For this node alone; replaces an earlier one.
  void SetFor(const AtomName& node, Cookie cookie);

  // Valid until the jar changes.
  const Cookie& For(const AtomName& node) const;
  const Cookie& common() const { return common_; }

 private:
  Cookie common_;
  std::map<AtomName, Cookie> by_node_;
};

// What a node answers to `challenge`: MD5 over the cookie and the challenge in decimal. The cookie
// counts as OTP takes it, one byte a character, where its characters fit a byte.
base::Md5Digest ChallengeDigest(const Cookie& cookie, uint32_t challenge);

// In constant time.
bool EqualDigests(const base::Md5Digest& a, const base::Md5Digest& b);

}  // namespace noded::dist
