#include "tls/client_hello.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace noded::tls {
namespace {

using base::ByteReader;
using base::ByteView;

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHello = 1;
constexpr size_t kRecordHeaderBytes = 5;
constexpr size_t kMessageHeaderBytes = 4;
constexpr size_t kMaxRecordBytes = 1 << 14;
constexpr uint16_t kServerNameExtension = 0;
constexpr uint8_t kHostName = 0;

std::string HostName(ByteView extension) {
  ByteReader reader(extension);
  ByteReader list(reader.Bytes(reader.U16()));
  while (list.remaining() > 0) {
    const uint8_t kind = list.U8();
    const ByteView name = list.Bytes(list.U16());
    if (!list.ok()) break;
    if (kind == kHostName) return base::ToString(name);
  }
  return "";
}

}  // namespace

void ClientHelloName::Feed(ByteView bytes) {
  while (!bytes.empty() && !is_done_) {
    // Never more than one record, so that a long first flight is not copied again and again.
    size_t wanted = kRecordHeaderBytes;
    if (record_.size() >= kRecordHeaderBytes) wanted += size_t{record_[3]} << 8 | record_[4];
    const size_t part = std::min(wanted - record_.size(), bytes.size());
    record_.insert(record_.end(), bytes.begin(), bytes.begin() + static_cast<long>(part));
    bytes = bytes.subspan(part);
    if (TakeRecord()) TakeMessage();
  }
}

// True when a whole record's content went into message_.
bool ClientHelloName::TakeRecord() {
  if (record_.size() < kRecordHeaderBytes) return false;
  ByteReader reader(record_);
  const uint8_t type = reader.U8();
  reader.U16();
  const size_t size = reader.U16();
  if (type != kHandshakeRecord || size == 0 || size > kMaxRecordBytes) {
    is_done_ = true;
    return false;
  }
  const ByteView content = reader.Bytes(size);
  if (!reader.ok()) return false;
  message_.insert(message_.end(), content.begin(), content.end());
  record_.clear();
  return true;
}

void ClientHelloName::TakeMessage() {
  ByteReader reader(message_);
  const uint8_t type = reader.U8();
  const size_t size = size_t{reader.U8()} << 16 | reader.U16();
  if (message_.size() >= 1 && type != kClientHello) is_done_ = true;
  if (!reader.ok() || is_done_) return;
  is_done_ = kMessageHeaderBytes + size > max_bytes_;
  ByteReader hello(reader.Bytes(size));
  if (is_done_ || !reader.ok()) return;
  is_done_ = true;
  constexpr size_t kVersionAndRandomBytes = 2 + 32;
  hello.Skip(kVersionAndRandomBytes);
  hello.Skip(hello.U8());   // session id
  hello.Skip(hello.U16());  // cipher suites
  hello.Skip(hello.U8());   // compression methods
  ByteReader extensions(hello.Bytes(hello.U16()));
  while (extensions.remaining() > 0) {
    const uint16_t kind = extensions.U16();
    const ByteView content = extensions.Bytes(extensions.U16());
    if (!extensions.ok()) return;
    if (kind == kServerNameExtension) name_ = HostName(content);
  }
}

std::string_view PskHint(ByteView server_key_exchange) {
  ByteReader reader(server_key_exchange);
  const ByteView hint = reader.Bytes(reader.U16());
  return reader.ok() ? base::AsText(hint) : std::string_view();
}

}  // namespace noded::tls
