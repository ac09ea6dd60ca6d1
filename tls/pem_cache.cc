#include "tls/pem_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "fmt/format.h"
#include "mbedtls/pem.h"

#include "base/status.h"
#include "tls/pem.h"

namespace noded::tls {
namespace {

// More than the certificate bundle of any system.
constexpr size_t kMaxFileBytes = 16 * 1024 * 1024;
// A file that changes while it is read is read again, so often.
constexpr int kMostReads = 3;
// Above what any file system rounds times to.
constexpr int64_t kYoungSeconds = 2;

absl::Status Unreadable(const std::string& path, int error) {
  const absl::StatusCode code =
      error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition;
  return base::Error(code, fmt::format("cannot read {}: {}", path, base::ErrnoText(error)),
                     "give the path of a file that this user may read", base::ErrnoAtom(error));
}

// All of it; an errno value, or 0.
int ReadAll(int descriptor, std::vector<char>& bytes) {
  char block[16 * 1024];
  int error = 0;
  while (error == 0) {
    const ssize_t got = read(descriptor, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    bytes.insert(bytes.end(), block, block + got);
    if (bytes.size() > kMaxFileBytes) error = EFBIG;
  }
  base::Wipe(block, sizeof(block));
  return error;
}

std::vector<PemFile::Certificate> FindCertificates(std::string_view text) {
  std::vector<PemFile::Certificate> found;
  if (!IsPem(text)) {
    if (text.starts_with('\x30')) found.push_back({base::Slice::Copy(text), 0});
    return found;
  }
  for (PemBlock& block : SplitPem(text)) {
    if (block.label != "CERTIFICATE") continue;
    found.push_back({std::move(block.der), block.is_whole ? 0 : MBEDTLS_ERR_PEM_INVALID_DATA});
  }
  return found;
}

}  // namespace

PemFile::PemFile(std::string path, base::Secret content, mode_t mode)
    : path_(std::move(path)),
      content_(std::move(content)),
      mode_(mode),
      certificates_(FindCertificates(content_.view())) {
  mbedtls_x509_crt_init(&chain_);
  for (Certificate& one : certificates_) {
    if (one.error == 0)
      one.error = mbedtls_x509_crt_parse_der(&chain_, one.der.data(), one.der.size());
  }
}

PemFile::~PemFile() { mbedtls_x509_crt_free(&chain_); }

bool PemFile::is_open_to_others() const { return S_ISREG(mode_) && (mode_ & S_IROTH) != 0; }

int PemFile::unusable_certificates() const {
  return static_cast<int>(std::count_if(certificates_.begin(), certificates_.end(),
                                        [](const Certificate& one) { return one.error != 0; }));
}

PemCache& PemCache::Shared() {
  static const base::SteadyClock clock;
  static PemCache cache(clock);
  return cache;
}

PemCache::Stamp PemCache::StampOf(const struct stat& facts) {
  const int64_t age = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) -
                      int64_t{facts.st_mtim.tv_sec};
  return {facts.st_dev,  facts.st_ino,  facts.st_size,
          facts.st_mtim, facts.st_ctim, age <= kYoungSeconds};
}

bool PemCache::IsSame(const Stamp& a, const Stamp& b) {
  const auto is_same_time = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.device == b.device && a.inode == b.inode && a.size == b.size &&
         is_same_time(a.modified, b.modified) && is_same_time(a.changed, b.changed);
}

absl::StatusOr<PemCache::Entry> PemCache::Read(const std::string& path) {
  for (int reads = 1;; ++reads) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return Unreadable(path, errno);
    struct stat before = {}, after = {};
    int error = fstat(descriptor, &before) != 0         ? errno
                : S_ISDIR(before.st_mode)               ? EISDIR
                : before.st_size > off_t{kMaxFileBytes} ? EFBIG
                                                        : 0;
    std::vector<char> bytes;
    // A pipe or a file that grows has no size to trust.
    if (error == 0) bytes.reserve(static_cast<size_t>(before.st_size) + 1);
    if (error == 0) error = ReadAll(descriptor, bytes);
    if (error == 0 && fstat(descriptor, &after) != 0) error = errno;
    close(descriptor);
    base::Secret content(std::string_view(bytes.data(), bytes.size()));
    base::Wipe(bytes.data(), bytes.size());
    if (error != 0) return Unreadable(path, error);
    if (!IsSame(StampOf(before), StampOf(after)) && reads < kMostReads) continue;
    Entry entry;
    entry.file = std::make_shared<const PemFile>(path, std::move(content), before.st_mode);
    entry.stamp = StampOf(before);
    return entry;
  }
}

