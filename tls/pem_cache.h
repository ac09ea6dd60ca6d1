// Files of certificates, keys and parameters, each read and parsed once for all contexts.
//
//   ASSIGN_OR_RETURN(auto file, PemCache::Shared().Get("/etc/pki/ca.pem"));
//   for (const auto& certificate : file->certificates()) ...
//   PemCache::Shared().Clear();                  // ssl:clear_pem_cache(): look at the disk anew
//
// A file is looked at again when it was last looked at longer than the interval ago
// (`ssl_pem_cache_clean`), and read again when it is another one by then: other time of change,
// size or inode. Who holds the old one keeps it. Files that nobody holds are forgotten at the next
// look. One with the same content stays the same object. Blocks on the disk. Thread-safe. Errors:
// NotFound and the like, with an errno atom as reason. Source: OTP ssl(3), application parameter
// ssl_pem_cache_clean, clear_pem_cache/0.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mbedtls/x509_crt.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"

namespace noded::tls {

// A file as it was read. Immutable.
class PemFile {
 public:
  PemFile(std::string path, base::Secret content, mode_t mode);
  ~PemFile();
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;

  const std::string& path() const { return path_; }
  const base::Secret& content() const { return content_; }
  // Any user of the machine may read it.
  bool is_open_to_others() const;

  // The certificates in it, DER, in order; those that cannot be used come with mbedTLS's error.
  struct Certificate {
    base::Slice der;  // empty when it is damaged
    int error = 0;
  };
  const std::vector<Certificate>& certificates() const { return certificates_; }
  int unusable_certificates() const;
  // The usable ones, parsed; null when there is none. mbedTLS takes it without const, and only
  // reads it.
  mbedtls_x509_crt* chain() const { return chain_.raw.p == nullptr ? nullptr : &chain_; }

 private:
  const std::string path_;
  const base::Secret content_;
  const mode_t mode_;
  std::vector<Certificate> certificates_;
  mutable mbedtls_x509_crt chain_;
};

class PemCache {
 public:
  static constexpr std::chrono::minutes kDefaultInterval{2};  // OTP's

  explicit PemCache(const base::Clock& clock, base::Duration interval = kDefaultInterval)
      : clock_(clock), interval_(interval) {}
  PemCache(const PemCache&) = delete;
  PemCache& operator=(const PemCache&) = delete;

  // The process's own.
  static PemCache& Shared();

  absl::StatusOr<std::shared_ptr<const PemFile>> Get(const std::string& path);
  // The next Get() of each file looks at the disk.
  void Clear();
  void SetInterval(base::Duration interval);
  size_t size() const;

 private:
  // What tells one file from another.
  struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified, changed;
    // Written so shortly before it was read that it may be written again without a trace.
    bool is_young;
  };
  struct Entry {
    std::shared_ptr<const PemFile> file;
    Stamp stamp;
    std::optional<base::TimePoint> looked_at;  // none: look now
  };

  static Stamp StampOf(const struct stat& facts);
  static bool IsSame(const Stamp& a, const Stamp& b);
  static absl::StatusOr<Entry> Read(const std::string& path);
  void ForgetUnused(base::TimePoint now);

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  base::Duration interval_;
  base::TimePoint swept_at_{};
  std::map<std::string, Entry> entries_;
};

// What a certificate that mbedTLS cannot use is, for messages: "an Ed25519 key", "a DSA key", "a
// signature by an Ed448 key"; empty when it is none of these.
std::string UnusableKind(base::ByteView der);

// Appends to `chain`; PEM or DER. mbedTLS's error of the first that cannot be used, else 0.
int AppendCertificates(mbedtls_x509_crt& chain, std::string_view content);

}  // namespace noded::tls
