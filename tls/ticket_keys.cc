#include "tls/ticket_keys.h"

#include <algorithm>
#include <vector>

#include "tls/crypto.h"
#include "tls/secret_slice.h"

namespace noded::tls {
namespace {

// With random nonces of 96 bits NIST SP 800-38D 8.3 allows 2^32 messages under one key.
constexpr uint64_t kMostSealed = uint64_t{1} << 31;
constexpr size_t kKeyBytes = 32;
constexpr std::array<uint8_t, 8> kMark = {'n', 'o', 'd', 'e', 'd', 't', 'k', '1'};

}  // namespace

void TicketKeys::Forget(SessionTime now) {
  // A key that is as old as this has sealed nothing for a whole lifetime.
  while (!keys_.empty() && now - keys_.back().made >= lifetime_ + lifetime_ / 2) keys_.pop_back();
}

TicketKeys::Key* TicketKeys::Current(SessionTime now) {
  Forget(now);
  const auto half = std::max(lifetime_ / 2, std::chrono::seconds(1));
  // A clock that was set back must not make a key live for the whole gap.
  const bool is_due = keys_.empty() || now < keys_.front().made ||
                      now - keys_.front().made >= half || keys_.front().sealed >= kMostSealed;
  if (!is_due) return &keys_.front();
  Key& key = keys_.emplace_front();
  key.made = now;
  std::copy(kMark.begin(), kMark.end(), key.name.begin());
  uint8_t secret[kKeyBytes];
  const bool is_good =
      Random(nullptr, key.name.data() + kMark.size(), key.name.size() - kMark.size()) == 0 &&
      Random(nullptr, secret, sizeof(secret)) == 0 &&
      mbedtls_gcm_setkey(&key.gcm, MBEDTLS_CIPHER_ID_AES, secret, 8 * kKeyBytes) == 0;
  base::Wipe(secret, sizeof(secret));
  if (is_good) return &key;
  keys_.pop_front();
  return nullptr;
}

std::optional<base::Slice> TicketKeys::Seal(base::ByteView record, SessionTime now) {
  const std::lock_guard lock(mutex_);
  Key* key = Current(now);
  if (key == nullptr) return std::nullopt;
  std::vector<uint8_t> ticket(kOverhead + record.size());
  uint8_t* nonce = ticket.data() + kNameBytes;
  uint8_t* sealed = nonce + kNonceBytes;
  std::copy(key->name.begin(), key->name.end(), ticket.begin());
  if (Random(nullptr, nonce, kNonceBytes) != 0) return std::nullopt;
  const int result = mbedtls_gcm_crypt_and_tag(
      &key->gcm, MBEDTLS_GCM_ENCRYPT, record.size(), nonce, kNonceBytes, key->name.data(),
      kNameBytes, record.data(), sealed, kTagBytes, sealed + record.size());
  if (result != 0) return std::nullopt;
  ++key->sealed;
  return base::Slice(std::move(ticket));
}

bool TicketKeys::IsTicket(base::ByteView bytes) {
  return bytes.size() >= kOverhead && std::equal(kMark.begin(), kMark.end(), bytes.begin());
}

std::optional<base::Slice> TicketKeys::Open(base::ByteView ticket, SessionTime now) {
  if (ticket.size() < kOverhead) return std::nullopt;
  const base::ByteView name = ticket.first(kNameBytes);
  const base::ByteView nonce = ticket.subspan(kNameBytes, kNonceBytes);
  const base::ByteView tag = ticket.last(kTagBytes);
  const base::ByteView sealed = ticket.subspan(kNameBytes + kNonceBytes, ticket.size() - kOverhead);
  const std::lock_guard lock(mutex_);
  Forget(now);
  for (Key& key : keys_) {
    if (!std::equal(name.begin(), name.end(), key.name.begin())) continue;
    std::vector<uint8_t> record(sealed.size());
    if (mbedtls_gcm_auth_decrypt(&key.gcm, sealed.size(), nonce.data(), nonce.size(), name.data(),
                                 name.size(), tag.data(), tag.size(), sealed.data(),
                                 record.data()) != 0) {
      return std::nullopt;
    }
    return SecretSlice(std::move(record));
  }
  return std::nullopt;
}

size_t TicketKeys::size() {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

}  // namespace noded::tls
