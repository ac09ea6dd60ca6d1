#include "tls/libcrypto_x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "fmt/format.h"

#include "base/ascii.h"

namespace noded::tls {
namespace {

// What libcrypto notes about a failure must not turn up in somebody else's.
struct QuietErrors {
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
};

template <class Object, auto Parse>
Object* ParseAll(base::ByteView der) {
  QuietErrors quiet;
  const unsigned char* at = der.data();
  Object* object = Parse(nullptr, &at, static_cast<long>(der.size()));
  if (object != nullptr && at == der.data() + der.size()) return object;
  if constexpr (std::is_same_v<Object, X509>) {
    X509_free(object);
  } else {
    X509_CRL_free(object);
  }
  return nullptr;
}

base::ByteView BytesOf(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string))};
}

// Names come from peers: nothing in them may confuse a terminal or a log.
std::string Printable(base::ByteView bytes) {
  std::string text;
  for (uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f) {
      text.push_back(static_cast<char>(byte));
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

std::string IpText(base::ByteView address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.size() == 4) return inet_ntop(AF_INET, address.data(), text, sizeof(text));
  if (address.size() == 16) return inet_ntop(AF_INET6, address.data(), text, sizeof(text));
  return base::ToHex(address);
}

struct Names {
  std::vector<std::string> dns, ip, uris;
  std::vector<std::vector<uint8_t>> addresses;
  bool is_empty = true;  // no alternative name of any kind
};

Names AlternativeNames(const X509& certificate) {
  Names names;
  QuietErrors quiet;
  // One that cannot be read is one all the same: the common name must not step in for it.
  names.is_empty = X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) < 0;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    if (name->type == GEN_DNS) {
      names.dns.push_back(base::ToString(BytesOf(name->d.dNSName)));
    } else if (name->type == GEN_URI) {
      names.uris.push_back(Printable(BytesOf(name->d.uniformResourceIdentifier)));
    } else if (name->type == GEN_IPADD) {
      names.addresses.push_back(base::ToVector(BytesOf(name->d.iPAddress)));
      names.ip.push_back(IpText(names.addresses.back()));
    }
  }
  GENERAL_NAMES_free(all);
  return names;
}

std::vector<std::string> CommonNames(const X509& certificate) {
  std::vector<std::string> names;
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(subject),
                                                     NID_commonName, at)) >= 0;) {
    names.push_back(
        base::ToString(BytesOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
  }
  return names;
}

// A wildcard stands for one whole label, the left-most, and not for a top-level domain's children.
bool MatchesName(std::string_view pattern, std::string_view host) {
  if (pattern == host) return !pattern.empty();
  if (!pattern.starts_with("*.")) return false;
  const std::string_view rest = pattern.substr(1);  // ".example.org"
  if (rest.find('.', 1) == std::string_view::npos) return false;
  const size_t dot = host.find('.');
  return dot != 0 && dot != std::string_view::npos && host.substr(dot) == rest;
}

std::vector<uint8_t> AddressBytes(std::string_view host) {
  std::string text(host.substr(0, host.find('%')));
  std::vector<uint8_t> bytes(16);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

std::string KeyText(const X509& certificate) {
  QuietErrors quiet;
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr) return "unknown";
  const char* type = EVP_PKEY_get0_type_name(key);
  return fmt::format("{} {} bits", type == nullptr ? "unknown" : type, EVP_PKEY_get_bits(key));
}

}  // namespace

X509Ptr ParseX509(base::ByteView der) { return X509Ptr(ParseAll<X509, d2i_X509>(der)); }

X509CrlPtr ParseCrl(base::ByteView der) {
  return X509CrlPtr(ParseAll<X509_CRL, d2i_X509_CRL>(der));
}

X509Ptr Share(X509* certificate) {
  X509_up_ref(certificate);
  return X509Ptr(certificate);
}

base::Slice DerOf(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return base::Slice();
  base::Slice slice = base::Slice::Copy(base::ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  return slice;
}

base::Slice DerOf(const X509_NAME& name) {
  const unsigned char* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(&name, &der, &size) != 1) return base::Slice();
  return base::Slice::Copy(base::ByteView(der, size));
}