absl::StatusOr<std::shared_ptr<const PemFile>> PemCache::Get(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const base::TimePoint now = clock_.Now();
  ForgetUnused(now);
  const auto found = entries_.find(path);
  if (found != entries_.end()) {
    if (found->second.looked_at && now - *found->second.looked_at < interval_)
      return found->second.file;
    struct stat facts = {};
    if (!found->second.stamp.is_young && stat(path.c_str(), &facts) == 0 &&
        IsSame(StampOf(facts), found->second.stamp)) {
      found->second.looked_at = now;
      return found->second.file;
    }
  }
  absl::StatusOr<Entry> read = Read(path);
  if (!read.ok()) return read.status();
  read->looked_at = now;
  if (found != entries_.end() && found->second.file->content() == read->file->content() &&
      found->second.file->is_open_to_others() == read->file->is_open_to_others()) {
    read->file = found->second.file;
  }
  std::shared_ptr<const PemFile> file = read->file;
  entries_.insert_or_assign(path, *std::move(read));
  return file;
}

void PemCache::ForgetUnused(base::TimePoint now) {
  if (now - swept_at_ < interval_) return;
  swept_at_ = now;
  std::erase_if(entries_, [](const auto& entry) { return entry.second.file.use_count() == 1; });
}

void PemCache::Clear() {
  const std::lock_guard lock(mutex_);
  // Not erased: what did not change stays shared.
  for (auto& [path, entry] : entries_) entry.looked_at.reset();
}

void PemCache::SetInterval(base::Duration interval) {
  const std::lock_guard lock(mutex_);
  interval_ = interval;
}

size_t PemCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::string UnusableKind(base::ByteView der) {
  const std::string_view bytes = base::AsText(der);
  struct Kind {
    std::string_view mark;  // an AlgorithmIdentifier and what follows it
    const char* name;
  };
  // RFC 8410: the identifier, then a BIT STRING of the key or the signature, or a private key's
  // OCTET STRING. DSA: RFC 3279.
  constexpr Kind kKinds[] = {
      {{"\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 10}, "an Ed25519 key"},
      {{"\x30\x05\x06\x03\x2b\x65\x71\x03\x3a\x00", 10}, "an Ed448 key"},
      {{"\x30\x05\x06\x03\x2b\x65\x70\x04\x22", 9}, "an Ed25519 key"},
      {{"\x30\x05\x06\x03\x2b\x65\x71\x04\x3b", 9}, "an Ed448 key"},
      {{"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", 9}, "a DSA key"},
      {{"\x30\x05\x06\x03\x2b\x65\x70\x03\x41\x00", 10}, "a signature by an Ed25519 key"},
      {{"\x30\x05\x06\x03\x2b\x65\x71\x03\x73\x00", 10}, "a signature by an Ed448 key"},
  };
  for (const Kind& kind : kKinds) {
    if (bytes.find(kind.mark) != std::string_view::npos) return kind.name;
  }
  return "";
}

int AppendCertificates(mbedtls_x509_crt& chain, std::string_view content) {
  std::vector<PemFile::Certificate> found = FindCertificates(content);
  if (found.empty()) return MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT;
  for (const PemFile::Certificate& one : found) {
    const int error = one.error != 0
                          ? one.error
                          : mbedtls_x509_crt_parse_der(&chain, one.der.data(), one.der.size());
    if (error != 0) return error;
  }
  return 0;
}

}  // namespace noded::tls
