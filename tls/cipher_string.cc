// ParseCipherSuites of tls/ciphers.h: OpenSSL's language for lists of suites, ciphers(1), on our
// table. Differences: an unknown word is an error, and keywords about key exchange and
// authentication add TLS 1.3 suites, which leave both open, but never remove them.
#include <algorithm>
#include <functional>
#include <vector>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

// Is it about what TLS 1.3 suites leave open?
enum class About { kSuite, kPeer };

using Suite = const CipherSuite&;

struct Keyword {
  std::string_view name;
  About about;
  bool (*has)(Suite);
};

bool IsAny(Suite suite) { return suite.version == Version::kTls13; }
bool HasKeyExchange(Suite suite, std::string_view prefix) {
  return IsAny(suite) || (!suite.is_psk() && suite.erlang.key_exchange.starts_with(prefix));
}
bool HasAuthentication(Suite suite, std::string_view name) {
  return IsAny(suite) || suite.erlang.key_exchange.ends_with(name);
}
bool HasCipher(Suite suite, std::string_view part) {
  return suite.erlang.cipher.find(part) != std::string_view::npos;
}
bool IsExactly(Suite suite, std::string_view key_exchange) {
  return suite.erlang.key_exchange == key_exchange;
}

constexpr auto kAll = [](Suite) { return true; };
constexpr auto kDefaults = [](Suite s) { return s.use == CipherSuite::Use::kDefault; };
constexpr auto kOthers = [](Suite s) { return s.use != CipherSuite::Use::kDefault; };
constexpr auto kEcdhe = [](Suite s) { return HasKeyExchange(s, "ecdhe_"); };
constexpr auto kDhe = [](Suite s) { return HasKeyExchange(s, "dhe_"); };
constexpr auto kRsaKeys = [](Suite s) { return IsExactly(s, "rsa"); };
constexpr auto kRsaSigns = [](Suite s) {
  return HasAuthentication(s, "rsa") || IsExactly(s, "rsa_psk");
};
constexpr auto kEcdsaSigns = [](Suite s) { return HasAuthentication(s, "ecdsa"); };
constexpr auto kAnyPsk = [](Suite s) { return s.is_psk(); };
constexpr auto kPskSigns = [](Suite s) { return s.is_psk() && !IsExactly(s, "rsa_psk"); };

constexpr Keyword kKeywords[] = {
    {"ALL", About::kSuite, kAll},
    {"HIGH", About::kSuite, kAll},
    {"DEFAULT", About::kSuite, kDefaults},
    {"COMPLEMENTOFDEFAULT", About::kSuite, kOthers},
    {"ECDHE", About::kPeer, kEcdhe},
    {"kECDHE", About::kPeer, kEcdhe},
    {"EECDH", About::kPeer, kEcdhe},
    {"kEECDH", About::kPeer, kEcdhe},
    {"DHE", About::kPeer, kDhe},
    {"kDHE", About::kPeer, kDhe},
    {"EDH", About::kPeer, kDhe},
    {"kEDH", About::kPeer, kDhe},
    {"RSA", About::kPeer, kRsaKeys},
    {"kRSA", About::kPeer, kRsaKeys},
    {"aRSA", About::kPeer, kRsaSigns},
    {"ECDSA", About::kPeer, kEcdsaSigns},
    {"aECDSA", About::kPeer, kEcdsaSigns},
    {"PSK", About::kPeer, kAnyPsk},
    {"kPSK", About::kPeer, [](Suite s) { return IsExactly(s, "psk"); }},
    {"kDHEPSK", About::kPeer, [](Suite s) { return IsExactly(s, "dhe_psk"); }},
    {"kECDHEPSK", About::kPeer, [](Suite s) { return IsExactly(s, "ecdhe_psk"); }},
    {"kRSAPSK", About::kPeer, [](Suite s) { return IsExactly(s, "rsa_psk"); }},
    {"aPSK", About::kPeer, kPskSigns},
    {"AES", About::kSuite, [](Suite s) { return HasCipher(s, "aes_"); }},
    {"AES128", About::kSuite, [](Suite s) { return HasCipher(s, "aes_128"); }},
    {"AES256", About::kSuite, [](Suite s) { return HasCipher(s, "aes_256"); }},
    {"AESGCM", About::kSuite, [](Suite s) { return HasCipher(s, "_gcm"); }},
    {"AESCCM", About::kSuite, [](Suite s) { return HasCipher(s, "_ccm"); }},
    {"AESCCM8", About::kSuite, [](Suite s) { return HasCipher(s, "_ccm_8"); }},
    {"CHACHA20", About::kSuite, [](Suite s) { return HasCipher(s, "chacha20"); }},
    {"SHA", About::kSuite, [](Suite s) { return s.erlang.mac == "sha"; }},
    {"SHA1", About::kSuite, [](Suite s) { return s.erlang.mac == "sha"; }},
    {"SHA256", About::kSuite, [](Suite s) { return s.erlang.mac == "sha256"; }},
    {"SHA384", About::kSuite, [](Suite s) { return s.erlang.mac == "sha384"; }},
    {"TLSv1.2", About::kSuite, [](Suite s) { return !IsAny(s) && s.erlang.mac != "sha"; }},
    {"TLSv1.3", About::kSuite, IsAny},
};

