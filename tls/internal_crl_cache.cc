#include "tls/internal_crl_cache.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/libcrypto_x509.h"

namespace noded::tls {
namespace {

absl::Status BadCrl(std::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, fmt::format("CRL: {}", what),
                     "give X.509 revocation lists in PEM or DER", "bad_crl");
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content;
  char block[16 * 1024];
  while (file.read(block, sizeof(block)), file.gcount() > 0) {
    content.append(block, static_cast<size_t>(file.gcount()));
    if (content.size() > most) {
      return base::Error(absl::StatusCode::kResourceExhausted,
                         fmt::format("CRL: {} has more than {} bytes", path, most),
                         "raise the cache's max_bytes");
    }
  }
  if (file.eof()) return content;
  const int error = errno == 0 ? EIO : errno;
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("CRL: cannot read {}: {}", path, base::ErrnoText(error)),
                     "give the path of a file that this user may read", base::ErrnoAtom(error));
}

std::string ScopeOf(const X509_CRL& crl) {
  const int at = X509_CRL_get_ext_by_NID(&crl, NID_issuing_distribution_point, -1);
  if (at < 0) return "";
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_CRL_get_ext(&crl, at));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                     static_cast<size_t>(ASN1_STRING_length(value)));
}

std::string IssuerOf(const X509_CRL& crl) {
  return std::string(DerOf(*X509_CRL_get_issuer(&crl)).text());
}

}  // namespace

absl::StatusOr<std::vector<base::Slice>> ReadCrls(base::ByteView pem_or_der) {
  std::vector<base::Slice> crls;
  const std::string_view text = base::AsText(pem_or_der);
  if (text.find("-----BEGIN ") == std::string_view::npos) {
    if (ParseCrl(pem_or_der) == nullptr) return BadCrl("these bytes are no revocation list");
    crls.push_back(base::Slice::Copy(pem_or_der));
    return crls;
  }
  ERR_set_mark();
  std::unique_ptr<BIO, FreeWith<BIO_vfree>> memory(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  bool is_good = true;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (PEM_read_bio(memory.get(), &name, &header, &data, &size) == 1) {
    const base::ByteView der(data, static_cast<size_t>(size));
    if (std::string_view(name) == PEM_STRING_X509_CRL) {
      is_good = is_good && ParseCrl(der) != nullptr;
      crls.push_back(base::Slice::Copy(der));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  // What ends the loop is the end of the text, or a block that is cut off or damaged.
  const unsigned long end = ERR_peek_last_error();
  const bool is_whole =
      ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE;
  ERR_pop_to_mark();
  if (!is_whole) return BadCrl("a PEM block is cut off or damaged");
  if (!is_good) return BadCrl("a PEM block holds no revocation list that can be read");
  if (crls.empty()) return BadCrl("no PEM block 'BEGIN X509 CRL'");
  return crls;
}

absl::Status InternalCrlCache::Insert(base::ByteView crls) { return Insert("", crls); }

absl::Status InternalCrlCache::Insert(std::string_view uri, base::ByteView crls) {
  ASSIGN_OR_RETURN(const std::vector<base::Slice> lists, ReadCrls(crls));
  std::vector<Entry> fresh;
  size_t added = 0;
  for (const base::Slice& der : lists) {
    X509CrlPtr crl = ParseCrl(der);
    fresh.push_back({std::string(uri), IssuerOf(*crl), ScopeOf(*crl), der});
    added += der.size();
  }
  std::lock_guard lock(mutex_);
  auto is_replaced = [&](const Entry& old) {
    return std::any_of(fresh.begin(), fresh.end(), [&](const Entry& entry) {
      return entry.uri == old.uri && entry.issuer == old.issuer && entry.scope == old.scope;
    });
  };
  size_t kept = 0, kept_bytes = 0;
  for (const Entry& entry : entries_) {
    if (is_replaced(entry)) continue;
    ++kept;
    kept_bytes += entry.der.size();
  }
  if (kept + fresh.size() > limits_.max_crls || kept_bytes + added > limits_.max_bytes) {
    return base::Error(absl::StatusCode::kResourceExhausted,
                       fmt::format("CRL cache: more than {} lists or {} bytes", limits_.max_crls,
                                   limits_.max_bytes),
                       "delete those that are no longer needed");
  }
  std::erase_if(entries_, is_replaced);
  entries_.insert(entries_.end(), std::make_move_iterator(fresh.begin()),
                  std::make_move_iterator(fresh.end()));
  bytes_ = kept_bytes + added;
  return absl::OkStatus();
}

absl::Status InternalCrlCache::InsertFile(const std::string& path) { return InsertFile("", path); }

absl::Status InternalCrlCache::InsertFile(std::string_view uri, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path, limits_.max_bytes));
  return base::Annotate(Insert(uri, base::AsBytes(content)), path);
}

void InternalCrlCache::DeleteUri(std::string_view uri) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.uri == uri; });
  bytes_ = 0;
  for (const Entry& entry : entries_) bytes_ += entry.der.size();
}

absl::Status InternalCrlCache::Delete(base::ByteView crls) {
  ASSIGN_OR_RETURN(const std::vector<base::Slice> lists, ReadCrls(crls));
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) {
    return std::find(lists.begin(), lists.end(), entry.der) != lists.end();
  });
  bytes_ = 0;
  for (const Entry& entry : entries_) bytes_ += entry.der.size();
  return absl::OkStatus();
}

absl::Status InternalCrlCache::DeleteFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path, limits_.max_bytes));
  return base::Annotate(Delete(base::AsBytes(content)), path);
}

size_t InternalCrlCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

CrlAnswer InternalCrlCache::Lookup(const CrlQuery& query) {
  CrlAnswer answer;
  std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.uri.empty()) continue;
    if (std::find(query.uris.begin(), query.uris.end(), entry.uri) != query.uris.end()) {
      answer.crls.push_back(entry.der);
    }
  }
  return answer;
}

std::vector<base::Slice> InternalCrlCache::Select(const base::Slice& issuer) {
  std::vector<base::Slice> crls;
  std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.issuer == issuer.text()) crls.push_back(entry.der);
  }
  return crls;
}

absl::Status InternalCrlCache::Fetch(const std::string& uri) {
  return base::Error(absl::StatusCode::kUnimplemented,
                     fmt::format("CRL cache: nothing fetches {}", uri),
                     "insert it, or use a cache of the kind http");
}

base::Slice InternalCrlCache::FreshCrl(const CrlQuery&, const base::Slice& crl) {
  // What is newer has replaced it already.
  return crl;
}

}  // namespace noded::tls
