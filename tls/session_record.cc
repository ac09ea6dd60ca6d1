#include "tls/session_record.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "tls/secret_slice.h"

namespace noded::tls {
namespace {

constexpr uint8_t kFormat = 1;
enum Flag : uint8_t { kServer = 1, kTls12 = 2, kExtendedMasterSecret = 4, kVerified = 8 };
constexpr uint8_t kAllFlags = kServer | kTls12 | kExtendedMasterSecret | kVerified;

// Into memory that does not move: what moved would leave secrets behind.
class Writer {
 public:
  explicit Writer(size_t size) { bytes_.reserve(size); }

  void Integer(uint64_t value, int width) {
    for (int i = width - 1; i >= 0; --i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  void Bytes(base::ByteView part) { bytes_.insert(bytes_.end(), part.begin(), part.end()); }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

size_t U24(base::ByteReader& in) {
  const size_t high = in.U8();
  return high << 16 | in.U16();
}

uint64_t Count(SessionMilliseconds time) {
  return static_cast<uint64_t>(time.time_since_epoch().count());
}

// Far beyond any date, and safe to calculate with.
constexpr uint64_t kLatest = uint64_t{1} << 50;

SessionMilliseconds Time(base::ByteReader& in) {
  const uint64_t count = in.U64();
  if (count > kLatest) in.Fail();
  return SessionMilliseconds(std::chrono::milliseconds(static_cast<int64_t>(count)));
}

}  // namespace

base::Slice Encode(const SessionRecord& record) {
  constexpr size_t kFixed = 2 + std::tuple_size_v<SessionBinding> + 8 + 8 + 2 + 3 + 3;
  Writer out(kFixed + record.server_name.size() + record.peer.size() + record.session.size());
  out.Integer(kFormat, 1);
  out.Integer((record.role == Role::kServer ? kServer : 0) |
                  (record.version == Version::kTls12 ? kTls12 : 0) |
                  (record.has_extended_master_secret ? kExtendedMasterSecret : 0) |
                  (record.is_peer_verified ? kVerified : 0),
              1);
  out.Bytes(record.binding);
  out.Integer(Count(record.created), 8);
  out.Integer(Count(record.received), 8);
  out.Integer(record.server_name.size(), 2);
  out.Bytes(base::AsBytes(record.server_name));
  out.Integer(record.peer.size(), 3);
  out.Bytes(record.peer);
  out.Integer(record.session.size(), 3);
  out.Bytes(record.session);
  return SecretSlice(out.Take());
}

std::optional<SessionRecord> DecodeSessionRecord(base::ByteView content) {
  base::ByteReader in(content);
  if (in.U8() != kFormat) return std::nullopt;
  const uint8_t flags = in.U8();
  if ((flags & ~kAllFlags) != 0) return std::nullopt;
  SessionRecord record;
  record.role = (flags & kServer) != 0 ? Role::kServer : Role::kClient;
  record.version = (flags & kTls12) != 0 ? Version::kTls12 : Version::kTls13;
  record.has_extended_master_secret = (flags & kExtendedMasterSecret) != 0;
  record.is_peer_verified = (flags & kVerified) != 0;
  const base::ByteView binding = in.Bytes(record.binding.size());
  if (!in.ok()) return std::nullopt;
  std::copy(binding.begin(), binding.end(), record.binding.begin());
  record.created = Time(in);
  record.received = Time(in);
  record.server_name = base::ToString(in.Bytes(in.U16()));
  record.peer = base::Slice::Copy(in.Bytes(U24(in)));
  const base::ByteView session = in.Bytes(U24(in));
  if (!in.done()) return std::nullopt;
  record.session = CopySecret(session);
  return record;
}

}  // namespace noded::tls
