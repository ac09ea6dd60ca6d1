#include "dist/epmd_format.h"

#include <charconv>
#include <utility>

#include "fmt/format.h"

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/status.h"
#include "dist/utf8.h"

namespace noded::dist {
namespace {

using base::ByteReader;
using base::ByteView;
using base::ByteWriter;

enum Tag : uint8_t {
  kRegisterRequest = 'x',    // ALIVE2_REQ
  kRegisterReply = 'y',      // ALIVE2_RESP
  kRegisterReplyWide = 'v',  // ALIVE2_X_RESP
  kLookUpRequest = 'z',      // PORT_PLEASE2_REQ
  kLookUpReply = 'w',        // PORT2_RESP
  kNamesRequest = 'n',
  kDumpRequest = 'd',
  kKillRequest = 'k',
  kStopRequest = 's',
};

constexpr size_t kMaxNameCharacters = 255;
constexpr std::string_view kNameStart = "name ";
constexpr std::string_view kNamePort = " at port ";

absl::Status Malformed(std::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, fmt::format("epmd message: {}", what), "",
                     "bad_message");
}

// The fields that ALIVE2_REQ and PORT2_RESP have in common, in the same order.
void WriteNode(const EpmdNode& node, ByteWriter& out) {
  out.U16(node.port);
  out.U8(node.type);
  out.U8(node.protocol);
  out.U16(node.highest_version);
  out.U16(node.lowest_version);
  out.U16(static_cast<uint16_t>(node.name.size()));
  out.Bytes(node.name);
  out.U16(static_cast<uint16_t>(node.extra.size()));
  out.Bytes(node.extra);
}

EpmdNode ReadNode(ByteReader& in) {
  EpmdNode node;
  node.port = in.U16();
  node.type = in.U8();
  node.protocol = in.U8();
  node.highest_version = in.U16();
  node.lowest_version = in.U16();
  const uint16_t name_size = in.U16();
  node.name = base::ToString(in.Bytes(name_size));
  const uint16_t extra_size = in.U16();
  node.extra = base::ToString(in.Bytes(extra_size));
  return node;
}

// What epmd does not even answer: C programs would see the name end at the zero.
absl::Status CheckName(std::string_view name) {
  if (name.empty()) return Malformed("a request without the name of a node");
  if (name.find('\0') != name.npos) return Malformed("a zero within the name of a node");
  return absl::OkStatus();
}

// A name that fills the rest of a request; C clients end it with a zero.
absl::StatusOr<std::string> ReadLastName(ByteReader& in) {
  std::string name = base::ToString(in.Rest());
  if (name.ends_with('\0')) name.pop_back();
  RETURN_IF_ERROR(CheckName(name));
  return name;
}

struct RequestWriter {
  ByteWriter& out;

  void operator()(const EpmdRegister& request) {
    out.U8(kRegisterRequest);
    WriteNode(request.node, out);
  }
  void operator()(const EpmdLookUp& request) {
    out.U8(kLookUpRequest);
    out.Bytes(request.name);
  }
  void operator()(const EpmdNames&) { out.U8(kNamesRequest); }
  void operator()(const EpmdDump&) { out.U8(kDumpRequest); }
  void operator()(const EpmdKill&) { out.U8(kKillRequest); }
  void operator()(const EpmdStop& request) {
    out.U8(kStopRequest);
    out.Bytes(request.name);
  }
};

// One line of NAMES_RESP, without its end.
absl::StatusOr<EpmdName> DecodeNameLine(std::string_view line) {
  const size_t at = line.rfind(kNamePort);
  if (!line.starts_with(kNameStart) || at == line.npos || at < kNameStart.size()) {
    return Malformed("a line of the names is not \"name NAME at port PORT\"");
  }
  EpmdName name;
  name.name = std::string(line.substr(kNameStart.size(), at - kNameStart.size()));
  const std::string_view port = line.substr(at + kNamePort.size());
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), name.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Malformed("a line of the names has no port of 0..65535");
  }
  return name;
}

}  // namespace

base::Buffer EncodeEpmdRequest(const EpmdRequest& request) {
  ByteWriter body;
  std::visit(RequestWriter{body}, request);
  ByteWriter out;
  out.U16(static_cast<uint16_t>(body.size()));
  out.Append(body.Take());
  return out.Take();
}

absl::StatusOr<EpmdRequest> DecodeEpmdRequest(ByteView body) {
  ByteReader in(body);
  const uint8_t tag = in.U8();
  switch (tag) {
    case kRegisterRequest: {
      EpmdNode node = ReadNode(in);
      if (!in.ok()) return Malformed("the registration is shorter than its fields");
      RETURN_IF_ERROR(CheckName(node.name));
      return EpmdRegister{std::move(node)};
    }
    case kLookUpRequest: {
      ASSIGN_OR_RETURN(std::string name, ReadLastName(in));
      return EpmdLookUp{std::move(name)};
    }
    case kStopRequest: {
      ASSIGN_OR_RETURN(std::string name, ReadLastName(in));
      return EpmdStop{std::move(name)};
    }
    case kNamesRequest:
      return EpmdNames{};
    case kDumpRequest:
      return EpmdDump{};
    case kKillRequest:
      return EpmdKill{};
    default:
      return Malformed(fmt::format("unknown request {}", tag));
  }
}

