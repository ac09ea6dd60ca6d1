// The cipher suites, groups and signature schemes that the engine has, by their IANA names, by
// OpenSSL's, and as the tuples of Erlang's `ssl`.
//
//   const CipherSuite* suite = FindCipherSuite("ECDHE-RSA-AES256-GCM-SHA384");   // any spelling
//   suite = FindCipherSuite(ErlangSuite{"ecdhe_rsa", "aes_256_gcm", "aead", "sha384"});
//   ASSIGN_OR_RETURN(auto suites, ParseCipherSuites("ECDHE+AESGCM:CHACHA20:!DHE"));
//   for (const CipherSuite* one : CipherSuites(SuiteList::kErlang)) ErlangText(*one);
//
// Constant tables; thread-safe. Errors of ParseCipherSuites: InvalidArgument, naming the part and
// the nearest known one, or why what others have is refused here (tls/refused.h). What the keywords
// mean stands in docs/ciphers.md. Source: IANA TLS parameters registry; OpenSSL ciphers(1); OTP
// ssl(3), types erl_cipher_suite and ciphers, function cipher_suites.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/options.h"

namespace noded::tls {

// {ecdhe_rsa, aes_256_gcm, aead, sha384}, as atoms.
struct ErlangSuite {
  std::string_view key_exchange;  // "any" in TLS 1.3
  std::string_view cipher;
  std::string_view mac;  // "aead" or a digest
  std::string_view prf;  // "default_prf" or a digest

  friend bool operator==(const ErlangSuite&, const ErlangSuite&) = default;
};

struct CipherSuite {
  enum class Use {
    kDefault,     // when no list is given
    kPskDefault,  // the same, when there are pre-shared keys
    kOther,       // only by name or keyword
  };

  uint16_t id;
  const char* iana;
  const char* openssl;
  Version version;
  Use use;
  ErlangSuite erlang;

  bool is_psk() const { return erlang.key_exchange.ends_with("psk"); }
  // The strength of its cipher.
  int bits() const { return erlang.cipher.starts_with("aes_128") ? 128 : 256; }
};

// All that the engine can do, best first.
std::span<const CipherSuite> AllCipherSuites();
// Those used when no list is given: forward secret, and no AES-CCM with short tags. With pre-shared
// keys the PSK suites come after them, SHA-1 and short tags aside.
std::vector<std::string> DefaultCipherSuites(bool has_psk = false);

// What `ssl:cipher_suites/1` of the manual gives. Each suite has all three spellings; the list says
// which are in it.
enum class SuiteList {
  kErlang,   // the default ones
  kOpenssl,  // the same
  kAll,      // all that can be named
};
std::vector<const CipherSuite*> CipherSuites(SuiteList list);

// By IANA name, OpenSSL's, or OTP's where it has one of its own; null when there is none.
const CipherSuite* FindCipherSuite(std::string_view name);
// By Erlang's tuple. An empty prf stands for the old form of three; "null" is an old name of aead.
const CipherSuite* FindCipherSuite(const ErlangSuite& suite);
const CipherSuite* FindCipherSuite(uint16_t id);
// IANA name; empty for an unknown number.
std::string_view CipherSuiteName(uint16_t id);
// "{ecdhe_rsa,aes_256_gcm,aead,sha384}"
std::string ErlangText(const CipherSuite& suite);

// A list of names in any spelling, and of OpenSSL's keywords and operators, separated by ':', ',',
// ';' or blanks, to IANA names in its order, each once.
absl::StatusOr<std::vector<std::string>> ParseCipherSuites(std::string_view list);

// "tlsv1.2", "tlsv1.3", as Erlang and OpenSSL write them. InvalidArgument for others; those that
// once were are refused with the reason.
absl::StatusOr<Version> ParseVersion(std::string_view name);

struct NamedNumber {
  uint16_t id;
  const char* name;
};

std::span<const NamedNumber> AllGroups();
std::span<const NamedNumber> AllSignatureAlgorithms();
std::optional<uint16_t> FindGroup(std::string_view name);
std::optional<uint16_t> FindSignatureAlgorithm(std::string_view name);

}  // namespace noded::tls
