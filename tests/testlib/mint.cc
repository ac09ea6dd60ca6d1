#include "tests/testlib/mint.h"

#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

namespace noded::testlib {
namespace {

using ConfPtr = std::unique_ptr<CONF, tls::FreeWith<NCONF_free>>;
using BioPtr = std::unique_ptr<BIO, tls::FreeWith<BIO_vfree>>;

void Expect(bool is_good, const char* what) {
  EXPECT_TRUE(is_good) << what << ": " << ERR_error_string(ERR_get_error(), nullptr);
}

KeyPtr MakeKey(const std::string& kind) {
  EVP_PKEY* key = kind == "EC"        ? EVP_EC_gen("P-256")
                  : kind == "RSA2048" ? EVP_RSA_gen(2048)
                  : kind == "RSA1024" ? EVP_RSA_gen(1024)
                                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  Expect(key != nullptr, "key");
  return KeyPtr(key);
}

ConfPtr MakeConf(const std::string& text) {
  ConfPtr conf(NCONF_new(nullptr));
  BioPtr memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  long line = 0;
  Expect(NCONF_load_bio(conf.get(), memory.get(), &line) == 1, "extensions");
  return conf;
}

void SetSerial(X509* certificate) {
  unsigned char bytes[12];
  RAND_bytes(bytes, sizeof(bytes));
  bytes[0] = 0x5a;
  BIGNUM* number = BN_bin2bn(bytes, sizeof(bytes), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

std::string Text(BIO* memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  return std::string(text, static_cast<size_t>(size));
}

X509_REVOKED* MakeEntry(const Revoked& revoked) {
  X509_REVOKED* entry = X509_REVOKED_new();
  X509_REVOKED_set_serialNumber(entry,
                                X509_get_serialNumber(revoked.certificate->certificate.get()));
  ASN1_TIME* when = X509_gmtime_adj(nullptr, -kDay / 2);
  X509_REVOKED_set_revocationDate(entry, when);
  ASN1_TIME_free(when);
  if (!revoked.reason.empty()) {
    constexpr const char* kCodes[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    const auto code = std::find(std::begin(kCodes), std::end(kCodes), revoked.reason);
    Expect(code != std::end(kCodes), "reason");
    ASN1_ENUMERATED* reason = ASN1_ENUMERATED_new();
    ASN1_ENUMERATED_set(reason, code - std::begin(kCodes));
    X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0);
    ASN1_ENUMERATED_free(reason);
  }
  if (revoked.issuer != nullptr) {
    GENERAL_NAMES* names = GENERAL_NAMES_new();
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(
        name, GEN_DIRNAME, X509_NAME_dup(X509_get_subject_name(revoked.issuer->certificate.get())));
    sk_GENERAL_NAME_push(names, name);
    X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names, 1, 0);
    GENERAL_NAMES_free(names);
  }
  return entry;
}

}  // namespace

std::string Minted::pem() const {
  BioPtr memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate.get());
  return Text(memory.get());
}

std::string Minted::key_pem() const {
  BioPtr memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return Text(memory.get());
}

Minted Mint(const CertSpec& spec, const Minted* issuer) {
  Minted minted;
  if (spec.reuse == nullptr) {
    minted.key = MakeKey(spec.key);
  } else {
    minted.key.reset(EVP_PKEY_dup(const_cast<EVP_PKEY*>(spec.reuse)));
  }
  minted.certificate.reset(X509_new());
  X509* certificate = minted.certificate.get();
  X509_set_version(certificate, spec.version - 1);
  SetSerial(certificate);
  X509_gmtime_adj(X509_getm_notBefore(certificate), spec.begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), spec.ends);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.name.c_str()), -1, -1, 0);
  const Minted& signer = issuer == nullptr ? minted : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  X509_set_pubkey(certificate, minted.key.get());
  if (!spec.extensions.empty()) {
    ConfPtr conf = MakeConf(spec.extensions);
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer.certificate.get(), certificate, nullptr, nullptr, 0);
    X509V3_set_nconf(&context, conf.get());
    Expect(X509V3_EXT_add_nconf(conf.get(), &context, "default", certificate) == 1, "extension");
  }
  const bool is_edwards = EVP_PKEY_is_a(signer.key.get(), "ED25519") == 1;
  const EVP_MD* digest = is_edwards ? nullptr : EVP_get_digestbyname(spec.digest);
  Expect(X509_sign(certificate, signer.key.get(), digest) > 0, "signature");
  // Read anew, as a peer would have it.
  minted.certificate = tls::ParseX509(tls::DerOf(*certificate));
  Expect(minted.certificate != nullptr, "certificate");
  return minted;
}

base::Slice MintCrl(const Minted& issuer, const CrlSpec& spec) {
  tls::X509CrlPtr crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), 1);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  ASN1_TIME* time = X509_gmtime_adj(nullptr, spec.begins);
  X509_CRL_set1_lastUpdate(crl.get(), time);
  if (spec.ends != 0) {
    X509_gmtime_adj(time, spec.ends);
    X509_CRL_set1_nextUpdate(crl.get(), time);
  }
  ASN1_TIME_free(time);
  for (const Revoked& revoked : spec.revoked) X509_CRL_add0_revoked(crl.get(), MakeEntry(revoked));
  X509_CRL_sort(crl.get());
  ASN1_INTEGER* number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, 1);
  X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number, 0, 0);
  ASN1_INTEGER_free(number);
  ConfPtr conf = MakeConf(spec.extensions + "\n");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.certificate.get(), nullptr, nullptr, crl.get(), 0);
  X509V3_set_nconf(&context, conf.get());
  if (!spec.extensions.empty()) {
    Expect(X509V3_EXT_CRL_add_nconf(conf.get(), &context, "default", crl.get()) == 1, "extension");
  }
  const Minted& signer = spec.signer == nullptr ? issuer : *spec.signer;
  Expect(X509_CRL_sign(crl.get(), signer.key.get(), EVP_sha256()) > 0, "signature");
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &der);
  base::Slice slice = base::Slice::Copy(base::ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  return slice;
}

std::string CrlPem(const base::Slice& der) {
  tls::X509CrlPtr crl = tls::ParseCrl(der);
  BioPtr memory(BIO_new(BIO_s_mem()));
  Expect(crl != nullptr && PEM_write_bio_X509_CRL(memory.get(), crl.get()) == 1, "CRL");
  return Text(memory.get());
}

}  // namespace noded::testlib