std::string NameText(const X509_NAME& name) {
  QuietErrors quiet;
  std::unique_ptr<BIO, FreeWith<BIO_vfree>> memory(BIO_new(BIO_s_mem()));
  constexpr unsigned long kStyle = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_2253 |
                                   ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB |
                                   ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER;
  X509_NAME_print_ex(memory.get(), &name, 0, kStyle);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  constexpr long kMost = 1024;
  if (size > kMost) return "(a name too long to show)";
  return size <= 0 ? std::string() : std::string(text, static_cast<size_t>(size));
}

std::string TimeText(const ASN1_TIME& time) {
  struct tm parts = {};
  QuietErrors quiet;
  if (ASN1_TIME_to_tm(&time, &parts) != 1) return "an unreadable time";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string OidText(const ASN1_OBJECT& oid) {
  char text[128] = "";
  OBJ_obj2txt(text, sizeof(text), &oid, /*no_name=*/1);
  return text;
}

std::string SubjectText(const X509& certificate) {
  return NameText(*X509_get_subject_name(&certificate));
}

bool IsSameName(const X509_NAME& a, const X509_NAME& b) { return X509_NAME_cmp(&a, &b) == 0; }

bool IsSelfIssued(const X509& certificate) {
  return IsSameName(*X509_get_subject_name(&certificate), *X509_get_issuer_name(&certificate));
}

CertificateInfo Describe(const X509& certificate) {
  CertificateInfo info;
  info.subject = SubjectText(certificate);
  info.issuer = NameText(*X509_get_issuer_name(&certificate));
  info.serial = base::ToHex(BytesOf(X509_get0_serialNumber(&certificate)));
  info.not_before = TimeText(*X509_get0_notBefore(&certificate));
  info.not_after = TimeText(*X509_get0_notAfter(&certificate));
  info.key = KeyText(certificate);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) == 1) {
    info.fingerprint_sha256 = base::ToHex({digest, size});
  }
  info.is_ca = X509_check_ca(const_cast<X509*>(&certificate)) == 1;
  Names names = AlternativeNames(certificate);
  for (const std::string& name : names.dns) {
    info.dns_names.push_back(Printable(base::AsBytes(name)));
  }
  info.ip_addresses = std::move(names.ip);
  info.uris = std::move(names.uris);
  info.der = DerOf(certificate);
  return info;
}

bool IsLiteralAddress(std::string_view host) { return !AddressBytes(host).empty(); }

bool MatchesHost(const X509& certificate, std::string_view host) {
  std::string name = base::Lower(host);
  if (name.ends_with('.')) name.pop_back();
  const std::vector<uint8_t> address = AddressBytes(name);
  auto matches = [&](std::string_view entry) {
    const std::string pattern = base::Lower(entry);
    return address.empty() ? MatchesName(pattern, name) : pattern == name;
  };
  const Names names = AlternativeNames(certificate);
  if (std::any_of(names.dns.begin(), names.dns.end(), matches)) return true;
  if (!address.empty() &&
      std::find(names.addresses.begin(), names.addresses.end(), address) != names.addresses.end()) {
    return true;
  }
  if (!names.is_empty) return false;
  const std::vector<std::string> common_names = CommonNames(certificate);
  return std::any_of(common_names.begin(), common_names.end(), matches);
}

std::string HostsText(const X509& certificate) {
  constexpr size_t kMost = 8;
  const Names names = AlternativeNames(certificate);
  std::vector<std::string> texts;
  for (const std::string& name : names.dns) {
    texts.push_back(fmt::format("DNS:{}", Printable(base::AsBytes(name))));
  }
  for (const std::string& name : names.ip) texts.push_back(fmt::format("IP:{}", name));
  if (names.is_empty) {
    return fmt::format("no alternative names, subject {}", SubjectText(certificate));
  }
  if (texts.empty()) return "no DNS or IP names";
  const size_t count = texts.size();
  if (count > kMost) texts.resize(kMost);
  return fmt::format("{}{}", fmt::join(texts, ", "),
                     count > kMost ? fmt::format(" and {} more", count - kMost) : "");
}

}  // namespace noded::tls