void EpmdRequestReader::Feed(ByteView bytes) {
  // One byte above the largest request is enough to see that it is too large.
  const size_t room = limit_ + 3 > bytes_.size() ? limit_ + 3 - bytes_.size() : 0;
  if (bytes.size() > room) bytes = bytes.first(room);
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

absl::StatusOr<std::optional<EpmdRequest>> EpmdRequestReader::Next() {
  ByteReader in(bytes_);
  const size_t size = in.U16();
  if (!in.ok()) return std::optional<EpmdRequest>();
  if (size == 0) return Malformed("an empty request");
  if (size > limit_) {
    return base::Error(absl::StatusCode::kResourceExhausted,
                       fmt::format("epmd request of {} bytes: above the limit of {}", size, limit_),
                       "", "bad_message");
  }
  if (in.remaining() > size) return Malformed("bytes after the request");
  if (in.remaining() < size) return std::optional<EpmdRequest>();
  ASSIGN_OR_RETURN(EpmdRequest request, DecodeEpmdRequest(in.Rest()));
  return std::optional<EpmdRequest>(std::move(request));
}

base::Buffer EncodeEpmdRegisterReply(const EpmdRegisterReply& reply) {
  ByteWriter out;
  out.U8(reply.is_wide ? kRegisterReplyWide : kRegisterReply);
  out.U8(reply.is_accepted ? 0 : 1);
  if (reply.is_wide) {
    out.U32(reply.creation);
  } else {
    out.U16(static_cast<uint16_t>(reply.creation));
  }
  return out.Take();
}

absl::StatusOr<std::optional<EpmdRegisterReply>> DecodeEpmdRegisterReply(ByteView so_far) {
  ByteReader in(so_far);
  const uint8_t tag = in.U8();
  if (in.ok() && tag != kRegisterReply && tag != kRegisterReplyWide) {
    return Malformed(fmt::format("{} where the reply to a registration was expected", tag));
  }
  EpmdRegisterReply reply;
  reply.is_wide = tag == kRegisterReplyWide;
  reply.is_accepted = in.U8() == 0;
  reply.creation = reply.is_wide ? in.U32() : in.U16();
  if (!in.ok()) return std::optional<EpmdRegisterReply>();
  if (!in.done()) return Malformed("bytes after the reply to a registration");
  return std::optional<EpmdRegisterReply>(reply);
}

base::Buffer EncodeEpmdLookUpReply(const EpmdLookUpReply& reply) {
  ByteWriter out;
  out.U8(kLookUpReply);
  out.U8(reply.node ? 0 : 1);
  if (reply.node) WriteNode(*reply.node, out);
  return out.Take();
}

absl::StatusOr<std::optional<EpmdLookUpReply>> DecodeEpmdLookUpReply(ByteView so_far) {
  ByteReader in(so_far);
  const uint8_t tag = in.U8();
  if (in.ok() && tag != kLookUpReply) {
    return Malformed(fmt::format("{} where the port of a node was expected", tag));
  }
  const uint8_t result = in.U8();
  if (!in.ok()) return std::optional<EpmdLookUpReply>();
  EpmdLookUpReply reply;
  if (result == 0) {
    reply.node = ReadNode(in);
    if (!in.ok()) return std::optional<EpmdLookUpReply>();
  }
  if (!in.done()) return Malformed("bytes after the port of a node");
  return std::optional<EpmdLookUpReply>(std::move(reply));
}

base::Buffer EncodeEpmdNamesReply(const EpmdNamesReply& reply) {
  ByteWriter out;
  out.U32(reply.epmd_port);
  for (const EpmdName& name : reply.names) {
    out.Bytes(fmt::format("{}{}{}{}\n", kNameStart, name.name, kNamePort, name.port));
  }
  return out.Take();
}

absl::StatusOr<EpmdNamesReply> DecodeEpmdNamesReply(ByteView whole) {
  ByteReader in(whole);
  const uint32_t port = in.U32();
  if (!in.ok() || port > UINT16_MAX) return Malformed("the names do not begin with epmd's port");
  EpmdNamesReply reply;
  reply.epmd_port = static_cast<uint16_t>(port);
  std::string_view text = base::AsText(in.Rest());
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == text.npos) return Malformed("the last line of the names is cut off");
    ASSIGN_OR_RETURN(EpmdName name, DecodeNameLine(text.substr(0, end)));
    reply.names.push_back(std::move(name));
    text.remove_prefix(end + 1);
  }
  return reply;
}

bool IsEpmdName(std::string_view name) {
  for (char c : name) {
    if (static_cast<unsigned char>(c) < ' ') return false;  // would forge lines of the names
  }
  const std::optional<size_t> characters = Utf8Length(name);
  return characters && *characters >= 1 && *characters <= kMaxNameCharacters;
}

}  // namespace noded::dist
