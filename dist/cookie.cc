#include "dist/cookie.h"

#include <optional>

#include "base/bytes.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {

void CookieJar::SetFor(const AtomName& node, Cookie cookie) { by_node_[node] = std::move(cookie); }

const Cookie& CookieJar::For(const AtomName& node) const {
  const auto found = by_node_.find(node);
  return found == by_node_.end() ? common_ : found->second;
}

base::Md5Digest ChallengeDigest(const Cookie& cookie, uint32_t challenge) {
  std::string text;
  const std::string digits = fmt::format("{}", challenge);
  std::optional<std::string> latin1 = Utf8ToLatin1(cookie.text.view());
  const std::string_view secret = latin1 ? *latin1 : cookie.text.view();
  text.reserve(secret.size() + digits.size());  // growth would leave a copy behind
  text.append(secret).append(digits);
  const base::Md5Digest digest = base::Md5(base::AsBytes(text));
  base::Wipe(text.data(), text.size());
  if (latin1) base::Wipe(latin1->data(), latin1->size());
  return digest;
}

bool EqualDigests(const base::Md5Digest& a, const base::Md5Digest& b) {
  return base::EqualConstantTime(a, b);
}

}  // namespace noded::dist