const Keyword* FindKeyword(std::string_view name) {
  for (const Keyword& keyword : kKeywords) {
    if (name == keyword.name) return &keyword;
  }
  return nullptr;
}

absl::Status UnknownWord(std::string_view name) {
  if (const Refusal* refusal = RefusedSuite(name); refusal != nullptr) {
    return RefusedError(*refusal, fmt::format("cipher suite {}", ShortText(name)));
  }
  std::vector<std::string_view> known;
  for (const CipherSuite& suite : AllCipherSuites()) {
    known.emplace_back(suite.iana);
    known.emplace_back(suite.openssl);
  }
  for (const Keyword& keyword : kKeywords) known.push_back(keyword.name);
  const std::string text = ShortText(name);
  return base::Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("unknown cipher suite '{}'{}", text, base::DidYouMean(text, known)),
      "give IANA or OpenSSL names, or keywords such as ECDHE+AESGCM; DEFAULT is a list "
      "by itself",
      "options");
}

// What one word of the list, "ECDHE+AESGCM", stands for.
class Selection {
 public:
  // `is_adding`: its suites are wanted, so that a refused word is an error; in removing it is true
  // already.
  static absl::StatusOr<Selection> Parse(std::string_view word, bool is_adding) {
    Selection selection;
    if (const CipherSuite* suite = FindCipherSuite(word); suite != nullptr) {
      selection.suites_ = {suite};
      return selection;
    }
    for (const CipherSuite& suite : AllCipherSuites()) selection.suites_.push_back(&suite);
    while (true) {
      const size_t plus = std::min(word.find('+'), word.size());
      RETURN_IF_ERROR(selection.Narrow(word.substr(0, plus), is_adding));
      if (plus == word.size()) break;
      word.remove_prefix(plus + 1);
    }
    return selection;
  }

  bool has(const CipherSuite* suite) const {
    return std::find(suites_.begin(), suites_.end(), suite) != suites_.end();
  }
  const std::vector<const CipherSuite*>& suites() const { return suites_; }

 private:
  absl::Status Narrow(std::string_view name, bool is_adding) {
    const Keyword* keyword = FindKeyword(name);
    const CipherSuite* named = FindCipherSuite(name);
    if (keyword == nullptr && named == nullptr) {
      if (is_adding || RefusedSuite(name) == nullptr) return UnknownWord(name);
      suites_.clear();
      return absl::OkStatus();
    }
    std::erase_if(suites_, [&](const CipherSuite* suite) {
      if (keyword == nullptr) return suite != named;
      if (!is_adding && keyword->about == About::kPeer && IsAny(*suite)) return true;
      return !keyword->has(*suite);
    });
    return absl::OkStatus();
  }

  std::vector<const CipherSuite*> suites_;
};

// The list as it grows.
class SuiteOrder {
 public:
  absl::Status Apply(std::string_view word) {
    if (word.front() == '@') return Command(word);
    const char first = word.front();
    const bool is_removing = first == '!' || first == '-', is_moving = first == '+';
    if (is_removing || is_moving) word.remove_prefix(1);
    ASSIGN_OR_RETURN(const Selection selection, Selection::Parse(word, !is_removing && !is_moving));
    const auto is_selected = [&](const CipherSuite* suite) { return selection.has(suite); };
    if (is_moving) {
      std::stable_partition(chosen_.begin(), chosen_.end(), std::not_fn(is_selected));
    } else if (is_removing) {
      std::erase_if(chosen_, is_selected);
      if (first == '!') {
        killed_.insert(killed_.end(), selection.suites().begin(), selection.suites().end());
      }
    } else {
      for (const CipherSuite* suite : selection.suites()) {
        if (!IsIn(chosen_, suite) && !IsIn(killed_, suite)) chosen_.push_back(suite);
      }
    }
    return absl::OkStatus();
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const CipherSuite* suite : chosen_) names.emplace_back(suite->iana);
    return names;
  }

 private:
  using Suites = std::vector<const CipherSuite*>;

  static bool IsIn(const Suites& suites, const CipherSuite* suite) {
    return std::find(suites.begin(), suites.end(), suite) != suites.end();
  }

  absl::Status Command(std::string_view word) {
    if (word == "@STRENGTH") {
      std::stable_sort(chosen_.begin(), chosen_.end(),
                       [](const auto* a, const auto* b) { return a->bits() > b->bits(); });
      return absl::OkStatus();
    }
    // What we always hold to is level 2: 112 bits, RSA keys of 2048 bits, no SHA-1 signatures.
    for (std::string_view level : {"@SECLEVEL=0", "@SECLEVEL=1", "@SECLEVEL=2"}) {
      if (word == level) return absl::OkStatus();
    }
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("'{}' is no command of cipher lists here", ShortText(word)),
                       "known are @STRENGTH and @SECLEVEL=0 to 2; the level in force is always 2",
                       "options");
  }

  Suites chosen_, killed_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseCipherSuites(std::string_view list) {
  SuiteOrder order;
  bool is_empty = true;
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(":,; "), list.size());
    const std::string_view word = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (word.empty()) continue;
    is_empty = false;
    RETURN_IF_ERROR(order.Apply(word));
  }
  std::vector<std::string> names = order.names();
  if (names.empty()) {
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        is_empty ? "the list of cipher suites is empty" : "the list leaves no cipher suite",
        "name at least one suite, or leave the option out", "options");
  }
  return names;
}

}  // namespace noded::tls
